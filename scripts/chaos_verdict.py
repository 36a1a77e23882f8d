"""What the chaos test asks afterwards: the server first, then the results. Nothing here believes the program."""

import csv
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from chaos_trial import ContactList, Kind


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

    @classmethod
    def titles(cls) -> dict[str, str]:
        """Return what is counted in words, in the order in which it is shown."""
        return TITLES

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

    @classmethod
    def titles(cls) -> dict[str, str]:
        """Return what is counted in words: first what happened, then what must be 0."""
        every = {name: title for name, title in (TITLES | MORE).items() if name not in {"interrupts", "late"}}
        return dict(sorted(every.items(), key=lambda one: one[0] in cls.BAD))


MORE = {
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

    @classmethod
    def titles(cls) -> dict[str, str]:
        """Return what is counted in words: first what happened, then what must be 0."""
        left_out = {"interrupts", "late"}
        every = {name: title for name, title in (TITLES | ELSEWHERE).items() if name not in left_out}
        return dict(sorted(every.items(), key=lambda one: one[0] in cls.BAD))


ELSEWHERE = {
    "kills_unanswered": "… with calls announced in the copy and not answered",
    "kills_between_calls": "… with emails between two of their calls in the copy",
    "kills_before_a_call": "… with nothing left to do in the copy, or none yet",
    "lives": "lives, each with a disk of its own",
    "outages": "times S3 was gone for a moment",
    "turned_away": "second senders turned away (75)",
    "doubted": "rows that a death left in doubt, added up",
}


def judge(kind: Kind, contacts: ContactList, accepted: list[dict[str, Any]], results: Path) -> tuple[Figures, str]:
    """Compare what the list wanted, what the server accepted, and what the results say; tell what is wrong."""
    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found: list[tuple[str, str]] = []
    firsts = _firsts(contacts, rows, found)
    unknown = {key for key, row in firsts.items() if row["status"] == "unknown"}
    _at_the_server(kind, contacts, accepted, unknown, found)
    _in_the_results(contacts, firsts, _by_key(kind, accepted), found)
    counts = Counter(name for name, _ in found)
    figures = Figures(campaigns=1, rows=len(rows), unknown=len(unknown), **counts)
    return figures, "\n".join(f"{name}: {what}" for name, what in found)


def _firsts(
    contacts: ContactList, rows: list[dict[str, str]], found: list[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """Return the result of the first row of each key; rows and results must stand side by side, repeats as skipped."""
    if [row["key"] for row in rows] != [key for key, *_ in contacts.rows]:
        found.append(("wrong_results", "the results do not have the rows of the list"))
    firsts: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["key"] in firsts and row["status"] != "skipped":
            found.append(("wrong_results", f"row {row['row']} repeats {row['key']} and is {row['status']}"))
        firsts.setdefault(row["key"], row)
    return firsts


def _key(contact: dict[str, Any]) -> str:
    return str(contact["Parameters"]["Attributes"]["id"])


def _by_key(kind: Kind, accepted: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return what reached people: for a mail, the contacts whose mail was accepted."""
    reached: dict[str, list[dict[str, Any]]] = {}
    for contact in accepted:
        if contact["Mailed"] or kind.channel != "email":
            reached.setdefault(_key(contact), []).append(contact)
    return reached


def _at_the_server(
    kind: Kind, contacts: ContactList, accepted: list[dict[str, Any]], unknown: set[str], found: list[tuple[str, str]]
) -> None:
    reached = _by_key(kind, accepted)
    counted = [contact for contact in accepted if contact["Mailed"] or not kind.forgets]  # else drafts are many
    every = Counter(_key(contact) for contact in counted)
    found += [("doubled", f"{key} {count} times") for key, count in every.items() if count > 1]
    for contact in counted:
        key = _key(contact)
        if key not in contacts.wanted or contacts.wanted[key] == "refused":
            found.append(("strangers", f"{contact['ContactId']} of {key}"))
        mail = contact["Message"]
        if mail and mail["EmailMessage"]["RawMessage"]["Subject"] != f"Order {key}":
            found.append(("strangers", f"the draft of {key} got the mail of another row"))
        given_up = kind.tired and contacts.wanted.get(key) == "rejected"  # as may be the stop of its draft
        if key in unknown or given_up or contact["State"] == "ended":
            continue
        if kind.channel == "email" and not contact["Mailed"]:
            found.append(("drafts_left", f"{contact['ContactId']} of {key}"))
        elif kind.stops:
            found.append(("left_open", f"{contact['ContactId']} of {key}"))
    for key, wanted in contacts.wanted.items():
        if wanted == "sent" and key not in reached and key not in unknown:
            found.append(("lost", key))
        if wanted != "sent" and key in reached and key not in unknown:
            found.append(("strangers", f"{key} was to be {wanted}"))


def _in_the_results(
    contacts: ContactList,
    firsts: dict[str, dict[str, str]],
    reached: dict[str, list[dict[str, Any]]],
    found: list[tuple[str, str]],
) -> None:
    """Check the rows: a sent one has the server's contact id; an unknown one was tried; others end as they must."""
    for key, wanted in contacts.wanted.items():
        row = firsts.get(key, {"status": "missing", "contact_id": "", "attempts": "0"})
        ids = [contact["ContactId"] for contact in reached.get(key, [])]
        if row["status"] == "unknown":
            tried = int(row["attempts"]) > 0 or row["error_code"] == "token_expired"  # by a sender that died elsewhere
            right = tried and wanted != "refused"
        else:
            right = row["status"] == wanted and (ids == [row["contact_id"]] if wanted == "sent" else not ids)
        if not right:
            found.append(("wrong_results", f"{key} is {row['status']} {row['contact_id']}, wanted {wanted}, has {ids}"))


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
