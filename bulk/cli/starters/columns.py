"""Which columns of a list its starter campaign uses, found by their names and their cells."""

from dataclasses import dataclass

from bulk.channels import CHANNELS
from bulk.errors import CampaignError
from bulk.loader import Candidate, ContactList, Kind, alpha_2

_WORDS: dict[Kind, str] = {"phone": "phone numbers", "email": "email addresses"}


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """A channel, and the columns that it uses; `candidates` may all hold its destinations."""

    channel: str
    destination: str
    candidates: tuple[Candidate, ...] = ()
    key: str | None = None
    country: str | None = None
    time_zone: str | None = None
    first_name: str | None = None

    @property
    def kind(self) -> Kind:
        """What its destinations are."""
        return CHANNELS[self.channel].KIND

    def __str__(self) -> str:
        columns = {
            "destination": self.destination,
            "key": self.key,
            "country": self.country,
            "time zone": self.time_zone,
            "first name": self.first_name,
        }
        return ", ".join(f"{what} {column!r}" for what, column in columns.items() if column is not None)

    @property
    def others(self) -> str:
        """The other columns that may hold its destinations, in words; empty where there are none."""
        shown = ", ".join(str(one) for one in self.candidates)
        return f"columns of {_WORDS[self.kind]}: {shown}; --column NAME takes another" if self.candidates[1:] else ""


def check_channel(name: str) -> None:
    """Raise `CampaignError` where there is no channel of this name."""
    if name not in CHANNELS:
        raise CampaignError(f"no channel {name!r}; there are {', '.join(CHANNELS)}")


def fitted(contacts: ContactList, channel: str | None = None, column: str | None = None) -> ColumnChoice:
    """Find a list's columns for a channel. One that is None is told by the columns, as is the destination's.

    Raise `CampaignError`: no such channel, or no column that holds destinations.
    """
    if channel is not None:
        check_channel(channel)
    named = contacts.resolve(column) if column is not None else None
    channel = channel or _channel(contacts, named)
    kind, meaning = CHANNELS[channel].KIND, contacts.meaning
    found = contacts.candidates(kind)
    destination = named or next((one.column for one in found), None)
    if destination is None:
        listed = ", ".join(contacts.columns[:20])
        trouble = f"no column holds {_WORDS[kind]}, by its name or its cells; it has {listed}"
        raise CampaignError(f"{contacts.name}: {trouble}: rename one, or name it: --column NAME")
    country = meaning.country if kind == "phone" and _countries(contacts, meaning.country) else None
    key = meaning.key if _names_rows(contacts, meaning.key) and meaning.key != destination else None
    return ColumnChoice(channel, destination, tuple(found), key, country, meaning.time_zone, meaning.first_name)


def _channel(contacts: ContactList, column: str | None) -> str:
    """Return the first channel to phone numbers where the list has them and no addresses, else the first to these."""
    numbers, addresses = contacts.candidates("phone"), contacts.candidates("email")
    if column is not None:
        numbers, addresses = ([one for one in found if one.column == column] for found in (numbers, addresses))
    kind = "phone" if numbers and not addresses else "email"
    return next(name for name, channel in CHANNELS.items() if kind == channel.KIND)


def _countries(contacts: ContactList, column: str | None) -> bool:
    """Whether a column names countries, and not dial codes or the like."""
    cells = [cell for cell in contacts.first(column) if cell] if column else []
    return sum(alpha_2(cell) is not None for cell in cells) * 2 > len(cells)


def _names_rows(contacts: ContactList, column: str | None) -> bool:
    """Whether a column is filled in for every row, and differently."""
    cells = contacts.first(column) if column else []
    return bool(cells) and all(cells) and len(set(cells)) == len(cells)
