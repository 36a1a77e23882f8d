"""Plans, progress, and runs as text for people. Values in, text out."""

import json
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bulk.cli import account, results_text
from bulk.cli.results_text import WIDTH
from bulk.model import mask, place_of
from bulk.run import progress_text
from bulk.text.outside import LIMIT
from bulk.text.plain import counted, duration, plain

if TYPE_CHECKING:
    from bulk.run.doubt_search import Settlement
    from bulk.run.plan import Plan, Preview
    from bulk.run.resolve import Resolution, UnknownRow
    from bulk.run.summary import Progress, Summary, VirtualTime

SHARES = 5  # parts of a whole that are named
STATUSES = ("sent", "skipped", "refused", "rejected", "unknown", "pending")


def counts(told: "Summary") -> str:
    """Return the counts of a run, in words."""
    numbers = {name: getattr(told, name) for name in STATUSES} | {"in doubt": told.in_doubt}
    numbers["unknown"] -= told.in_doubt
    some = ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)
    rehearsal = "REHEARSAL: " if told.rehearsal else ""
    return f"{rehearsal}{told.campaign}, run {told.run}: {counted(told.rows, 'row')}: {some or 'none'}"


def summary(told: "Summary") -> str:
    """Return the counts of a sending, and what it took, in words."""
    lines = [counts(told), f"{counted(told.calls, 'call')} in {duration(told.seconds)}, {told.throttled:,} throttled"]
    if told.sent_before:
        is_done = not (told.calls or told.pending or told.in_doubt)
        nothing = "nothing to do: " if is_done else ""
        until = f", the last at {told.last_sent}" if told.last_sent and is_done else ""
        were = "was" if told.sent_before == 1 else "were"
        lines.append(f"{nothing}{counted(told.sent_before, 'row')} {were} sent before{until}")
    elif not (told.calls or told.pending or told.in_doubt or told.halted):
        lines.append(
            "nothing to do: " + ("every row is left out" if told.skipped == told.rows else "no row can be sent")
        )
    if told.differs:
        lines.append(f"{told.differs:,} of them would get something else now; for that, give --run NEW")
    if told.virtual_time:
        lines.append(virtual_time(told.virtual_time))
    return "\n".join([*lines, *([f"results: {told.results}"] if told.results else [])])


def virtual_time(told: "VirtualTime") -> str:
    """Return when a rehearsal in virtual time would have ended, and how far that is from what the plan promised."""
    took = duration(told.real_seconds)
    said = f"virtual time: begun {told.began_at}, it would have ended {told.ended_at}; it took {took}"
    if told.planned_at is None or told.late is None:
        return said
    by = f"{abs(told.late):.1%} {'later' if told.late > 0 else 'sooner'} than planned" if told.late else "as planned"
    return f"{said}\nthe plan said {told.planned_at}: {by}"


def status(told: "Summary", sender: str | None, progress: "Progress | None" = None, now: float = 0.0) -> str:
    """Return where a run stands; and where its sender does, by what that has left."""
    lines = [counts(told), f"{counted(told.calls, 'call')} so far, {told.throttled:,} throttled"]
    if sender:
        lines = [counts(told), f"being sent by {sender}; rows not yet read from the list are not counted"]
        lines += [f"this pass: {progress_text.line(progress, now)}"] if progress else []
    lines += [f"halted: {told.halted}"] if told.halted else []
    return "\n".join(lines)


def plan(found: "Plan", width: int = WIDTH) -> str:
    """Return a plan, in words."""
    rows = counted(found.rows, "row")
    lines = [f"{found.campaign}, run {found.run}: {rows}, {found.sendable:,} to be sent by {found.channel}"]
    for reason in found.reasons:
        if reason.code:
            lines += results_text.reason(reason, width)
    if found.parts:
        lines.append(counted(found.parts, "SMS part"))
    for template, names in found.lacking.items():
        wanted = f"the message template {plain(template)} wants what the campaign does not give: "
        lines += textwrap.wrap(wanted + ", ".join(plain(name) for name in names), width, subsequent_indent="  ")
    lines += [f"{counted(count, 'call')} of {operation}" for operation, count in found.calls.items()]
    lines += [*_shares("countries", found.countries), *_shares("time zones", found.zones)]
    lines.append(f"at the campaign's rates this takes about {duration(found.seconds)}")
    if found.finishes_at:
        lines.append(f"begun now, it ends about {found.finishes_at[:16].replace('T', ' ')} UTC")
    lines += [*account.cost(found, width), *account.lines(found.account, width)]
    for note in found.notes:
        lines += textwrap.wrap(f"note: {plain(note[:LIMIT])}", width, subsequent_indent="  ")
    return "\n".join([*lines, *(f"\n{preview(one)}" for one in found.previews)])


