"""Which columns of a list say who must not be written to, and for which rows.

The columns are those that the campaign names, those of a known program's export, and those that are found by their
names (`roles`). A column that looks like one of these and is not used is named to a person: no "no" is overlooked in
silence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import polars as pl

from bulk.errors import ListError
from bulk.loader.exports import Export, Kind, LeaveOut, cells
from bulk.loader.results import own_columns
from bulk.loader.roles import Role, role_of, spoken
from bulk.loader.rows import ReadSpec
from bulk.loader.verdicts import Asks, is_known, text
from bulk.model import Refusal
from bulk.text.identity import visible

_ASKS: dict[str, Asks] = {"weak": "consent", "status": "status", "consent": "consent"}
_REMEDY = "`opt_out_columns` and `consent_columns` under [list]"
Place = tuple[str, ...]
"""A column, or a member of its structs: its name, then theirs."""

_BORNE_OUT = 0.5  # how many of its filled cells must be words of consent, where the name of a column is weak


@dataclass(frozen=True, slots=True)
class Consent:
    """The rules by which rows of one kind of destination are left out.

    `unused` are columns that only look like such, `elsewhere` those that speak of other channels.
    """

    kind: Kind
    export: Export
    rules: tuple[LeaveOut, ...] = ()
    unused: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """The columns that are read for it."""
        channel = self.export.channel
        return {rule.column for rule in self.rules} | ({channel.column} if channel else set())

    def refusals(self, frame: pl.DataFrame) -> dict[int, Refusal]:
        """Return which rows of a frame are left out, and why: those of other channels before all."""
        channel = self.export.channel
        found = channel.others(frame, self.kind) if channel else {}
        for rule in self.rules:
            for row, why in rule.refusals(frame, self.kind):
                found.setdefault(row, why)
        return found

    @property
    def notes(self) -> list[str]:
        """What a person should know: what leaves rows out, and what looks as if it did."""
        names: dict[str, list[str]] = {}
        for rule in self.rules:
            if rule.said:
                names.setdefault(rule.telling, []).append(repr(rule.name))
        told = [f"{' or '.join(columns)} {telling}" for telling, columns in names.items()]
        said = [f"rows are left out where {', or '.join(told)} (to change that: {_REMEDY})"] if told else []
        if self.elsewhere:
            said.append(f"{_named(self.elsewhere, 'is', 'are')} about another channel, and not used here")
        return [*said, *self.warnings]

    @property
    def warnings(self) -> list[str]:
        """What looks as if it left rows out, and does not."""
        if not self.unused:
            return []
        alike = "looks like a column", "look like columns"
        are, it = ("is", "it") if len(self.unused) == 1 else ("are", "them")
        return [f"{_named(self.unused, *alike)} of opt-outs or consents, and {are} not used (to use {it}: {_REMEDY})"]


def consent_of(export: Export, head: pl.DataFrame, wanted: ReadSpec) -> Consent:
    """Find out which columns say who is not to be written to.

    `head` has the list's columns and first rows. Raise `ListError` where the campaign names a column in both senses.
    """
    opt_out, consent = wanted.opt_out_columns, wanted.consent_columns
    named = [LeaveOut((column,)) for column in opt_out or ()]
    named += [LeaveOut((column,), "consent") for column in _in_one_sense(consent or (), opt_out or ())]
    taken = {rule.column for rule in named}
    looking = dict(_looking(export, head, wanted))
    found = [_rule(place, role, head) for place, role in looking.items() if role.says != "alike"]
    unused = [place for place, role in looking.items() if role.says == "alike"]
    required = wanted.required_consent
    rules, elsewhere = (
        [*named, *([LeaveOut((required,), "consent", code="no_consent")] if required else [])],
        list[Place](),
    )
    for rule in (*export.leave_out, *found):
        if rule.column == required and rule.asks == "consent":
            continue
        if rule.code == "opted_out" and (rule.column in taken or _replaced(rule, wanted)):
            unused += [rule.place] if rule.said else []
        elif rule.kinds and not rule.kinds & {wanted.kind, wanted.channel}:
            elsewhere += [rule.place] if rule.code == "opted_out" and rule.asks in {"opt_out", "consent"} else []
        else:
            rules.append(rule)
    used = {rule.place for rule in rules} | {(column,) for column in taken}
    return Consent(wanted.kind, export, tuple(rules), _names(unused, used), _names(elsewhere, used))


def _replaced(rule: LeaveOut, wanted: ReadSpec) -> bool:
    """Whether the campaign itself says which columns there are of this sense."""
    return (wanted.consent_columns if rule.asks == "consent" else wanted.opt_out_columns) is not None


def _names(places: Iterable[Place], used: set[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(".".join(place) for place in places if place not in used))


def _named(names: Sequence[str], one: str, several: str) -> str:
    """Return the names, and the verb that fits them."""
    return f"{', '.join(map(repr, names))} {one if len(names) == 1 else several}"


def _in_one_sense(consent: Sequence[str], opt_out: Sequence[str]) -> Sequence[str]:
    both = [column for column in consent if column in opt_out]
    if both:
        raise ListError(f"[list] {both[0]!r} stands in opt_out_columns and in consent_columns: leave it in one of them")
    return consent


def _looking(export: Export, head: pl.DataFrame, wanted: ReadSpec) -> Iterator[tuple[Place, Role]]:
    """Yield the columns, and members of structs, whose names tell of consent; but those that are known otherwise."""
    others = (wanted.destination, wanted.key, wanted.country_column)
    known = {*export.silent, *(rule.column for rule in export.leave_out), *others, *own_columns(head.columns)}
    for column, kind in head.schema.items():
        for place in _places((column,), kind) if column not in known else ():
            role = role_of(" ".join(place))
            if role is not None:
                yield place, _borne_out(role, head, place)


def _places(place: Place, kind: pl.DataType) -> Iterator[Place]:
    """Yield a column, or the members of its structs."""
    if not isinstance(kind, pl.Struct):
        yield place
        return
    for member in kind.fields:
        yield from _places((*place, member.name), cast("pl.DataType", member.dtype))


def _borne_out(role: Role, head: pl.DataFrame, place: Place) -> Role:
    """Take a column whose name may mean something else for a consent only where its cells bear it out."""
    if role.says != "weak":
        return role
    found = [spoken(visible(said)) for said in map(text, cells(head, place)) if said]
    known = sum(map(is_known, found))
    return role if known and known >= _BORNE_OUT * len(found) else Role("alike", role.channels)


def _rule(place: Place, role: Role, head: pl.DataFrame) -> LeaveOut:
    """Return the rule that a column's name makes. One about bounces is of email where it names no channel."""
    bounce = role.says == "bounce"
    kinds = role.channels or frozenset({"email"} if bounce else ())
    rule = LeaveOut(place, _ASKS.get(role.says, "opt_out"), kinds=kinds, code="bounced" if bounce else "opted_out")
    seen = role.says != "status" or any(True for _ in rule.refusals(head, "phone"))
    return replace(rule, said=seen)
