"""The effects of faults on one call."""

import enum
from dataclasses import dataclass, replace


class Effect(enum.Enum):
    """What a fault does to a call."""

    SERVED = ""
    THROTTLE = "throttle"
    ERROR = "error"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Plan:
    """A fate and, for errors, what is answered; `delay` seconds pass before the answer in any case."""

    fate: Effect = Effect.SERVED
    code: str = ""
    status: int | None = None
    message: str = ""
    delay: float = 0.0

    def then(self, other: "Plan") -> "Plan":
        """Add another fault: delays add up, the first fate stays."""
        first = other if self.fate is Effect.SERVED else self
        return replace(first, delay=self.delay + other.delay)