def _shares(of: str, counts: Mapping[str, int]) -> list[str]:
    """Return the largest parts of a whole, in a line, in words."""
    largest = sorted(counts.items(), key=lambda item: -item[1])
    told = [f"{plain(name)} {count:,}" for name, count in largest[:SHARES]]
    if len(rest := largest[SHARES:]) == 1:
        told.append(f"{plain(rest[0][0])} {rest[0][1]:,}")
    elif rest:
        told.append(f"{len(rest):,} others {sum(count for _, count in rest):,}")
    return [f"{of}: {'; '.join(told)}"] if told else []


def preview(one: "Preview") -> str:
    """Show a message as it will look."""
    return "\n".join([f"{plain(one.place)} to {one.destination}:", *_indented(one.texts)])


def trial(told: Mapping[str, Any]) -> str:
    """Return the end of a test message, in words."""
    why = " ".join(filter(None, (told["error_code"], told["error_message"])))
    place = plain(place_of(told["row"], told["line"], told["file"]))
    return f"{place}, to {mask(told['destination'])}: {told['status']}" + (f": {plain(why)}" if why else "")


def _indented(texts: Mapping[str, Any]) -> list[str]:
    return [f"  {plain(line)}" for text in texts.values() for line in _shown(text).splitlines()]


def _shown(text: Any) -> str:
    """Return a text as it is, a message template with what fills it, and anything else as JSON."""
    if isinstance(text, str):
        return text
    if not (isinstance(text, dict) and text.get("MessageTemplateId")):
        return json.dumps(text, ensure_ascii=False, indent=2)
    lines = [f"message template {text['MessageTemplateId']}, knowledge base {text.get('KnowledgeBaseId')}"]
    for attributes in text.get("TemplateAttributes", {}).values():
        filled = attributes.items() if isinstance(attributes, dict) else []
        lines += [f"{name} = {value}" for name, value in filled]
    return "\n".join(lines)


def resolution(told: "Resolution") -> str:
    """Return what was decided, and list the rows that are unknown."""
    if told.asked:
        lines = [f"asked: {told.asked.found:,} found and sent, {told.asked.absent:,} not there and to be sent again"]
    else:
        lines = _decided(told)
    lines.append(f"{told.campaign}, run {told.run}: {counted(len(told.unknown), 'unknown row')}")
    return "\n".join([*lines, *(_unknown(one) for one in told.unknown)])


def _decided(told: "Resolution") -> list[str]:
    lines = [f"{counted(told.decided, 'row')}: {told.decision}"] if told.decision and told.decided else []
    if told.decision and not told.decided:
        lines.append("there was nothing to decide")
    return lines


def settlement(told: "Settlement") -> str:
    """Return why rows that were asked about are unknown still."""
    why = {
        "not found, and tried too short a time ago for that to count: ask again later": told.too_soon,
        "not found, and in doubt: the next `bulk send` asks under the token of before": told.to_settle,
        "sent without the attribute of [doubt], so they cannot be looked for": told.unmarked,
        "not found, but nothing shows that the attribute can be searched: is it listed as searchable in the "
        "instance (Contact search), and was anything of this instance sent with it?": told.unproven,
    }
    return "\n".join(f"{counted(rows, 'row')}: {reason}" for reason, rows in why.items() if rows)


def _unknown(one: "UnknownRow") -> str:
    place = "no longer in the list" if one.row is None else plain(place_of(one.row, one.line, one.file))
    key = f", key {results_text.brief(one.key)!r}" if one.key is not None else ""
    tried = one.tried_at.strftime(", tried %Y-%m-%d %H:%M:%S UTC") if one.tried_at else ""
    return f"  {place}{key}, to {one.destination}{tried}: {one.error_code}: {plain(one.error_message or '')}"
