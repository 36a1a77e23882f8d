"""What a caller may ask of a run beside the campaign: options of the command line and of Python, named alike."""

import dataclasses
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from bulk.campaign import HIGHEST, LONGEST, brief
from bulk.cluster.address import address
from bulk.errors import CampaignError
from bulk.loader import HeldTable
from bulk.model import Status
from bulk.text.plain import nearest

_RUN_ID = re.compile(r"\w(?:[\w.+:@ -]{0,98}[\w+-])?")
_MOST = {
    "limit": 10**12,
    "rate": HIGHEST,
    "burst": HIGHEST,
    "at_once": HIGHEST,
    "rate_share": 1,
    "connect_timeout": LONGEST,
    "read_timeout": LONGEST,
    "max_duration": LONGEST,
}
Contacts = Path | str | HeldTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run. Times in seconds; `rate` in calls per second and operation.

    `only` sends again just the rows that ended so; `accept_changes` lets unsent rows take a changed campaign. `no_wait`
    ends a run where sending hours are closed, instead of waiting for the next window.
    `faults` and `templates` are those of a rehearsal's sandbox; `ask` lets a check ask AWS about message templates.
    `cluster` are the workers that make the calls: `local:2`, `tcp://scheduler:8786`.
    `spreadsheet_safe`: results in `.csv` hold no formula.
    """

    contacts: Contacts | None = None
    run_id: str = "default"
    results: Path | str | None = None
    outcomes_only: bool = False
    spreadsheet_safe: bool = False
    limit: int | None = None
    dry_run: bool = False
    sandbox: bool = False
    faults: Path | str | None = None
    templates: Path | str | None = None
    ask: bool = False
    rate: float | Literal["auto"] | None = None
    burst: int | None = None
    at_once: int | None = None
    rate_share: float = 1.0
    state_dir: Path | str | None = None
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    ca_bundle: Path | str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    allow_http: bool = False
    max_duration: float | None = None
    no_wait: bool = False
    accept_changes: bool = False
    only: Status | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, given: dict[str, Any]) -> Self:
        """Check the options of a call. Raises `CampaignError` that names the nearest, or what is wrong with one."""
        known = {field.name for field in dataclasses.fields(cls)}
        for name in given.keys() - known:
            near = nearest(name, known)
            raise CampaignError(f"no option {name!r}" + (f"; did you mean {near!r}?" if near else ""))
        options = cls(**given)
        for name, most in _MOST.items():
            value = getattr(options, name)
            if value is not None and value != "auto" and not 0 < value < math.inf:
                raise CampaignError(f"{name.replace('_', '-')} is {value}, and must be a number above 0")
            if value is not None and value != "auto" and value > most:
                raise CampaignError(f"{name.replace('_', '-')} is {brief(value)}, and must be at most {most:,.0f}")
        if not _RUN_ID.fullmatch(options.run_id):
            raise CampaignError(
                f"run {options.run_id[:40]!r}: files are named after it, so it is made of up to 100 letters, digits, "
                "and . _ - + : @ or spaces between them"
            )
        if options.cluster is not None:
            address(options.cluster)
        if options.only and options.only not in {Status.REJECTED, Status.REFUSED, Status.SKIPPED, Status.UNKNOWN}:
            raise CampaignError(f"only takes rejected, refused, skipped or unknown, not {options.only}")
        return options
