"""A channel is one file and its line: with one that nobody has met, the whole program works. It …"""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import bulk
from bulk.channels import CHANNELS
from bulk.channels import sms as model
from bulk.cli import starters

PIGEON = r'''
from bulk.channels.channel import Lifetime, Starter
from bulk.model import Call

NAME, KIND = "pigeon-post", "phone"
LANDLINES, OUTBOUND, SEGMENTED = True, True, False
OPERATIONS = {"request": "StartOutboundChatContact", "return_flight": "StopContact"}
OPTIONAL = frozenset({"return_flight"})
DEFAULTS = {
    "request": {
        "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN"},
        "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "{{ loft }}"},
        "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
        "InitialSystemMessage": {"ContentType": "text/plain"},
    }
}
SUPPLIED = {"return_flight": frozenset({"ContactId"})}
DESTINATION = ("request", "DestinationEndpoint.Address")
SENDER = "SourceEndpoint.Address"
TEXTS = ("InitialSystemMessage.Content",)
TEMPLATE = None
LIFETIME = Lifetime("ChatDurationInMinutes", usual=90, longest=600)
TOKENS = {}
STARTER = Starter(
    what="A pigeon",
    tables="""
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
DestinationEndpoint.Address = {destination}
InitialSystemMessage.Content = {text}
[return_flight]
""",
    text="look up.",
    contacts="id,first_name,phone\n1,Ann,+442079460000\n2,Bo,+12065550102\n3,,+12065550103\n",
)


def exchange(parameters):
    started = yield Call(OPERATIONS["request"], parameters["request"], opens=True, writes=True)
    if "return_flight" in parameters:
        contact = {"InstanceId": parameters["request"]["InstanceId"], "ContactId": started["ContactId"]}
        yield Call(OPERATIONS["return_flight"], {**parameters["return_flight"], **contact}, optional=True, ends=True)
    return started["ContactId"]
'''


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("pigeon", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter of a channel that is one file and its line."""
    (tmp_path / "pigeon.py").write_text(PIGEON)
    channel = loaded(tmp_path / "pigeon.py")
    assert {name for name in dir(channel) if name.isupper()} >= {name for name in dir(model) if name.isupper()}
    monkeypatch.setitem(CHANNELS, channel.NAME, channel)
    paths = list(starters.write(channel.NAME, tmp_path / "post"))
    assert [path.name for path in paths] == ["campaign.toml", "contacts.csv"]
    return paths[0]


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def read(path: Path) -> str:
    return path.read_text()


async def test_it_has_a_starter_that_is_checked_sent_and_reported(begun: Path, tmp_path: Path) -> None:
    plan = await bulk.check(begun, sandbox=True)
    assert (plan.channel, plan.sendable, plan.parts) == ("pigeon-post", 3, 0)
    assert plan.calls == {"StartOutboundChatContact": 3, "StopContact": 3}
    assert plan.previews[0].texts == {"InitialSystemMessage.Content": "Hi Ann, look up."}
    run = await bulk.send(begun, sandbox=True, rate=500)
    assert (run.summary.channel, run.summary.sent, run.summary.calls) == ("pigeon-post", 3, 6)
    page = await bulk.report(begun, tmp_path / "report.html", sandbox=True)
    assert "pigeon-post" in read(page)


@pytest.mark.parametrize("capped", ["pigeon-post", "any"])
async def test_it_has_a_cap_of_its_own_and_counts_in_the_cap_over_all(begun: Path, capped: str) -> None:
    add(begun, f'\n[caps]\n{capped} = {{ at_most = 1, within = "1d" }}\n')
    first = await bulk.send(begun, sandbox=True, rate=500, run_id="first", state_dir=begun.parent)
    again = await bulk.send(begun, sandbox=True, rate=500, run_id="again", state_dir=begun.parent)
    assert (first.summary.sent, again.summary.skipped) == (3, 3)
    assert set(again.results()["error_code"]) == {"capped"}


async def test_its_tables_are_known_and_nothing_else_is(begun: Path) -> None:
    edit(begun, "[return_flight]", "[return_fligth]")
    with pytest.raises(bulk.CampaignError, match=r"return_fligth: no such key. Did you mean 'return_flight'\?"):
        await bulk.check(begun, sandbox=True)


async def test_its_tables_are_of_no_other_channel(begun: Path) -> None:
    edit(begun, '"pigeon-post"', '"sms"')
    with pytest.raises(bulk.CampaignError, match=r"\[return_flight\] is for pigeon-post; the channel is sms"):
        await bulk.check(begun, sandbox=True)


async def test_a_cap_of_a_channel_that_there_is_not_names_the_nearest(begun: Path) -> None:
    add(begun, '\n[caps]\npigeonpost = { at_most = 1, within = "1d" }\n')
    with pytest.raises(bulk.CampaignError, match=r"\[caps\] pigeonpost: no such key. Did you mean 'pigeon-post'\?"):
        await bulk.check(begun, sandbox=True)
