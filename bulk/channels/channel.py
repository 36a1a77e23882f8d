"""What a channel is: its facts, and the conversation that reaches one recipient."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bulk.model import Exchange, Parameters


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a contact stays open, in minutes, where nobody ends it.

    The request says so in `member`, up to the `longest`; where it does not, it is the `usual` time.
    """

    member: str
    usual: int
    longest: int


@dataclass(frozen=True, slots=True)
class Starter:
    """What `bulk init` writes: a list to try the channel with, as CSV, and the tables of its operations, as TOML.

    `what` is what each row gets, in words. In the `tables`, `{destination}` and `{first_name}` stand for columns,
    `{text}` for a greeting before the `text`, and each of the `columns` for that column of the list, or for what stands
    here where the list has none of that name.
    """

    what: str
    tables: str
    contacts: str
    text: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """All that is known of a channel; nothing else in the program asks which channel it is."""

    @property
    def NAME(self) -> str:
        """Its name in campaigns, on the command line and among the examples."""

    @property
    def KIND(self) -> Literal["phone", "email"]:
        """What its destinations are."""

    @property
    def LANDLINES(self) -> bool:
        """Whether it reaches phone numbers of fixed lines."""

    @property
    def OUTBOUND(self) -> bool:
        """Whether a message goes out to the person: only then does it matter who opted out or consented."""

    @property
    def SEGMENTED(self) -> bool:
        """Whether its texts are sent, counted and paid in the segments of an SMS."""

    @property
    def OPERATIONS(self) -> Mapping[str, str]:
        """Table of the campaign file → operation, in the order of the calls. The first opens the contact."""

    @property
    def OPTIONAL(self) -> Collection[str]:
        """The tables that a campaign may leave out."""

    @property
    def DEFAULTS(self) -> Mapping[str, Parameters]:
        """Table → parameters merged under what the campaign says."""

    @property
    def SUPPLIED(self) -> Mapping[str, Collection[str]]:
        """Table → members that the channel fills in from earlier replies."""

    @property
    def DESTINATION(self) -> tuple[str, str]:
        """Table and dotted path of the member that holds the destination."""

    @property
    def SENDER(self) -> str:
        """Dotted path in [request] of the number or address of ours."""

    @property
    def TEXTS(self) -> tuple[str, ...]:
        """Dotted paths in [request] of what the person will read, where the campaign itself holds it."""

    @property
    def TEMPLATE(self) -> str | None:
        """Dotted path in [request] of the message template that may take the place of its texts."""

    @property
    def LIFETIME(self) -> Lifetime:
        """How long its contacts stay open."""

    @property
    def TOKENS(self) -> Mapping[str, float]:
        """Operation → seconds for which AWS promises to recognise a `ClientToken`; without it, nothing is promised."""

    @property
    def STARTER(self) -> Starter:
        """What `bulk init` writes."""

    def exchange(self, parameters: Mapping[str, Parameters]) -> Exchange:
        """Reach one recipient: the parameters of each table, rendered and checked."""
