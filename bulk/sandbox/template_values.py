"""The values of a message template's variables: system, agent, customer profile and custom attributes.

A variable is `Attributes.System.…`, `Attributes.Agent.…`, `Attributes.Customer.…` ("Add personalized content to
message templates"); a custom one is `Attributes.Custom.NAME`, `Attributes.NAME` or `NAME`, of which no page says which:
all are taken. `Attributes.Customer.Attributes.NAME` is a profile's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_KINDS = {"system": "SYSTEM", "agent": "AGENT", "customer": "CUSTOMER_PROFILE", "custom": "CUSTOM"}
_SYSTEM = {"customerendpointaddress": "customerEndpoint", "systememailaddress": "systemEndpoint"}


@dataclass(frozen=True, slots=True)
class Values:
    """Values by where they come from, in the shape of `MessageTemplateAttributes`."""

    system: Mapping[str, Any] = field(default_factory=dict)
    agent: Mapping[str, Any] = field(default_factory=dict)
    customer: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def over(cls, defaults: Mapping[str, Any] | None, given: Mapping[str, Any]) -> "Values":
        """Return what is given, and the template's defaults where nothing is."""
        keys = ("systemAttributes", "agentAttributes", "customerProfileAttributes", "customAttributes")
        below = defaults or {}
        return cls(*({**(below.get(key) or {}), **(given.get(key) or {})} for key in keys))

    @classmethod
    def of_request(
        cls, request: Mapping[str, Any], config: Mapping[str, Any], to: str | None, profile: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the attributes that the request of a message gives."""
        sender = request.get("FromEmailAddress") or request.get("SourceEndpoint") or {}
        addressee = request.get("DestinationEmailAddress") or request.get("ParticipantDetails") or {}
        system = {
            "name": addressee.get("DisplayName") if isinstance(addressee, dict) else None,
            "customerEndpoint": {"address": to},
            "systemEndpoint": {"address": sender.get("EmailAddress") or sender.get("Address")},
        }
        custom = (config.get("TemplateAttributes") or {}).get("CustomAttributes")
        return {"systemAttributes": system, "customerProfileAttributes": profile, "customAttributes": custom or {}}

    @staticmethod
    def kind(path: str) -> str | None:
        """Return the type of attribute that a path names; None where it is no attribute (`this`, `@index`)."""
        if path.startswith(("this", "@", "{")):
            return None
        first, _, rest = path.partition(".")
        return _KINDS.get(rest.partition(".")[0].lower(), "CUSTOM") if first == "Attributes" else "CUSTOM"

    def look_up(self, path: str) -> Any:
        """Return the value of a path; None where there is none."""
        if path in self.custom:
            return self.custom[path]
        steps = path.split(".")
        if steps[0] == "Attributes" and len(steps) > 1:
            steps = steps[1:]
            if len(steps) > 1 and (found := self._named(steps[0].lower(), steps[1:])) is not None:
                return found
        return self.custom.get(".".join(steps))

    def _named(self, kind: str, steps: list[str]) -> Any:
        if kind == "system":
            name = _SYSTEM.get(steps[0].lower())
            return (self.system.get(name) or {}).get("address") if name else _dig(self.system, steps)
        if kind == "customer" and steps[0].lower() == "attributes":
            steps = ["custom", *steps[1:]]
        return _dig({"agent": self.agent, "customer": self.customer, "custom": self.custom}.get(kind), steps)


def _dig(value: Any, steps: list[str]) -> Any:
    """Follow a path into maps and lists; names are found whatever the case of their first letter."""
    for step in steps:
        if isinstance(value, list):
            index = step.strip("[]")
            value = value[int(index)] if index.isdecimal() and int(index) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(step, value.get(step[:1].lower() + step[1:], value.get(step[:1].upper() + step[1:])))
        else:
            return None
    return value
