"""The cost of a number of messages, with the price and its date."""

from dataclasses import dataclass
from typing import Any

from bulk.account.prices.table import Price, PriceTable


@dataclass(frozen=True, slots=True)
class Cost:
    """What messages come to. `price` is None where the table has none for this channel and Region."""

    table: PriceTable
    price: Price | None
    channel: str
    region: str | None
    messages: int = 0
    segments: int = 0

    @property
    def amount(self) -> float | None:
        """The sum, in the table's currency; None where no price is known."""
        return None if self.price is None else self.price.of(self.messages, self.segments)

    def sentences(self) -> list[str]:
        """Return the sum, the prices with their date and source, and what is not in it, in words."""
        where = f"{self.channel} in {self.region or 'this Region'}"
        if self.price is None or self.amount is None:
            return [f"no price is known for {where}: name a table with [budget] prices, or --prices FILE"]
        table, price, money = self.table, self.price, self.table.currency
        parts = [f"{self.messages:,} at {price.message:g} {money} a message"] if price.message else []
        parts += [f"{self.segments:,} at {price.segment:g} {money} a segment"] if price.segment else []
        doubt = "" if table.certain else " (uncertain)"
        said = [
            f"about {self.amount:,.2f} {money}: {' and '.join(parts) or 'nothing is charged'}, {where}",
            f"prices of {table.date}{doubt}: {table.source}",
        ]
        return [*said, *([f"not in it: {'; '.join(table.excluded)}"] if table.excluded else [])]

    def notes(self) -> list[str]:
        """Return the same as a note on what was sent; nothing for nothing."""
        if not self.messages:
            return []
        first, *others = self.sentences()
        return [f"What may have been accepted: {first}.", *(f"{one[:1].upper()}{one[1:]}." for one in others)]

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        price = self.price
        return {
            "amount": None if self.amount is None else round(self.amount, 6),
            "currency": self.table.currency,
            "messages": self.messages,
            "segments": self.segments,
            "per_message": price.message if price else None,
            "per_segment": price.segment if price else None,
            "channel": self.channel,
            "region": self.region,
            "date": self.table.date.isoformat(),
            "source": self.table.source,
            "certain": self.table.certain,
            "excluded": list(self.table.excluded),
        }
