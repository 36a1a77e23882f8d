"""The plan: what a campaign would do with its list, found out without a call."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from bulk.account import Finding, State
from bulk.account.prices import Cost
from bulk.delivery.attempts import CallCounts
from bulk.model import Delivery, Outcome, Parameters, Recipient, Status, place_of
from bulk.operations import at
from bulk.pacing import virtual_time
from bulk.reports import Reason, Reasons
from bulk.reports.results import Results
from bulk.rules import CAPPED, Course, Room, course, course_in_room
from bulk.run.characters import Characters
from bulk.run.context import RunContext
from bulk.run.cost import cost_of
from bulk.run.expected_rows import ExpectedRows, country_of, zones_of
from bulk.run.plan_html import plan_html
from bulk.run.target import FOREIGN, Target, target_of, warnings_of
from bulk.run.templates import TemplateUses
from bulk.text.plain import counted, duration
from bulk.text.segments import is_unusual, parts

PREVIEWS = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """One message as it will look: the texts that the person reads, else the message template, else the request.

    `row`, `line` and `file` say where its row stands (see `Recipient`).
    """

    row: int
    destination: str | None
    texts: Mapping[str, Any]
    line: int | None = None
    file: str = ""

    @property
    def place(self) -> str:
        """Where the row stands, in words."""
        return place_of(self.row, self.line, self.file)


@dataclass(slots=True)
class Plan:
    """What would be sent. `seconds` is how long that takes at the campaign's rates; `parts` are of SMS, else 0.

    `finishes_at` is when that is done if it begins now (ISO 8601), sending hours included; `countries` and `zones`
    count rows by where they go, as far as that is known. `target` is where it goes, `warnings` what looks wrong.
    `lacking` has the attributes that a message template wants and the campaign does not give, by the template's id.
    `account` is what was found of the AWS account, where it was asked; `cost` what is to be sent comes to,
    `over_budget` by what that exceeds the budget.
    """

    campaign: str
    run: str
    channel: str
    rows: int = 0
    sendable: int = 0
    parts: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    finishes_at: str | None = None
    countries: dict[str, int] = field(default_factory=dict)
    zones: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    target: Target | None = None
    reasons: list[Reason] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    account: list[Finding] = field(default_factory=list)
    cost: Cost | None = None
    over_budget: str | None = None

    @property
    def is_impossible(self) -> bool:
        """Whether a sending could not be begun, or not be ended: for the account, or for the budget."""
        return self.over_budget is not None or any(one.state is State.WRONG for one in self.account)

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        told = asdict(replace(self, cost=None))
        return {**told, "cost": self.cost.as_dict() if self.cost else None}

    def _repr_html_(self) -> str:
        return plan_html(self)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's protocol
        printer.text(f"<Plan of {self.campaign}, run {self.run}: {self.sendable:,} of {self.rows:,} rows to send>")


def _may_be_foreign(text: str) -> bool:
    """Whether a text has a character that placeholders of other programs have: most have none."""
    return "{" in text or "%" in text or "*|" in text or "<<" in text


class DryRun:
    """Looks at messages instead of sending them, and folds what it sees into a plan."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._now = virtual_time.clock()
        self.call_counts = CallCounts()
        self.full: tuple[str, ...] = ()
        self._is_segmented = context.campaign.channel_facts.SEGMENTED
        self._rows = ExpectedRows(context.eligibility.rules.limits)
        self._characters = Characters()
        self.templates = TemplateUses(context.campaign.channel_facts.TEMPLATE)
        self.foreign: dict[str, str] = {}
        self.plan = Plan(context.campaign.name, context.options.run_id, context.campaign.channel)

    def probes_in(self) -> dict[str, float]:
        """Return nothing: nobody waits."""
        return {}

    async def deliver(self, delivery: Delivery) -> Outcome:
        """Look at one delivery: it stays pending."""
        self.look(delivery.recipient, delivery.parameters)
        return Outcome(Status.PENDING)

    def look(self, recipient: Recipient, parameters: Mapping[str, Parameters]) -> None:
        """Note a row that would be sent."""
        plan, row_parts = self.plan, 0
        texts = self._context.request.texts.of_row(parameters["request"])
        if self._is_segmented:
            for text in texts.values():
                took = parts(text)
                row_parts += took
                if not text.isascii() and is_unusual(text):
                    self._characters.note(text, took)
        self.templates.note(parameters["request"])
        if len(self.foreign) < PREVIEWS and any(map(_may_be_foreign, texts.values())):
            self._note_foreign(recipient, texts)
        self._rows.note(self._context.eligibility.place(recipient), recipient.destination, row_parts)
        if len(plan.previews) < PREVIEWS:
            shown = texts or self._template(parameters)
            plan.previews.append(Preview(recipient.row, recipient.destination, shown, recipient.line, recipient.file))

    def _note_foreign(self, recipient: Recipient, texts: Mapping[str, Any]) -> None:
        """Note placeholders of other programs in a text that is ready to go out; each is named once."""
        for text in texts.values():
            for found in FOREIGN.findall(text):
                self.foreign.setdefault(found, place_of(recipient.row, recipient.line, recipient.file))

    def _template(self, parameters: Mapping[str, Parameters]) -> Mapping[str, Any]:
        """Return the message template of a row by its path, the whole request where there is none."""
        path, request = self._context.campaign.channel_facts.TEMPLATE, parameters["request"]
        return {path: template} if path and (template := at(request, *path.split("."))) else request

    def finish(self, rows: int, results: Results) -> Plan:
        """Add up: the rows by reason, read from their results, and how long the rest will take."""
        reasons = Reasons()
        for ours, _ in results:
            reasons.note(ours, self._context.contacts.file_of)
        return self.add_up(rows, reasons)

    def add_up(self, rows: int, reasons: Reasons) -> Plan:
        """Add up: the rows by reason, and how long the rest will take."""
        plan = self.plan
        if capped := self._rows.leave_out(self._course):
            reasons.count(Status.PENDING, None, -capped)
            reasons.count(Status.SKIPPED, CAPPED, capped)
            plan.notes.append(f"[caps] leaves out {counted(capped, 'row')}: this run will write to them before")
        plan.rows, plan.reasons = rows, reasons.sorted()
        plan.sendable, plan.parts = len(self._rows), self._rows.parts
        plan.calls = dict.fromkeys(self._operations(), plan.sendable)
        texts = self._characters.sentences()
        plan.notes += [*self._context.notes, *texts, *self._context.rates.remarks(), *self._bound()]
        self._time()
        self._where()
        plan.target = target_of(self._context)
        plan.warnings = [*self._warnings(plan.target)]
        plan.cost = cost_of(self._context, plan.sendable, plan.parts)
        return plan

    def _operations(self) -> list[str]:
        channel, tables = self._context.campaign.channel_facts, self._context.campaign.tables
        return [name for table, name in channel.OPERATIONS.items() if table in tables]

    def _warnings(self, target: Target) -> Iterator[str]:
        yield from warnings_of(target, self._context.campaign.tables)
        yield from self._context.warnings
        for found, place in self.foreign.items():
            yield f"{place}: the text holds {found}, which goes out as it stands"

    def _seconds(self, operation: str) -> float:
        """Return how long the calls of an operation take (seconds). The operations run at once: the slowest decides."""
        return self._context.rates.limits(operation).duration_of(len(self._rows), self._rows.parts)

    def _bound(self) -> list[str]:
        """Return which limit of the campaign decides how long the slowest operation takes, if one does."""
        slowest = max(self.plan.calls, key=self._seconds)
        said = self._context.rates.bound(slowest, self.plan.sendable, self.plan.parts)
        return [said] if said else []

    def _paced(self) -> float:
        """Return how long the calls take by their pace alone (seconds)."""
        return max(self._seconds(name) for name in self._operations())

    def _room(self) -> Room | None:
        """Return the room for open contacts, where it decides how long the run takes."""
        limit, rows = self._context.rates.open_contacts(), len(self._rows)
        if limit is None or rows <= limit:
            return None
        stays = self._context.rates.open_for()
        return Room(limit, stays) if self._paced() * limit / rows < stays else None

    def _course(self) -> Course:
        """Return how far the run will be at which time if it begins now."""
        rows, paced, room = self._rows, self._paced(), self._room()
        hours, start = self._context.eligibility.rules.hours, self._now()
        per_second = len(rows) / paced if paced > 0 else float(len(rows) or 1)
        if room is not None:
            return course_in_room(hours, room, rows.order, rows.localities, per_second=per_second, start=start)
        return course(hours, rows.stretches(), per_second=per_second, start=start)

    def _time(self) -> None:
        """Note how long it takes, when the instance is full of open contacts, and when the last row is sent."""
        plan, room = self.plan, self._room()
        plan.seconds = paced = self._paced()
        if room is not None:
            plan.notes.append(
                f"after {room.limit:,} contacts the instance is full: each stays open for {duration(room.open_for)} "
                "unless its flow ends it ([hold] open_contacts, open_for)"
            )
            rounds, more = divmod(plan.sendable - 1, room.limit)
            plan.seconds = max(paced, rounds * room.open_for + paced * more / plan.sendable)
        if plan.sendable:
            done = self._course().end
            plan.finishes_at = datetime.fromtimestamp(done, UTC).isoformat(timespec="seconds")

    def _where(self) -> None:
        """Note where the rows go."""
        plan, countries, zones = self.plan, Counter[str](), Counter[str]()
        for place, rows in self._rows.places.items():
            countries[country_of(place)] += rows
            zones[zones_of(place)] += rows
        plan.countries, plan.zones = dict(countries.most_common()), dict(zones.most_common())
