"""A price table: a TOML file with its date, its source, and what it leaves out (`prices.toml`)."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from bulk.campaign.types import Table, brief
from bulk.errors import CampaignError

SHIPPED = Path(__file__).with_name("prices.toml")
LARGEST = 1_000_000  # bytes of a table
ANY = "*"

Amount = Annotated[float, Field(ge=0, le=1_000_000)]


class Price(Table):
    """What one channel costs in some Regions (`*`: in all others): for a message, and for each segment of an SMS."""

    channel: Annotated[str, Field(min_length=1)]
    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    message: Amount = 0.0
    segment: Amount = 0.0

    def of(self, messages: float, segments: float) -> float:
        """Return what so many messages of so many segments in all come to."""
        return messages * self.message + segments * self.segment


class PriceTable(Table):
    """Prices of a day, and who says so. `certain`: they were held against a bill, or are a contract's own."""

    title: str = ""
    date: date
    source: Annotated[str, Field(min_length=1)]
    certain: bool = True
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    excluded: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()

    def price(self, channel: str, region: str | None) -> Price | None:
        """Return the price of a channel in a Region, else the one for all others; None where there is none."""
        own = [one for one in self.prices if one.channel == channel]
        named = next((one for one in own if region in one.regions), None)
        return named or next((one for one in own if ANY in one.regions), None)


def load(path: Path | None = None) -> PriceTable:
    """Read a table, the shipped one where none is named. Raises `CampaignError` naming the file and what is wrong."""
    file = path or SHIPPED
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1).decode("utf-8-sig")
        if len(text) > LARGEST:
            raise CampaignError(f"{file}: larger than {LARGEST // 1000} kB, and no table of prices")
        return PriceTable(**tomllib.loads(text))
    except OSError as error:
        raise CampaignError(f"{file}: the prices cannot be read: {error.strerror}") from None
    except pydantic.ValidationError as error:
        raise CampaignError("\n".join(f"{file}: {said}" for said in map(_said, error.errors()))) from None
    except (ValueError, RecursionError) as error:
        raise CampaignError(f"{file}: not TOML: {error}") from None


def _said(trouble: Any) -> str:
    where = ".".join(map(str, trouble["loc"])) or "the file"
    if trouble["type"] == "missing":
        return f"{where}: is missing"
    if trouble["type"] == "extra_forbidden":
        return f"{where}: no such key"
    return f"{where}: {trouble['msg'].lower()}, not {brief(trouble['input'])}"
