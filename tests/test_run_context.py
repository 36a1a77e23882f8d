"""A campaign, which run of it, and its list opened together (`run.context`): it …"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import DRAFT, EMAIL, SMS

from bulk.campaign import Campaign
from bulk.errors import CampaignError, ListError
from bulk.model import digest
from bulk.run.context import RunContext, RunRef, choose, open_campaign
from bulk.run.options import Options

FRAME = pl.DataFrame(
    {"id": ["1"], "phone": ["+12065550100"], "email": ["a@example.com"], "key": ["1"], "name": ["Ann"], "zone": ["x"]}
)
HOME = Path("/campaigns/spring")


def campaign(**tables: Any) -> Campaign:
    return Campaign(**{"name": "spring", "channel": "sms", "request": SMS, "folder": HOME, **tables})


def ref(campaign_: Campaign | None = None, **options: Any) -> RunRef:
    return RunRef(campaign_ or campaign(), Options(**options))


def opened(contacts: pl.DataFrame = FRAME, **tables: Any) -> RunContext:
    return open_campaign(campaign(**tables), Options(contacts=contacts))


# What is bound to a run

PLAIN = {"list.key": None, "list.country": None, "list.country_column": None, "list.dedupe": "key"}


def short(value: Any) -> str:
    return digest(value).hex()[:12]


def test_remembers_by_digest_what_messages_consist_of_and_how_the_list_is_read() -> None:
    context = opened()
    assert context.digests == {**context.request.digests, **{path: short(value) for path, value in PLAIN.items()}}
    assert context.request.digests


@pytest.mark.parametrize(
    "tables, told",
    [
        ({"list": {"key": "id"}}, {"list.key": "id"}),
        ({"list": {"country": "US"}}, {"list.country": "US"}),
        ({"list": {"country_column": "zone"}}, {"list.country_column": "zone"}),
        ({"list": {"dedupe": "none"}}, {"list.dedupe": "none"}),
        ({"list": {"opt_out_columns": ["zone"]}}, {"list.opt_out_columns": ("zone",)}),
        ({"list": {"consent_columns": []}}, {"list.consent_columns": ()}),
        ({"doubt": {"attribute": "mark"}}, {"doubt.attribute": "mark"}),
    ],
)
def test_notices_a_change_of_how_the_list_is_read_or_what_marks_a_contact(
    tables: dict[str, Any], told: dict[str, Any]
) -> None:
    context = opened(**tables)
    expected = {path: short(value) for path, value in (PLAIN | told).items()}
    assert context.digests == {**context.request.digests, **expected}


def test_lets_no_change_be_accepted_of_who_is_reached_and_what_names_a_row() -> None:
    names = {"list.key", "list.country", "list.country_column", "list.dedupe"}
    assert opened().fixed == names | {"request.DestinationEndpoint.Address"}
    mails = opened(channel="email", request=EMAIL, create_contact=DRAFT)
    assert mails.fixed == names | {"request.DestinationEmailAddress.EmailAddress"}


def test_has_another_wording_for_another_text_and_the_same_for_another_list() -> None:
    context, wordings = opened(), set()
    assert context.wording == short(dict(context.request.digests))
    for text in ("Hi.", "Hello."):
        wordings |= {
            opened(list=table, request=SMS | {"InitialSystemMessage": {"Content": text}}).wording
            for table in ({}, {"key": "id"})
        }
    assert len(wordings) == 2


# What is asked of the list


def test_asks_of_the_list_what_the_campaign_says_of_it() -> None:
    context = opened(
        list={
            "key": "id",
            "country": "US",
            "country_column": "zone",
            "allow_countries": ["CA"],
            "opt_out_columns": ["name"],
            "consent_columns": ["email"],
            "dedupe": "none",
            "timezone_column": "zone",
        },
        consent={"column": "phone", "source": "id", "at": "name", "required": True},
        expires="{{ email }}",
    )
    assert asdict(context.wanted) == {
        "kind": "phone",
        "destination": "phone",
        "columns": frozenset({"phone", "name", "key", "zone", "email"}),
        "noted": frozenset({"phone", "id", "name"}),
        "key": "id",
        "country": "US",
        "country_column": "zone",
        "allow_countries": frozenset({"US", "CA"}),
        "leave_out": True,
        "opt_out_columns": ("name",),
        "consent_columns": ("email",),
        "required_consent": "phone",
        "channel": "sms",
        "landlines": False,
        "dedupe": "none",
        "naming": 2,
    }
    assert (context.reader.contacts, context.reader.spec) == (context.contacts, context.wanted)


def test_asks_nothing_of_the_list_that_the_campaign_does_not_say() -> None:
    wanted = opened(
        channel="email", request=EMAIL, create_contact=DRAFT, consent={"column": "name", "required": False}
    ).wanted
    assert (wanted.kind, wanted.destination, wanted.channel) == ("email", "email", "email")
    assert (wanted.allow_countries, wanted.required_consent, wanted.noted) == (None, None, frozenset({"name"}))


def test_renders_a_destination_that_is_more_than_a_column() -> None:
    to = {"DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+1{{ id }}"}}
    rendered = opened(request=SMS | to).wanted.destination
    assert callable(rendered)
    assert rendered({"id": "2065550100"}) == "+12065550100"


# What is wrong with it


def test_says_that_there_is_no_list() -> None:
    with pytest.raises(
        CampaignError, match=r"^no contact list: set `contacts` in the campaign, or give --contacts FILE$"
    ):
        open_campaign(campaign(), Options())


@pytest.mark.parametrize("name", ["column", "source", "at"])
def test_finds_a_column_of_consent_that_the_list_lacks(name: str) -> None:
    with pytest.raises(ListError, match="no column 'nothing'"):
        opened(consent={"column": "name", name: "nothing"})


def test_finds_a_column_that_expiry_names_and_the_list_lacks() -> None:
    with pytest.raises(CampaignError, match=r"^expires: "):
        opened(expires="{{ nothing }}")


def test_opens_a_list_of_one_column() -> None:
    request = SMS | {"InitialSystemMessage": {"Content": "Hi"}, "Attributes": {}}
    assert opened(FRAME.select("phone"), request=request).contacts.columns == ["phone"]


TOML = """\
name = "spring"
channel = "sms"
contacts = "people.txt"
[list]
format = "csv"
header_row = 2
[request]
InstanceId = "11111111-1111-4111-8111-111111111111"
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/3333"
InitialSystemMessage.Content = "Hi {{ WHO }}."
"""


def written(folder: Path, who: str) -> Path:
    (folder / "people.txt").write_text("People of spring\nphone,name\n+12065550100,Ann\n")
    (folder / "campaign.toml").write_text(TOML.replace("WHO", who))
    return folder / "campaign.toml"


def test_reads_a_campaign_with_its_list_beside_it_in_the_format_and_layout_that_it_says(tmp_path: Path) -> None:
    path = written(tmp_path, "name")
    context = open_campaign(path, Options())
    assert (context.campaign, context.options) == (choose(str(path), Options()).campaign, Options())
    assert (context.contacts.columns, context.contacts.count()) == (["phone", "name"], 1)
    assert context.list_path == tmp_path / "people.txt"


def test_takes_a_campaign_as_it_is() -> None:
    one, options = campaign(), Options(run_id="monday")
    assert choose(one, options) == RunRef(one, options)


def test_says_in_which_line_of_the_file_it_is_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, "nothing")
    with pytest.raises(CampaignError) as raised:
        open_campaign(path, Options())
    assert str(raised.value).startswith(f"{path}:11: ")
    assert raised.value.__cause__ is None
    with pytest.raises(CampaignError, match=r"^\[request\] InitialSystemMessage.Content"):
        opened(request=SMS | {"InitialSystemMessage": {"Content": "Hi {{ nothing }}"}})


# What a person should know


def test_tells_of_the_list_of_the_texts_of_the_rules_and_of_whom_not_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("phone\n+12065550199\n")
    context = opened(
        folder=tmp_path,
        purpose="transactional",
        hours={"rules": ["us"]},
        list={"suppress": ["stop.csv"]},
    )
    context.eligibility.suppression.warnings.append("a warning")
    parts = [
        context.contacts.notes,
        context.contacts.remarks(context.wanted),
        context.request.texts.notes,
        context.eligibility.rules.notes,
        context.eligibility.suppression.notes,
        ["a warning"],
    ]
    assert context.notes == [note for part in parts for note in part]
    assert len(context.notes) >= 3
    assert context.warnings == ["a warning"]
