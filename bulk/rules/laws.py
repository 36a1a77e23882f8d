"""The windows of laws, by region: data in a file, with its sources and its date (`us.toml`)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import pydantic
from pydantic import Field

from bulk.campaign import WeekTable
from bulk.campaign.types import Table
from bulk.errors import CampaignError
from bulk.rules.hours import ALWAYS, Week, both, week_of

_SHIPPED = Path(__file__).parent


class Windows(WeekTable):
    """The windows of a region, and who says so."""

    sources: tuple[str, ...] = ()
    note: str | None = None


class LawTable(Table):
    """A file of laws. `country` holds everywhere in it; `unclear` where the region within it is unknown."""

    title: str
    applies_to: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    reviewed: date
    sources: Mapping[str, str] = Field(default_factory=dict)
    country: Windows
    unclear: Windows
    regions: Mapping[str, Windows] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Law:
    """The laws of one country as weeks. `reviewed` is when somebody last held them against their sources."""

    title: str
    applies_to: str
    reviewed: date
    everywhere: Week
    unclear: Week
    regions: Mapping[str, Week]

    def week(self, region: str | None) -> Week:
        """Return the week of a region; the careful one where it is unknown, all of it in another country."""
        if region is None or region == self.applies_to:
            return self.unclear
        if region.partition("-")[0] != self.applies_to:
            return ALWAYS
        return self.regions.get(region, self.everywhere)


def law(name: str, folder: Path) -> Law:
    """Read laws: a name that ships, such as `us`, or a file of one's own (`….toml`) beside the campaign.

    Raises `CampaignError`.
    """
    own = name.endswith(".toml")
    if not own and name not in shipped():
        raise CampaignError(_no_such(name))
    path = folder / name if own else _SHIPPED / f"{name}.toml"
    try:
        return _law(LawTable(**tomllib.loads(path.read_text("utf-8"))))
    except OSError as error:
        raise CampaignError(f"[hours] rules: {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CampaignError(f"[hours] rules: {name}: not TOML: {error}") from None
    except pydantic.ValidationError as error:
        raise CampaignError("\n".join(f"[hours] rules: {name}: {said}" for said in _said(error))) from None


def shipped() -> list[str]:
    """Name the laws that ship."""
    return sorted(file.stem for file in _SHIPPED.glob("*.toml"))


def _law(table: LawTable) -> Law:
    everywhere = week_of(table.country)
    return Law(
        table.title,
        table.applies_to,
        table.reviewed,
        everywhere,
        both(everywhere, week_of(table.unclear)),
        {region: both(everywhere, week_of(windows)) for region, windows in table.regions.items()},
    )


def _no_such(name: str) -> str:
    known = ", ".join(f'"{known}"' for known in shipped())
    return f'[hours] rules: no rules {name!r} ship; there are {known}, and files of your own: "my-rules.toml"'


def _said(error: pydantic.ValidationError) -> list[str]:
    """Return each violation as `regions.US-FL.every_day: what is wrong`."""
    said = ((".".join(str(part) for part in trouble["loc"]), trouble) for trouble in error.errors(include_url=False))
    return [f"{where}: {str(trouble['msg']).removeprefix('Value error, ')}" for where, trouble in said]
