"""A campaign and its list, opened together. Everything that can be known to be wrong is reported here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from bulk.campaign import Campaign, ListTable, load, placed
from bulk.errors import CampaignError
from bulk.ledger import RunIdentity, RunRecord
from bulk.loader import ContactList, Layout, ReadSpec
from bulk.loader.own_list import OwnList
from bulk.model import digest
from bulk.request import Request
from bulk.run.eligibility import Eligibility, eligibility_of
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.rates import Rates

Source = Campaign | Path | str
"""A campaign, or the path of its file."""


@dataclass(frozen=True, slots=True)
class RunRef:
    """A campaign and which run of it: enough to find the run in its ledger, whether or not its list is still there."""

    campaign: Campaign
    options: Options

    @property
    def instance(self) -> str:
        """The Amazon Connect instance that is written to."""
        return str(self.campaign.request.get("InstanceId", ""))

    def identity(self, endpoint: str, region: str) -> RunIdentity:
        """Name the run, and where it goes."""
        campaign = self.campaign
        return RunIdentity(campaign.name, self.options.run_id, campaign.channel, endpoint, region, self.instance)

    @property
    def state_dir(self) -> Path:
        """Where the ledger is. A rehearsal has a place of its own: run by run, or in a folder of what was named."""
        if self.options.state_dir is not None:
            return Path(self.options.state_dir) / "sandbox" if self.options.sandbox else Path(self.options.state_dir)
        home = self.campaign.folder / ".bulk"
        return home / "sandbox" / f"{self.campaign.name}-{self.options.run_id}" if self.options.sandbox else home

    @property
    def own_list(self) -> OwnList:
        """The suppression list of the state directory, which rehearsals honour as real runs do."""
        named = self.options.state_dir
        return OwnList(Path(named) if named is not None else self.campaign.folder / ".bulk")

    @property
    def list_path(self) -> Path | None:
        """Where the list is on this machine, None for frames, for lists elsewhere, and where none is named."""
        given = self.options.contacts if self.options.contacts is not None else self.campaign.contacts
        if not isinstance(given, str | Path) or "://" in str(given):
            return None
        return Path(given) if self.options.contacts is not None else self.campaign.folder / given

    @property
    def rates(self) -> Rates:
        """How fast its calls may go."""
        return Rates(self.campaign, self.options)

    @property
    def results_path(self) -> Path:
        """Where the results go. Those of a rehearsal have a name of their own."""
        name = f"{self.campaign.name}-{self.options.run_id}{'.sandbox' if self.options.sandbox else ''}.csv"
        return Path(self.options.results) if self.options.results else self.campaign.folder / "results" / name


@dataclass(frozen=True, slots=True)
class RunContext(RunRef):
    """A campaign with its list, its compiled request, and what the list is asked for."""

    contacts: ContactList
    request: Request
    wanted: ReadSpec
    eligibility: Eligibility

    @property
    def reader(self) -> ListReader:
        """What reads its list."""
        return ListReader(self.contacts, self.wanted)

    @property
    def notes(self) -> list[str]:
        """What a person should know before anything is sent: of the list, the rules, whom not to write to."""
        eligibility = self.eligibility
        return [
            *self.contacts.notes,
            *self.contacts.remarks(self.wanted),
            *self.request.texts.notes,
            *eligibility.rules.notes,
            *eligibility.suppression.notes,
            *eligibility.suppression.warnings,
        ]

    @property
    def wording(self) -> str:
        """What the messages are made of besides a row's cells, in 12 hex digits: another text is another wording."""
        return digest(dict(self.request.digests)).hex()[:12]

    @property
    def fixed(self) -> frozenset[str]:
        """The paths in `digests` that say who is reached and what names a row: a run never changes them."""
        names = ("key", "country", "country_column", "dedupe")
        return frozenset({".".join(self.campaign.channel_facts.DESTINATION), *(f"list.{name}" for name in names)})

    def as_recorded(self, record: RunRecord) -> Self:
        """Return the same with its list read as a run names its rows: see `ListReader.as_recorded`."""
        return replace(self, wanted=self.reader.as_recorded(record).spec)

    @property
    def warnings(self) -> list[str]:
        """Those of the notes that say whom nothing keeps from being written to."""
        unused = self.contacts.consent(self.wanted).warnings if self.wanted.leave_out else []
        return [*unused, *self.eligibility.suppression.warnings]

    @property
    def digests(self) -> Mapping[str, str]:
        """What the messages consist of, and who of the list says no: path in the campaign → short digest.

        No text is kept. The columns that say no are there as far as the campaign names them. Rules and suppression are
        asked as they stand at the moment, and are no part of it.
        """
        table = self.campaign.contact_list
        told = {f"list.{name}": getattr(table, name) for name in ("key", "country", "country_column", "dedupe")}
        if (mark := self.campaign.doubt.attribute) is not None:
            told["doubt.attribute"] = mark
        asked = ("opt_out_columns", "consent_columns")
        told |= {f"list.{name}": columns for name in asked if (columns := getattr(table, name)) is not None}
        return {**self.request.digests, **{path: digest(value).hex()[:12] for path, value in told.items()}}


