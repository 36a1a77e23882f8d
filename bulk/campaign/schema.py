"""The tables of a campaign: their keys and the types of their values.

What stands in `[request]` and its sisters belongs to AWS and is judged by `request` against the API's model.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import Field, StringConstraints, model_validator

from bulk.campaign.budget import BudgetTable
from bulk.campaign.consent import ConsentTable
from bulk.campaign.destination import AtTable
from bulk.campaign.doubt_table import DoubtTable, check_doubt
from bulk.campaign.messages import messages_of, nearest
from bulk.campaign.pacing_table import Pacing
from bulk.campaign.rule_tables import CapsTable, Expiry, HoursTable
from bulk.campaign.track_table import TrackTable
from bulk.campaign.types import Count, Duration, Table
from bulk.channels import CHANNELS, Channel
from bulk.errors import CampaignError

FileName = Annotated[str, StringConstraints(min_length=1, strip_whitespace=False)]  # a name with its spaces
_TOLD = 20  # troubles that are named at once


class ListTable(Table):
    """How the list is to be read."""

    key: str | None = None
    format: str = "auto"
    encoding: str | None = None
    header_row: Count | None = None
    sheet: Annotated[str, Field(min_length=1)] | Annotated[int, Field(strict=True, gt=0)] | None = None
    hidden_rows: Literal["skip", "read"] | None = None
    country: str | None = None
    country_column: str | None = None
    allow_countries: tuple[str, ...] = ()
    timezone_column: str | None = None
    dedupe: Literal["key", "destination", "none"] = "key"
    suppress: tuple[FileName, ...] = ()
    opt_out_columns: tuple[str, ...] | None = None
    consent_columns: tuple[str, ...] | None = None
    opt_out_list: str | None = None
    ses_suppression: bool = False


class Hold(Table):
    """How many contacts the instance may have open, and how long one stays open."""

    open_contacts: Count | None = None
    open_for: Duration | None = None


class Retry(Table):
    """When to give a call up. `replay_within`: how long a token is used again where AWS promises nothing."""

    attempts: Count = 5
    longest_wait: Duration = 20.0
    replay_within: Duration = 3600.0


class StopTable(Table):
    """When the run halts by itself, and how long calls in flight may take to end."""

    same_error_in_a_row: Count = 20
    failure_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    grace: Duration = 30.0


class Campaign(Table):
    """What is to be sent, to whom, and at what pace. Raises `CampaignError` where it is wrong.

    `[request]` and the `further` tables of the channel hold parameters in AWS's own names; any string in them may be a
    Jinja template over the columns of the list. `folder` is what relative paths start from, `files` are those that it
    was read from.
    """

    GATHERED: ClassVar = "further"

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=100)]
    channel: str
    contacts: FileName | None = None
    purpose: Literal["marketing", "transactional"] | None = None
    expires: Expiry = None
    contact_list: ListTable = Field(default_factory=ListTable, alias="list")
    at: AtTable = Field(default_factory=AtTable)
    request: Mapping[str, Any] = Field(default_factory=dict)
    pacing: Pacing = Field(default_factory=Pacing)
    hold: Hold = Field(default_factory=Hold)
    retry: Retry = Field(default_factory=Retry)
    stop: StopTable = Field(default_factory=StopTable)
    doubt: DoubtTable = Field(default_factory=DoubtTable)
    hours: HoursTable = Field(default_factory=HoursTable)
    caps: CapsTable = Field(default_factory=CapsTable)
    budget: BudgetTable = Field(default_factory=BudgetTable)
    consent: ConsentTable = Field(default_factory=ConsentTable)
    track: TrackTable = Field(default_factory=TrackTable)
    further: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    folder: Path = Field(default_factory=Path.cwd, exclude=True)
    files: tuple[Path, ...] = Field(default=(), exclude=True)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except pydantic.ValidationError as error:
            troubles = messages_of(error, type(self))
            more = [f"and {len(troubles) - _TOLD:,} more"] if len(troubles) > _TOLD else []
            raise CampaignError("\n".join([*troubles[:_TOLD], *more])) from None

    @classmethod
    def gathered(cls) -> Collection[str]:
        """Return the tables besides [request] that any channel has."""
        tables = (table for channel in CHANNELS.values() for table in channel.OPERATIONS if table != "request")
        return dict.fromkeys(tables).keys()

    @classmethod
    def load(cls, path: Path | str) -> "Campaign":
        """Read a campaign file. Raises `CampaignError` naming file, line, key and remedy."""
        from bulk.campaign.file import load  # noqa: PLC0415 - the reader of the file needs this class

        return load(path)[0]

    @pydantic.field_validator("channel")
    @classmethod
    def _known(cls, channel: str) -> str:
        if channel not in CHANNELS:
            raise ValueError(f"no channel {channel!r}; there are {', '.join(CHANNELS)}{nearest(channel, CHANNELS)}")
        return channel

    @model_validator(mode="after")
    def _tables_of_the_channel(self) -> Self:
        for table in self.further:
            if table not in self.channel_facts.OPERATIONS:
                having = ", ".join(name for name, channel in CHANNELS.items() if table in channel.OPERATIONS)
                raise ValueError(f"[{table}] is for {having}; the channel is {self.channel}")
        check_doubt(self.doubt, self.channel_facts, self.request)
        return self

    @model_validator(mode="after")
    def _pace_of_operations_that_are_made(self) -> Self:
        known = [*self.channel_facts.OPERATIONS.values()]
        for name in self.pacing.operations:
            if name not in known:
                raise ValueError(f"[pacing.{name}] is no operation of {self.channel}; there are {', '.join(known)}")
        return self

    @property
    def channel_facts(self) -> Channel:
        """The channel itself."""
        return CHANNELS[self.channel]

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The parameters by table, the channel's defaults merged under what the campaign says."""
        said = {"request": self.request, **self.further}
        return {
            table: _merged(self.channel_facts.DEFAULTS.get(table, {}), said.get(table, {}))
            for table in self.channel_facts.OPERATIONS
            if table in said or table not in self.channel_facts.OPTIONAL
        }


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what is said over what is usual. An empty text or null says nothing: AWS CLI skeletons are full of them."""
    merged = {**under, **{name: value for name, value in over.items() if value not in ("", None) or name not in under}}
    for name in under.keys() & over.keys():
        if isinstance(under[name], Mapping) and isinstance(over[name], Mapping):
            merged[name] = _merged(under[name], over[name])
    return merged
