"""One question about an account, how its answer is judged, and which questions follow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.account.finding import Finding, State
from bulk.errors import CallFailed

Told = Mapping[str, Any]

_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedException", "UnauthorizedOperation"})
_MISSING = frozenset({"ResourceNotFoundException", "UserNotFoundException", "NoSuchResourceException", "NoSuchEntity"})
_UNSERVED = frozenset({"UnknownOperationException", "InvalidAction", "404", "405", "501"})
_BUSY = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException"})

# IAM's prefix of a service's actions, where it is not the SDK's name of the service.
_PREFIXES = {"qconnect": "wisdom", "service-quotas": "servicequotas", "pinpoint-sms-voice-v2": "sms-voice"}


def _nothing(_: Told) -> Iterable["Question"]:
    return ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its subject, the service (by the SDK's name), operation and parameters, and who judges the answer.

    `missing` says what it means that there is no such thing, and its remedy; `absent` is the state of that. `follows`
    gives what may be asked once the answer is known.
    """

    subject: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    judge: Callable[[Told], Finding | Iterable[Finding]]
    missing: tuple[str, str | None] = ("there is none", "check its id, and the Region")
    absent: State = State.WRONG
    follows: Callable[[Told], Iterable["Question"]] = field(default=_nothing)

    @property
    def permission(self) -> str:
        """The action that IAM must allow for it."""
        return f"{_PREFIXES.get(self.service, self.service)}:{self.operation}"

    def failed(self, error: CallFailed) -> Finding:
        """Return what it means that it was not answered."""
        if error.code in _DENIED:
            said = f"these credentials may not ask ({self.permission})"
            return Finding(self.subject, State.UNCHECKED, said, permission=self.permission)
        if error.code in _MISSING:
            return Finding(self.subject, self.absent, *self.missing)
        if error.code == "ContactFlowNotPublishedException":
            return Finding(self.subject, State.WRONG, "it is not published", "publish the flow, then check again")
        if error.code in _UNSERVED:
            return Finding(self.subject, State.UNCHECKED, f"this endpoint does not serve {self.operation}")
        said = f"{error.code}: {error.message}"
        if error.status == 400 and error.code not in _BUSY:
            return Finding(self.subject, State.WRONG, said, "check what the campaign says of it")
        return Finding(self.subject, State.UNCHECKED, said)
