"""Recipients whose address decides what happens to a call, for demonstrations without set-up.

The numbers are of the range that is kept free for fiction in area code 907. Addresses are
`NAME@simulator.example`, and `NAME+label@simulator.example` for as many different ones as needed. What
happens *once* happens to the first call of an operation to that address; the next one is served.

| Number | Address | What happens |
|---|---|---|
| +19075550190 | reject | 400 InvalidRequestException |
| +19075550191 | throttle-once | 429 ThrottlingException, once |
| +19075550192 | error-once | 500 InternalServiceException, once |
| +19075550193 | lose-once | accepted, and the answer is lost, once |
| +19075550194 | drop-once | the line breaks before the call was seen, once |
| +19075550195 | slow | accepted; the answer takes 2 s |
| +19075550196 | full-once | the quota of open contacts is said to be full, once |
| +19075550197 | hang-once | accepted, and no answer comes, once |
| +19075550198 | throttle | 429 ThrottlingException, always |
| +19075550199 | drop | the line breaks before the call was seen, always |
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bulk.sandbox.effects import Effect, Plan

DOMAIN = "simulator.example"


@dataclass(frozen=True, slots=True)
class Trick:
    """What a magic recipient does."""

    done: Plan
    once: bool = False

    def plan(self, operation: str) -> Plan:
        """Return what happens to a call; each operation has its own word for "full"."""
        if self.done is _FULL and operation != "StartOutboundChatContact":
            return _FULL_EMAIL
        return self.done


_MESSAGE = "This recipient is magic: its address asked for this."
_REJECT = Plan(Effect.ERROR, code="InvalidRequestException", message=_MESSAGE)
_THROTTLE = Plan(Effect.THROTTLE, code="ThrottlingException", message=_MESSAGE)
_ERROR = Plan(Effect.ERROR, code="InternalServiceException", message=_MESSAGE)
_FULL = Plan(Effect.ERROR, code="LimitExceededException", message=_MESSAGE)
_FULL_EMAIL = Plan(Effect.ERROR, code="ServiceQuotaExceededException", message=_MESSAGE)

TRICKS: Mapping[str, Trick] = {
    "reject": Trick(_REJECT),
    "throttle-once": Trick(_THROTTLE, once=True),
    "error-once": Trick(_ERROR, once=True),
    "lose-once": Trick(Plan(Effect.DROP_AFTER), once=True),
    "drop-once": Trick(Plan(Effect.DROP_BEFORE), once=True),
    "slow": Trick(Plan(delay=2.0)),
    "full-once": Trick(_FULL, once=True),
    "hang-once": Trick(Plan(Effect.HANG), once=True),
    "throttle": Trick(_THROTTLE),
    "drop": Trick(Plan(Effect.DROP_BEFORE)),
}
NUMBERS: Mapping[str, str] = {f"+190755501{90 + index}": name for index, name in enumerate(TRICKS)}


def recipient(destination: str) -> Trick | None:
    """Return what a magic recipient does; None for everybody else."""
    if destination in NUMBERS:
        return TRICKS[NUMBERS[destination]]
    local, _, domain = destination.partition("@")
    return TRICKS.get(local.partition("+")[0]) if domain == DOMAIN else None
