"""What the chaos tests count, and the table of it."""

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(slots=True)
class Figures:
    """What is counted. What `BAD` names must be 0."""

    BAD: ClassVar[tuple[str, ...]] = (
        *("lost", "doubled", "strangers", "drafts_left", "left_open", "wrong_results", "late"),
    )

    campaigns: int = 0
    rows: int = 0
    kills: int = 0
    kills_unanswered: int = 0
    kills_between_calls: int = 0
    kills_before_a_call: int = 0
    interrupts: int = 0
    lists_changed: int = 0
    calls: int = 0
    accepted: int = 0
    replayed: int = 0
    throttled: int = 0
    dropped: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    strangers: int = 0
    drafts_left: int = 0
    left_open: int = 0
    wrong_results: int = 0
    late: int = 0

    def add(self, other: "Figures") -> None:
        """Add another campaign's."""
        for one in fields(other):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    MORE: ClassVar[dict[str, str]] = {}
    """Titles of what a kind of these figures counts besides, or counts otherwise."""

    @classmethod
    def titles(cls) -> dict[str, str]:
        """Return what is counted in words, in the order in which it is shown.

        Where something else fails besides, what must be 0 comes last, and nothing is told of interrupts.
        """
        if not cls.MORE:
            return TITLES
        every = {name: title for name, title in (TITLES | cls.MORE).items() if name not in {"interrupts", "late"}}
        return dict(sorted(every.items(), key=lambda one: one[0] in cls.BAD))

    @property
    def bad(self) -> int:
        """Count what must not be."""
        return sum(getattr(self, name) for name in self.BAD)


TITLES = {
    "campaigns": "campaigns brought to their end",
    "rows": "rows",
    "kills": "kills (SIGKILL)",
    "kills_unanswered": "… with calls announced and not answered",
    "kills_between_calls": "… with emails between two of their calls",
    "kills_before_a_call": "… before the first call, or after the last",
    "interrupts": "interrupts (SIGTERM, SIGINT)",
    "lists_changed": "lists sorted anew or longer after a kill",
    "calls": "calls received by the server",
    "accepted": "… accepted",
    "replayed": "… recognised by their token",
    "throttled": "… throttled",
    "dropped": "… lost on the line, before or after acceptance",
    "failed": "… answered with another error",
    "unknown": "rows `unknown` at the end",
    "lost": "rows lost",
    "doubled": "rows doubled",
    "strangers": "contacts without a row",
    "drafts_left": "drafts left over",
    "left_open": "contacts not stopped as asked",
    "wrong_results": "rows whose result is not what the server has",
    "late": "calls started after an interrupt",
}


@dataclass(slots=True)
class LineFigures(Figures):
    """What is counted besides, where clocks, disks, credentials and proxies fail."""

    BAD: ClassVar[tuple[str, ...]] = *Figures.BAD, "charged", "codes", "tracebacks"

    lives: int = 0
    ended: int = 0
    no_starts: int = 0
    halts: int = 0
    clocks: int = 0
    disks: int = 0
    keys: int = 0
    proxies: int = 0
    turned_away: int = 0
    behind_the_clock: int = 0
    beyond_the_token: int = 0
    charged: int = 0
    codes: int = 0
    tracebacks: int = 0


LineFigures.MORE = {
    "lives": "lives",
    "ended": "… that ended by themselves",
    "no_starts": "… with exit code 2: no call left",
    "halts": "… with exit code 3",
    "clocks": "times the clock was set forward or back",
    "disks": "times the disk was full or broke",
    "keys": "times no credentials were to be had",
    "proxies": "times the proxy failed",
    "turned_away": "requests not let in: keys that had expired, a wrong clock, a page in between",
    "behind_the_clock": "rows `unknown`: in doubt when the clock was set back",
    "beyond_the_token": "rows `unknown`: in doubt for longer than the token lives",
    "charged": "rows charged with a trouble that was not theirs",
    "codes": "exit codes that say something else than what happened",
    "tracebacks": "tracebacks",
}


@dataclass(slots=True)
class RemoteFigures(Figures):
    """What is counted besides, where the state is in S3 and the disk dies with the program."""

    lives: int = 0
    outages: int = 0
    turned_away: int = 0
    doubted: int = 0


RemoteFigures.MORE = {
    "kills_unanswered": "… with calls announced in the copy and not answered",
    "kills_between_calls": "… with emails between two of their calls in the copy",
    "kills_before_a_call": "… with nothing left to do in the copy, or none yet",
    "lives": "lives, each with a disk of its own",
    "outages": "times S3 was gone for a moment",
    "turned_away": "second senders turned away (75)",
    "doubted": "rows that a death left in doubt, added up",
}


def table(columns: dict[str, Figures]) -> str:
    """Return the figures as a table, a column for each kind of campaign and one for all."""
    total = type(next(iter(columns.values())))()
    for figures in columns.values():
        total.add(figures)
    shown = {**columns, "all": total}
    lines = [["", *shown], ["---", *("--:" for _ in shown)]]
    for name, title in total.titles().items():
        bold = "**{}**" if name in total.BAD else "{}"
        lines.append([bold.format(title), *(bold.format(f"{getattr(f, name):,}") for f in shown.values())])
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
