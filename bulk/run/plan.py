"""The plan: what a campaign would do to its list, found out without a call."""

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
from bulk.rules import Locality, Room
from bulk.run.characters import Characters
from bulk.run.context import RunContext
from bulk.run.cost import cost_of
from bulk.run.plan_html import plan_html
from bulk.run.target import FOREIGN, Target, target_of, warnings_of
from bulk.run.templates import TemplateUses
from bulk.text.plain import duration
from bulk.text.segments import is_unusual, parts

PREVIEWS = 3
ZONES = 4  # of the possible ones that are named


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


class DryRun:
    """Looks at messages instead of sending them, and folds what it sees into a plan."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._now = virtual_time.clock()
        self._room: Room | None = None
        self._paced = 0.0  # seconds, where the room decides
        self.call_counts = CallCounts()
        self.full: tuple[str, ...] = ()
        self._is_segmented = context.campaign.channel_facts.SEGMENTED
        self._places: dict[int, tuple[Locality, list[int]]] = {}
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
        plan = self.plan
        plan.sendable += 1
        texts = self._context.request.texts.of_row(parameters["request"])
        if self._is_segmented:
            for text in texts.values():
                took = parts(text)
                plan.parts += took
                if not text.isascii() and is_unusual(text):
                    self._characters.note(text, took)
        self.templates.note(parameters["request"])
        if len(self.foreign) < PREVIEWS:
            self._note_foreign(recipient, texts)
        self._note_place(self._context.eligibility.place(recipient))
        if len(plan.previews) < PREVIEWS:
            shown = texts or self._template(parameters)
            plan.previews.append(Preview(recipient.row, recipient.destination, shown, recipient.line, recipient.file))

    def _note_foreign(self, recipient: Recipient, texts: Mapping[str, Any]) -> None:
        """Note placeholders of other programs in a text that is ready to go out; each is told of once."""
        for text in texts.values():
            for found in FOREIGN.findall(text) if isinstance(text, str) else ():
                self.foreign.setdefault(found, place_of(recipient.row, recipient.line, recipient.file))

    def _template(self, parameters: Mapping[str, Parameters]) -> Mapping[str, Any]:
        """Return the message template of a row by its path, the whole request where there is none."""
        path, request = self._context.campaign.channel_facts.TEMPLATE, parameters["request"]
        template = at(request, *path.split(".")) if path else None
        return {path: template} if path and template else request

    def _note_place(self, place: Locality) -> None:
        """Count a place. Equal ones are mostly one object, which is found by its identity at a third of the cost."""
        known = self._places.get(id(place))
        if known is None:
            self._places[id(place)] = place, [1]
        else:
            known[1][0] += 1

    def finish(self, rows: int, results: Results) -> Plan:
        """Add up: the rows by reason, read from their results, and how long the rest will take."""
        reasons = Reasons()
        for ours, _ in results:
            reasons.note(ours, self._context.contacts.file_of)
        return self.add_up(rows, reasons)

    def add_up(self, rows: int, reasons: Reasons) -> Plan:
        """Add up: the rows by reason, and how long the rest will take."""
        plan = self.plan
        plan.rows, plan.reasons = rows, reasons.sorted()
        tables = self._context.campaign.tables
        operations = {
            table: name for table, name in self._context.campaign.channel_facts.OPERATIONS.items() if table in tables
        }
        plan.calls = dict.fromkeys(operations.values(), plan.sendable)
        plan.seconds = max((self._seconds(name) for name in plan.calls), default=0.0)
        texts = self._characters.sentences()
        plan.notes += [*self._context.notes, *texts, *self._context.rates.remarks(), *self._bound()]
        self._hold()
        self._where()
        plan.target = target_of(self._context)
        plan.warnings = [*self._warnings(plan.target)]
        plan.cost = cost_of(self._context, plan.sendable, plan.parts)
        return plan

    def _warnings(self, target: Target) -> Iterator[str]:
        yield from warnings_of(target, self._context.campaign.tables)
        yield from self._context.warnings
        for found, place in self.foreign.items():
            yield f"{place}: the text holds {found}, which goes out as it stands"

    def _seconds(self, operation: str) -> float:
        """Return how long the calls of an operation take (seconds). The operations run at once: the slowest decides."""
        return self._context.rates.limits(operation).duration_of(self.plan.sendable, self.plan.parts)

    def _bound(self) -> list[str]:
        """Return which limit of the campaign decides how long the slowest operation takes, if one does."""
        slowest = max(self.plan.calls, key=self._seconds, default=None)
        said = self._context.rates.bound(slowest, self.plan.sendable, self.plan.parts) if slowest else None
        return [said] if said else []

    def _hold(self) -> None:
        """Note when the instance is full of open contacts, and how much longer that makes it."""
        plan, limit = self.plan, self._context.rates.open_contacts()
        if limit is None or plan.sendable <= limit:
            return
        stays = self._context.rates.open_for()
        if plan.seconds * limit / plan.sendable < stays:
            plan.notes.append(
                f"after {limit:,} contacts the instance is full: each stays open for {duration(stays)} "
                "unless its flow ends it ([hold] open_contacts, open_for)"
            )
            self._room = Room(limit, stays)
            rounds, more = divmod(plan.sendable - 1, limit)
            self._paced = plan.seconds
            plan.seconds = max(plan.seconds, rounds * stays + plan.seconds * more / plan.sendable)

    def _where(self) -> None:
        """Note where the rows go, and when the last of them is sent if the first goes now."""
        plan, start = self.plan, self._now()
        countries, zones, places = Counter[str](), Counter[str](), Counter[Locality]()
        for place, (rows,) in self._places.values():
            places[place] += rows
        for place, rows in places.items():
            countries[(place.region or "unknown")[:2] if place.region else "unknown"] += rows
            zones[zones_of(place)] += rows
        plan.countries, plan.zones = dict(countries.most_common()), dict(zones.most_common())
        if plan.sendable and plan.seconds >= 0:
            seconds = plan.seconds if self._room is None else self._paced
            per_second = plan.sendable / seconds if seconds else float(plan.sendable)
            rules = self._context.eligibility.rules
            done = rules.finish_at(places, per_second=per_second, start=start, room=self._room)
            plan.finishes_at = datetime.fromtimestamp(done, UTC).isoformat(timespec="seconds")


def zones_of(place: Locality) -> str:
    """Name the possible zones, the first of many; they are unknown only where there is none."""
    if len(place.zones) <= ZONES:
        return " or ".join(place.zones) or "unknown"
    return " or ".join([*place.zones[: ZONES - 1], f"one of {len(place.zones) - ZONES + 1} others"])
