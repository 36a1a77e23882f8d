"""An announcer of one call, with a clock, rules and a journal that a test sets."""

from dataclasses import dataclass, field
from typing import Any

from bulk.delivery.announcements import Admission, Announcer, Deferred, Guard
from bulk.delivery.attempts import AttemptState
from bulk.model import Announcement, Call, Delivery, Progress, Recipient, Refusal, Status

NOW = 1_800_000_000.0  # 2027-01-15 08:00 UTC
LIMIT = 3600.0
OPENS = Call("CreateContact", {}, opens=True)
WRITES = Call("StartOutboundEmailContact", {}, writes=True)
TIDIES = Call("StopContact", {}, optional=True, ends=True)
NO = Refusal("suppressed", "named in stop.csv", Status.SKIPPED)


@dataclass
class World:
    """A clock, and a journal that takes so many seconds to write and may object."""

    now: float = NOW
    takes: float = 0.0
    objects: bool = False
    told: list[Announcement | str] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    why: float | Refusal | None = None
    admits: int = 0

    async def intend(self, announcement: Announcement, guard: Guard | None = None) -> Exception | None:
        self.now += self.takes
        if guard is not None and (objection := guard(None)):
            return objection
        self.told.append(announcement)
        return None

    async def note(self) -> None:
        self.told.append("note")

    def ask(self, _: Delivery) -> None:
        self.asked.append(self.now)
        if self.why is not None and len(self.asked) > self.admits:
            raise Deferred(self.why)

    def announcer(
        self,
        call: Call = OPENS,
        *,
        refusal: Refusal | None = None,
        tries: AttemptState | None = None,
        since: float | None = None,
        attribute: str | None = None,
        **more: Any,
    ) -> Announcer:
        delivery = Delivery(7, Recipient(0, "ann", "+14155550123", {}), {}, Progress(), refusal=refusal)
        tries = AttemptState() if tries is None else tries
        last = tries, self, Admission(self.ask, **more), LIMIT, lambda: self.now, since, attribute
        return Announcer(delivery, call, 2, "token", b"digest", *last)


def doubtful() -> AttemptState:
    tries = AttemptState(made=3)
    tries.begin(in_doubt=True)
    return tries
