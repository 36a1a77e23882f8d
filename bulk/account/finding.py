"""One result of the examination of an account."""

import enum
from dataclasses import asdict, dataclass
from typing import Any


class State(enum.StrEnum):
    """What was found out of one thing."""

    OK = "ok"
    WRONG = "wrong"
    UNCHECKED = "not checkable"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out of one thing: `remedy` where it is wrong, `permission` where that is missing to tell."""

    subject: str
    state: State
    message: str
    remedy: str | None = None
    permission: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {**asdict(self), "state": self.state.value}
