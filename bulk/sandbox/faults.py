"""Declared and seeded faults: which calls get which fault.

The same declaration and the same calls give the same day. As a file:

```toml
seed = 7
throttle_code = "TooManyRequestsException"   # what a call over the rate is told; default ThrottlingException

[[rules]]
operation   = "CreateContact"       # default: every operation
fault       = "drop_after"          # see FAULTS
every       = 10                    # or first = 3, or probability = 0.05; default: always
destinations = ["+14155550123"]     # only calls to these
between     = [0, 60]               # only in these seconds since the start
```

Each rule counts, and draws lots for, the calls that match it, on its own. All rules are asked; their delays
add up, and the first other fault in their order happens.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.sandbox.effects import Effect, Plan
from bulk.sandbox.simulator import recipient

FAULTS: Mapping[str, str] = {
    "throttle": "429, as if the rate were too high",
    "error": "the error `code`; a `status` without a code is answered without a body",
    "drop_before": "the line breaks before the service has seen the call",
    "drop_after": "the call is served and recorded, and the line breaks before the answer",
    "delay": "the answer comes `seconds` later: a number, or [least, most]",
    "hang": "the call is served and recorded, and no answer comes until the client leaves",
}


_NOTHING = Plan()


@dataclass(frozen=True, slots=True)
class Rule:
    """Which calls meet a fault, and what it is."""

    fault: str
    operation: str | None = None
    code: str = ""
    status: int | None = None
    message: str = "A fault that the sandbox was told to make."
    seconds: tuple[float, float] = (1.0, 1.0)
    first: int | None = None
    every: int | None = None
    probability: float | None = None
    destinations: frozenset[str] | None = None
    between: tuple[float, float] | None = None

    def matches(self, operation: str, destination: str | None, elapsed: float) -> bool:
        """Return whether the rule counts this call."""
        return (
            self.operation in (None, operation)
            and (self.destinations is None or destination in self.destinations)
            and (self.between is None or self.between[0] <= elapsed < self.between[1])
        )

    def strikes(self, count: int, lots: random.Random) -> bool:
        """Return whether the fault happens to the call that is the rule's `count`th, from 1."""
        if self.first is not None:
            return count <= self.first
        if self.every is not None:
            return count % self.every == 0
        return self.probability is None or lots.random() < self.probability


@dataclass(frozen=True, slots=True)
class Declaration:
    """A faults file, read. `given` is what was written."""

    rules: tuple[Rule, ...] = ()
    seed: int | str = 0
    throttle_code: str = "ThrottlingException"
    given: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """The faults of one day: the rules, each with its count and its lots."""

    def __init__(self, declaration: Declaration, now: float) -> None:
        self.declaration = declaration
        self._started = now
        self._counts = [0] * len(declaration.rules)
        self._lots = [
            random.Random(f"{declaration.seed}/{index}")  # noqa: S311 - repeatable is what it must be
            for index in range(len(declaration.rules))
        ]
        self._met: set[tuple[str, str]] = set()

    def plan(self, operation: str, destination: str | None, now: float) -> Plan:
        """Return what happens to the next call."""
        plan = _NOTHING
        for index, rule in enumerate(self.declaration.rules):
            if rule.matches(operation, destination, now - self._started):
                self._counts[index] += 1
                if rule.strikes(self._counts[index], self._lots[index]):
                    plan = plan.then(self._happen(rule, self._lots[index]))
        if destination is not None and (trick := recipient(destination)):
            again = (operation, destination) in self._met
            self._met |= {(operation, destination)} if trick.once else set()
            plan = plan if again else plan.then(trick.plan(operation))
        return plan

    def _happen(self, rule: Rule, lots: random.Random) -> Plan:
        if rule.fault == "delay":
            return Plan(delay=lots.uniform(*rule.seconds))
        code = rule.code or (self.declaration.throttle_code if rule.fault == "throttle" else "")
        if rule.fault == "error" and not code and rule.status is None:
            code = "InternalServiceException"
        return Plan(Effect(rule.fault), code=code, status=rule.status, message=rule.message)