def choose(source: Source, options: Options) -> RunRef:
    """Read a campaign without its list. Raises `CampaignError`."""
    return RunRef(source if isinstance(source, Campaign) else load(Path(source))[0], options)


def open_campaign(source: Source, options: Options) -> RunContext:
    """Open a campaign and its list. Raises `CampaignError` and `ListError`."""
    campaign, path, text = (source, None, "") if isinstance(source, Campaign) else (*_loaded(Path(source)),)
    table = campaign.contact_list
    layout = Layout(table.encoding, table.header_row, table.sheet, table.hidden_rows)
    contacts = ContactList.open(_contacts(campaign, options), format=table.format, layout=layout)
    try:
        request = _compiled(campaign, contacts)
        for named in _noted(campaign):
            contacts.resolve(named)
        eligibility = eligibility_of(campaign, contacts, RunRef(campaign, options).own_list)
    except CampaignError as error:
        if path is None:
            raise
        raise CampaignError(placed(str(error), path, text)) from None
    return RunContext(campaign, options, contacts, request, _wanted(campaign, request, eligibility), eligibility)


def _loaded(path: Path) -> tuple[Campaign, Path, str]:
    campaign, text = load(path)
    return campaign, path, text


def _contacts(campaign: Campaign, options: Options) -> Any:
    if options.contacts is not None:
        return options.contacts
    if campaign.contacts is None:
        raise CampaignError("no contact list: set `contacts` in the campaign, or give --contacts FILE")
    return campaign.contacts if "://" in campaign.contacts else campaign.folder / campaign.contacts


def _compiled(campaign: Campaign, contacts: ContactList) -> Request:
    channel = campaign.channel_facts
    return Request.compile(
        campaign.tables,
        channel.OPERATIONS,
        columns=contacts.columns,
        destination=channel.DESTINATION,
        supplied=channel.SUPPLIED,
        texts=channel.TEXTS,
    )


def _wanted(campaign: Campaign, request: Request, eligibility: Eligibility) -> ReadSpec:
    table = campaign.contact_list
    return ReadSpec(
        kind=campaign.channel_facts.KIND,
        destination=request.destination_column or request.destination,
        columns=request.columns.union(eligibility.columns),
        noted=frozenset(_noted(campaign)),
        key=table.key,
        country=table.country,
        country_column=table.country_column,
        allow_countries=_allowed(table),
        leave_out=campaign.channel_facts.OUTBOUND,
        landlines=campaign.channel_facts.LANDLINES,
        opt_out_columns=table.opt_out_columns,
        consent_columns=table.consent_columns,
        required_consent=campaign.consent.column if campaign.consent.required else None,
        channel=campaign.channel,
        dedupe=table.dedupe,
    )


def _noted(campaign: Campaign) -> list[str]:
    """Return the columns that are kept as proof of consent."""
    named = campaign.consent.column, campaign.consent.source, campaign.consent.at
    return [column for column in named if column]


def _allowed(table: ListTable) -> frozenset[str] | None:
    """Name the countries that may be written to: the campaign's own and those that it names; None for all.

    A guard against SMS pumping: a list that somebody else fills is no licence to write to the whole world.
    """
    own = frozenset({table.country} if table.country else ())
    return own.union(table.allow_countries) or None
