"""The message templates of a campaign: which it uses, with which attributes, and which are missing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bulk.aws.connect import Endpoint, is_aws
from bulk.aws.templates import TemplateUse, lacking
from bulk.errors import BulkError, CallFailed, CampaignError
from bulk.model import Parameters
from bulk.operations import at
from bulk.run.context import RunRef
from bulk.run.environment import DUMMY, endpoint_of
from bulk.run.rehearsal import Sandboxes

MOST = 20
"""Templates of one campaign that are asked about: a template's id may differ from row to row."""


@dataclass(slots=True)
class TemplateUses:
    """The templates that rows use. `path` is where a request names one; None where it cannot."""

    path: str | None
    uses: dict[tuple[str, str], TemplateUse] = field(default_factory=dict)

    def note(self, request: Parameters) -> None:
        """Note the template of a row, and what the row gives it."""
        config = at(request, *self.path.split(".")) if self.path else None
        if not config:
            return
        named = str(config.get("KnowledgeBaseId")), str(config.get("MessageTemplateId"))
        given = config.get("TemplateAttributes") or {}
        use = self.uses.get(named)
        if use is None:
            if len(self.uses) >= MOST:
                return
            use = self.uses[named] = TemplateUse(*named, profile=given.get("CustomerProfileAttributes"))
        for name, value in (given.get("CustomAttributes") or {}).items():
            use.custom.setdefault(name, value)


async def wanted(ref: RunRef, uses: TemplateUses) -> tuple[dict[str, list[str]], list[str]]:
    """Return what each template wants and is not given, by its id, and notes on what could not be found out.

    Raises `CampaignError` where a template is not there.
    """
    if not uses.uses:
        return {}, []
    async with _asked(ref) as endpoint:
        if endpoint is None:
            why = "" if ref.options.sandbox else "; --ask asks Amazon Connect"
            return {}, [f"nobody was asked what the message templates want: --templates names a folder of them{why}"]
        found: dict[str, list[str]] = {}
        for use in uses.uses.values():
            try:
                found[use.template] = await lacking(use, endpoint)
            except CampaignError:
                raise
            except BulkError as error:
                said = f"{error.code}: {error.message}" if isinstance(error, CallFailed) else str(error)
                return found, [f"what the message template {use.template!r} wants cannot be found out ({said})"]
        return {template: names for template, names in found.items() if names}, []


@asynccontextmanager
async def _asked(ref: RunRef) -> AsyncIterator[Endpoint | None]:
    """Return where the templates are: in a folder, at an endpoint that is not AWS's, or at AWS where that is wanted."""
    options, real = ref.options, endpoint_of(ref)
    if options.templates is not None:
        async with Sandboxes().open(templates=options.templates, rate=1000, burst=1000) as sandbox:
            yield Endpoint(sandbox.url, real.region or "us-east-1", credentials=DUMMY)
    elif options.sandbox or not (options.ask or (real.url and not is_aws(real.url))):
        yield None
    else:
        yield real
