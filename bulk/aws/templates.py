"""The attributes that a message template needs, asked of the service that stores it (`qconnect`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.aws.connect import Endpoint, client_of, is_aws
from bulk.errors import CallFailed, CampaignError

_MOST = 32_767  # characters of a value


@dataclass(slots=True)
class TemplateUse:
    """A message template, and the attributes that a campaign gives it: an example of each."""

    knowledge_base: str
    template: str
    custom: dict[str, str] = field(default_factory=dict)
    profile: str | None = None

    def attributes(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return them as RenderMessageTemplate takes them; `known` are the names of a profile's attributes."""
        addresses = {name: {"address": "example"} for name in ("customerEndpoint", "systemEndpoint")}
        profile = _read(self.profile)
        given: dict[str, Any] = {
            name: str(value)[:_MOST] for name, value in profile.items() if name in known and _is_text(value)
        }
        own = profile.get("custom")
        if isinstance(own, dict):
            given |= {"custom": {name: str(value) for name, value in own.items() if value}}
        custom = {name: str(value)[:_MOST] or "example" for name, value in self.custom.items()}
        found = {"systemAttributes": {"name": "example", **addresses}, "customerProfileAttributes": given}
        return {name: one for name, one in {**found, "customAttributes": custom}.items() if one}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _read(profile: str | None) -> dict[str, Any]:
    try:
        found = json.loads(profile or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def lacking(use: TemplateUse, endpoint: Endpoint) -> list[str]:
    """Return the attributes that a template wants and that it is not given, as the service names them.

    Needs wisdom:RenderMessageTemplate ("Amazon Q in Connect API Reference": RenderMessageTemplate). An endpoint that is
    not AWS's is asked too. Raises `CampaignError` where there is no such template, `CallFailed` where nobody can tell.
    """
    own = endpoint.url if endpoint.url and not is_aws(endpoint.url) else None
    try:
        async with client_of("qconnect", endpoint, url=own) as qconnect:
            known = qconnect.meta.service_model.shape_for("CustomerProfileAttributes").members
            answer = await qconnect.render_message_template(
                knowledgeBaseId=use.knowledge_base,
                messageTemplateId=use.template,
                attributes=use.attributes(known),
            )
    except CallFailed as error:
        if error.code != "ResourceNotFoundException":
            raise
        named = f"message template {use.template[:200]!r} in the knowledge base {use.knowledge_base[:200]!r}"
        raise CampaignError(f"there is no {named}: check both ids, and the Region") from error
    return [str(name) for name in answer.get("attributesNotInterpolated") or ()]
