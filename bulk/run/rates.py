"""The rate of an operation: from the option, the operation's table, the campaign, or AWS's default, in this order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bulk.campaign import Campaign, OperationPacing, Window
from bulk.operations import at
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Bucket, Limit, Limits, with_headroom
from bulk.pacing.sliding_window import SlidingWindow
from bulk.run.connections import bounded, limit
from bulk.run.options import Options

# "Amazon Connect service quotas", API throttling: 2 requests a second with a burst of 5 but for these.
DEFAULT = 2.0, 5
QUOTAS = {"StopContact": (10.0, 15)}

# "Amazon Connect service quotas": concurrent active chats, and emails, per instance. An SMS opens a chat.
DOCUMENTED_OPEN = {"phone": 500, "email": 1000}

_FILES = "{calls} calls at once, not more: the limit of open files is {files}. Raise it with `ulimit -n`"

IN_LOTS = 4  # times the calls in flight are rows under way whose calls workers make: lots and answers take time
AT_ONCE = 256  # calls in flight at most where nothing is said: 250 a second at a latency of a second


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast the calls of a campaign may go, by what it says and what the options say instead."""

    campaign: Campaign
    options: Options

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations of the campaign's channel."""
        return tuple(self.campaign.channel_facts.OPERATIONS.values())

    @property
    def made(self) -> list[str]:
        """Those of them that the campaign makes for each row."""
        operations = self.campaign.channel_facts.OPERATIONS.items()
        return [name for table, name in operations if table in self.campaign.tables]

    def quota(self, operation: str) -> tuple[float, int]:
        """Return the rate (a second) and burst that an operation is taken to have at the service."""
        rate, burst = self._said(operation)
        documented, usual = QUOTAS.get(operation, DEFAULT)
        if isinstance(rate, tuple):
            steady = _steady(rate)
            if steady is None:
                return max(documented, min(window.calls / window.span for window in rate)), burst or usual
            return steady.calls, steady.burst or burst or usual
        return documented if rate in (None, "auto") else float(rate), burst or usual

    def at_once(self) -> int:
        """Return how many calls may be in flight, as far as the system lets files be open.

        In a rehearsal both ends of a connection are this process's own.
        """
        return bounded(self.wanted_at_once(), files=2 if self.options.sandbox else 1)

    def wanted_at_once(self) -> int:
        """Return how many calls may be in flight where the system has nothing against it."""
        return self.options.at_once or self.campaign.pacing.at_once or AT_ONCE

    def rows_at_once(self) -> int:
        """Return how many rows may be under way: more than calls where these wait in lots for their workers."""
        return self.at_once() * (IN_LOTS if self.options.cluster else 1)

    def is_auto(self, operation: str) -> bool:
        """Whether the rate of an operation is to be learned: where no rate a second is said, but others may be."""
        rate, _ = self._said(operation)
        return rate == "auto" or (isinstance(rate, tuple) and _steady(rate) is None)

    def limiter(self, operation: str, guess: float | None = None) -> AdaptiveLimiter:
        """Return the limiter of an operation: within its rates and bursts, and learning what is `auto`.

        A configured rate is a ceiling: it gives way where others use the account too. `guess` is where learning begins.
        """
        first, share = self._granted(operation), self.options.rate_share
        own = first.per_second
        estimator = (
            RateEstimator(guess * share if guess else own) if self.is_auto(operation) else RateEstimator(own, own)
        )
        return AdaptiveLimiter(first, estimator, Limits(self._besides(operation)))

    def limits(self, operation: str) -> Limits:
        """Return the limits of an operation: first that of the service, then those that the campaign has besides."""
        return Limits([self._granted(operation), *self._besides(operation)])

    def permitted(self, rows: int) -> float:
        """Return how many seconds so many rows take at least, with no burst left; 0 where that is not known."""
        if self.options.dry_run:
            return 0.0
        bounds = [(self.limits(name), self._granted(name).burst) for name in self.made if not self.is_auto(name)]
        return max((bound.duration_of(rows + burst, rows) for bound, burst in bounds), default=0.0)

    def remarks(self) -> list[str]:
        """Return what a person should know of it: what bounds or replaces it, this host's part, what is learned."""
        share = self.options.rate_share
        rates = {name: f"{name} {self.quota(name)[0] * share:.3g} a second" for name in self.made}
        learned = [rate for name, rate in rates.items() if self.is_auto(name)]
        return [
            *self._replaced(),
            *([] if self.at_once() == self.wanted_at_once() else [_FILES.format(calls=self.at_once(), files=limit())]),
            *(
                [f"--rate-share {share:.3g}: the part of this host is {', '.join(rates.values())}"]
                if share != 1
                else []
            ),
            *([f"the rate is learned, beginning at {', '.join(learned)}, or where it was last"] if learned else []),
        ]

    def bound(self, operation: str, calls: int, parts: int) -> str | None:
        """Return which limit besides the service's own decides how long so many calls take; None where none does."""
        first, *others = self.limits(operation)
        seconds = {limit: Limits([limit]).duration_of(calls, parts) for limit in (first, *others)}
        slowest = max(seconds, key=lambda limit: seconds[limit])
        if seconds[slowest] <= seconds[first]:
            return None
        if isinstance(slowest, Bucket) and slowest.of_parts:
            who, what = "[pacing] parts_per_second", f"{parts:,} parts at {slowest.per_second:g} a second"
        else:
            who, what = "a window of [pacing]", slowest.name
            what = f"{slowest.calls:,} calls {what}" if isinstance(slowest, SlidingWindow) else what
        return f"{who} decides how long it takes: {what}"

    def _replaced(self) -> list[str]:
        """Return what of the campaign's pacing an option takes the place of besides the key of its own name."""
        pacing, options = self.campaign.pacing, self.options
        own, is_segmented = pacing.operations.items(), self.campaign.channel_facts.SEGMENTED
        rates = [
            *(["its windows"] if isinstance(pacing.rate, tuple) else []),
            *([f"parts_per_second = {pacing.parts_per_second:g}"] if pacing.parts_per_second and is_segmented else []),
            *(f"the rate of [pacing.{name}]" for name, table in own if table.rate is not None),
        ]
        bursts = [
            *(["the bursts of its windows"] if isinstance(pacing.rate, tuple) and not options.rate else []),
            *(f"the burst of [pacing.{name}]" for name, table in own if table.burst or isinstance(table.rate, tuple)),
        ]
        rate = options.rate if isinstance(options.rate, str) else f"{options.rate or 0:g}"
        said = ((options.rate, f"--rate {rate}", rates), (options.burst, f"--burst {options.burst}", bursts))
        return [
            f"{option} takes the place of what [pacing] says besides: {', '.join(replaced)}"
            for given, option, replaced in said
            if given and replaced
        ]

    def room(self, operation: str) -> int | None:
        """Return how many contacts may be open, for the operation that opens them; None where that is unbounded."""
        opens = next(iter(self.campaign.channel_facts.OPERATIONS.values())) == operation
        return self.campaign.hold.open_contacts if opens else None

    def open_contacts(self) -> int | None:
        """Return how many contacts may be open as far as a plan can know: in virtual time, as many as with AWS.

        None where that is unbounded, or each contact is ended when its message is sent.
        """
        said = self.campaign.hold.open_contacts
        if "StopContact" in self.made:
            return None
        return DOCUMENTED_OPEN[self.campaign.channel_facts.KIND] if said is None and self.options.virtual_time else said

    def open_for(self) -> float:
        """Return how long a contact stays open, in seconds: as said, else as the request says, else as AWS has it.

        Where each row says it for itself, that is the longest that a row may say.
        """
        said = self.campaign.hold.open_for
        if said is not None:
            return said
        lifetime = self.campaign.channel_facts.LIFETIME
        minutes = [table[lifetime.member] for table in self.campaign.tables.values() if table.get(lifetime.member)]
        return 60.0 * (_minutes(minutes[0], lifetime.longest) if minutes else lifetime.usual)

    def _granted(self, operation: str) -> Bucket:
        """Return this host's part of the service's own limit."""
        (per_second, burst), share = self.quota(operation), self.options.rate_share
        return with_headroom(per_second * share, max(1, int(burst * share)))

    def _besides(self, operation: str) -> Iterator[Limit]:
        """Yield the limits that the campaign has besides: its further windows, and that of its number."""
        rate, _ = self._said(operation)
        windows = rate if isinstance(rate, tuple) else ()
        for window in windows:
            if window is not _steady(windows):
                yield from _of_window(window, self.options.rate_share, self.quota(operation)[1])
        yield from self._parts()

    def _parts(self) -> list[Bucket]:
        """Return the limit of the number that the messages come from. An option that says the rate says it for all."""
        per_second = self.campaign.pacing.parts_per_second
        if per_second is None or self.options.rate or not self.campaign.channel_facts.SEGMENTED:
            return []
        source = at(self.campaign.tables["request"], *self.campaign.channel_facts.SENDER.split("."))
        ours = per_second * self.options.rate_share
        return [Bucket(ours, max(1, round(ours)), of_parts=True, name=f"parts from {source}")]

    def _said(self, operation: str) -> tuple[float | Literal["auto"] | tuple[Window, ...] | None, int | None]:
        """Return rate and burst as they are said for an operation: options, else its own table, else the campaign's."""
        pacing, options = self.campaign.pacing, self.options
        own = pacing.operations.get(operation, OperationPacing())
        rate = options.rate or own.rate or pacing.rate
        if options.burst and isinstance(rate, tuple):
            rate = tuple(_with_burst(window, options.burst) for window in rate)
        return rate, options.burst or own.burst or pacing.burst


def _minutes(said: Any, most: int) -> int:
    return int(said) if str(said).strip().isdecimal() else most


def _with_burst(window: Window, burst: int) -> Window:
    """Return a window with another burst, where it has one: all that a long window allows may go at once."""
    return window.model_copy(update={"burst": burst}) if window.burst or window.per_second else window


def _steady(windows: Sequence[Window]) -> Window | None:
    """Return the window that says the service's own rate: the first of those that count by the second."""
    return next((window for window in windows if window.per_second), None)


def _of_window(window: Window, share: float, burst: int) -> Iterator[Limit]:
    """Yield the limits that a further window makes: of a span longer than a second, all that it allows may go at once.

    Unless it has a burst of its own: then no more than that, and the rest evenly.
    """
    calls, span = window.calls * share, window.span
    if span > 1:
        whole = max(1, int(calls))
        yield SlidingWindow(whole, span * max(1.0, whole / calls), name=f"in {span:g} s")
    if span == 1 or window.burst:
        most = max(1, int((window.burst or burst) * share))
        yield Bucket(calls / span, most, name=f"{window.calls:g} in {span:g} s, {most} at once")
