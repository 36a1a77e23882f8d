"""The rules of a campaign for one row at the moment of sending: go, wait, or leave it out."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Self

from bulk.campaign import Campaign
from bulk.ledger import Connection, Ledger, RunFacts
from bulk.loader import ContactList, alpha_2
from bulk.loader.locality import locality
from bulk.loader.own_list import OwnList
from bulk.loader.suppression import Suppression
from bulk.model import Recipient, Refusal
from bulk.request import Rendering, TemplateFailed, compile_template, rendering
from bulk.rules import Locality, Rules, Wait, Written

Judged = Wait | Refusal | None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a campaign says of when and how often, fitted to its list: the rules, and where a row's own word stands."""

    rules: Rules
    suppression: Suppression
    zone_column: str | None = None
    expires: Rendering | None = None
    read_by_expires: frozenset[str] = frozenset()

    @property
    def active(self) -> bool:
        """Whether there is anything to judge."""
        return self.rules.active or bool(len(self.suppression))

    def place(self, recipient: Recipient) -> Locality:
        """Return where a recipient may be."""
        return locality(recipient.destination, recipient.cells[self.zone_column] if self.zone_column else None)

    @property
    def columns(self) -> Collection[str]:
        """The columns of the list that the rules read."""
        return self.read_by_expires | ({self.zone_column} if self.zone_column else set())


def eligibility_of(campaign: Campaign, contacts: ContactList, own: OwnList) -> Eligibility:
    """Fit the rules of a campaign to its list; `own` is the suppression list of the state directory.

    Raises `CampaignError` and `ListError`.
    """
    rules, table = Rules.of(campaign), campaign.contact_list
    known = contacts.recognised.time_zone if contacts.recognised else None
    zone = contacts.resolve(table.timezone_column) if table.timezone_column else known
    files = [campaign.folder / name for name in table.suppress]
    country = alpha_2(table.country) if table.country else None
    suppression = Suppression.open(files, kind=campaign.channel_facts.KIND, country=country, own=own)
    if not isinstance(rules.expires, str):
        return Eligibility(rules, suppression, zone)
    expires = compile_template(rules.expires, contacts.columns, where="expires")
    return Eligibility(
        rules, suppression, zone, rendering(expires, "expires", rules.expires), frozenset(expires.columns)
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges rows of one run.

    `began` is when the run did, `now` the time, both in Unix seconds. Where nothing goes out, nobody `waits`.
    """

    eligibility: Eligibility
    ledger: Ledger
    channel: str
    began: float
    now: Callable[[], float]
    waits: bool = True

    @classmethod
    def of(
        cls, eligibility: Eligibility, ledger: Ledger, facts: RunFacts, *, now: Callable[[], float], waits: bool
    ) -> Self:
        """Return the judge of a run, and make the ledger ready to be asked who was written to."""
        if eligibility.rules.limits:
            ledger.index_people()
        return cls(eligibility, ledger, facts.identity.channel, facts.started_at.timestamp(), now, waits)

    def __call__(self, recipient: Recipient, *, delivery: int = 0, caps: bool = True) -> Judged:
        """Judge one row now. What its own `delivery` may have sent does not count; without `caps`, no cap is asked."""
        if not self.eligibility.active:
            return None
        if suppressed := self.eligibility.suppression.refusal(recipient.destination or ""):
            return suppressed
        rules = self.eligibility.rules
        if not rules.active:
            return None
        place = self.eligibility.place(recipient)
        expires_at = self._expires_at(recipient, place)
        if isinstance(expires_at, Refusal):
            return expires_at
        written = self._written(recipient, delivery) if rules.limits and caps else None
        judged = rules.judge(place, now=self.now(), expires_at=expires_at, written=written)
        return None if isinstance(judged, Wait) and not self.waits else judged

    def _expires_at(self, recipient: Recipient, place: Locality) -> float | Refusal | None:
        try:
            word = self.eligibility.expires(recipient) if self.eligibility.expires else self.eligibility.rules.expires
        except TemplateFailed as failure:
            return Refusal("template_error", str(failure))
        return self.eligibility.rules.expiry(word, place, self.began)

    def capped(self, recipient: Recipient, delivery: int, inside: Connection, now: float) -> Refusal | None:
        """Return why a person has been written to often enough, as the transaction of a connection sees it."""
        return self.eligibility.rules.capped(self._written(recipient, delivery, inside), now)

    def _written(self, recipient: Recipient, delivery: int, inside: Connection | None = None) -> Written:
        to, written_to = recipient.destination or "", self.ledger.written_to
        return lambda channel, since: written_to(to, channel, since=since, but=delivery, inside=inside)
