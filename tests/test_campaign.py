"""The campaign file, checked before anything moves: it …"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.campaign import Campaign, Window, load, seconds
from bulk.campaign.locations import line_of
from bulk.errors import CampaignError

SMS = 'name = "reminder"\nchannel = "sms"\n'
EMAIL = 'name = "letter"\nchannel = "email"\n'

Load = Callable[[str], Campaign]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Load a campaign that holds this text."""

    def of(text: str) -> Campaign:
        path = tmp_path / "campaign.toml"
        path.write_text(text, "utf-8")
        return load(path)[0]

    return of


@pytest.fixture
def troubles(loaded: Load, tmp_path: Path) -> Callable[[str], str]:
    """Load a campaign that is wrong, and give what is said of it, its folder left out."""

    def of(text: str) -> str:
        with pytest.raises(CampaignError) as raised:
            loaded(text)
        return str(raised.value).replace(f"{tmp_path}/", "")

    return of


NO_RATE = 'is no rate; write a number of calls per second, "auto", or a list of windows'
NO_DURATION = "is no duration; write a number of seconds, or 90s, 2h30m, 7d"


@pytest.mark.parametrize(
    "text, said",
    [
        (SMS + 'contcts = "x"', "3: contcts: no such key. Did you mean 'contacts'?"),
        (SMS + '[list]\nkee = "id"', "4: [list] kee: no such key. Did you mean 'key'?"),
        (SMS + 'list = { kee = "id" }', "3: [list] kee: no such key. Did you mean 'key'?"),
        (SMS + 'list.kee = "id"', "3: [list] kee: no such key. Did you mean 'key'?"),
        (SMS + "[pacing]\nbrust = 3", "4: [pacing] brust: no such key. Did you mean 'burst'?"),
        (SMS + '"pacing"."brust" = 3', "3: [pacing] brust: no such key. Did you mean 'burst'?"),
        (
            SMS + "\n# words\n[pacing]\n\nrate = 2 # a second\nbrust = 3",
            "8: [pacing] brust: no such key. Did you mean 'burst'?",
        ),
        (EMAIL + "[pacing.CreateContact]\nrte = 3", "4: [pacing.CreateContact] rte: no such key. Did you mean 'rate'?"),
        (SMS + "[hold]\nxyz = 3", "4: [hold] xyz: no such key; there are open_contacts, open_for"),
        (SMS + 'folder = "/tmp"', "3: folder: no such key; paths are relative to the campaign file"),
        (
            SMS + "[pacing.CreateContact]\nrate = 3",
            "3: [pacing.CreateContact] is no operation of sms; there are StartOutboundChatContact",
        ),
        ('channel = "sms"', " name: is missing"),
        ('name = "a"', " channel: is missing"),
        ('name = "A b"\nchannel = "sms"', "1: name: takes small letters a-z, digits and - only, not 'A b'"),
        (
            'name = "a"\nchannel = "smss"',
            "2: channel: no channel 'smss'; there are sms, whatsapp, email, inbound-email. Did you mean 'sms'?",
        ),
        ('name = "a"\nchannel = "fax"', "2: channel: no channel 'fax'; there are sms, whatsapp, email, inbound-email"),
        (SMS + "[stop_contact]", "3: [stop_contact] is for email; the channel is sms"),
        (SMS + "[create_contact]\nChannel = 'EMAIL'", "3: [create_contact] is for email; the channel is sms"),
        (SMS + "[pacing]\nburst = 0", "4: [pacing] burst: should be greater than 0, not 0"),
        (
            SMS + "[pacing]\nburst = 'many'",
            "4: [pacing] burst: should be a whole number, not 'many'",
        ),
        (SMS + "[pacing]\nrate = 'fast'", f"4: [pacing] rate: 'fast' {NO_RATE}"),
        (SMS + "[pacing]\nrate = 0", f"4: [pacing] rate: 0 {NO_RATE}"),
        (SMS + "[pacing]\nrate = -1.5", f"4: [pacing] rate: -1.5 {NO_RATE}"),
        (SMS + "[pacing]\nrate = nan", f"4: [pacing] rate: nan {NO_RATE}"),
        (SMS + "[pacing]\nrate = true", f"4: [pacing] rate: true {NO_RATE}"),
        (SMS + "[pacing]\nrate = []", f"4: [pacing] rate: [] {NO_RATE}"),
        (
            SMS + "[pacing]\nrate = [{ per_second = 2, per_day = 9 }]",
            "4: [pacing] rate: a window has one of per_second, per_minute, per_hour and per_day",
        ),
        (
            SMS + "[pacing]\nrate = [{ per_secnd = 2 }]",
            "4: [pacing.rate] per_secnd: no such key. Did you mean 'per_second'?",
        ),
        (SMS + "[pacing]\nrate = [{ per_day = -2 }]", "4: [pacing.rate] per_day: should be greater than 0, not -2"),
        (SMS + "[retry]\nlongest_wait = 'soon'", f"4: [retry] longest_wait: 'soon' {NO_DURATION}"),
        (SMS + "[stop]\ngrace = -1", f"4: [stop] grace: -1 {NO_DURATION}"),
        (SMS + "[stop]\nfailure_share = 2.0", "4: [stop] failure_share: should be less than or equal to 1, not 2.0"),
        (SMS + "[list]\ndedupe = 'all'", "4: [list] dedupe: should be 'key', 'destination' or 'none', not 'all'"),
        (SMS + "list = 'x'", "3: list: should be a table, not 'x'"),
        (SMS + "request = [1]", "3: request: should be a table, not [1]"),
        (SMS + "purpose = 'fun'", "3: purpose: should be 'marketing' or 'transactional', not 'fun'"),
        (SMS + f"contacts = [{'1, ' * 50}]", f"3: contacts: should be text, not [{'1, ' * 18}1,…"),
    ],
)
def test_a_wrong_campaign_is_told_with_its_line_and_the_remedy(
    troubles: Callable[[str], str], text: str, said: str
) -> None:
    assert re.sub(r"\s+", " ", troubles(text)) == f"campaign.toml:{said}"


def test_all_that_is_wrong_is_told_at_once(troubles: Callable[[str], str]) -> None:
    said = troubles('channel = "fax"\n[list]\nkee = 1\n[pacing]\nburst = 0\n')
    assert [line.partition(": ")[0] for line in said.splitlines()] == [
        "campaign.toml",
        "campaign.toml:1",
        "campaign.toml:3",
        "campaign.toml:5",
    ]


@pytest.mark.parametrize("text", ['name = "a', SMS + 'name = "b"', "contact,name\n1,2\n", "{}", "\x00"])
def test_what_is_no_toml_is_said_to_be_so_with_its_line(troubles: Callable[[str], str], text: str) -> None:
    assert re.match(r"campaign\.toml: not TOML: .*\(at (line \d+, column \d+|end of document)\)", troubles(text))


def test_a_file_that_is_not_utf8_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_bytes('name = "Zoë"'.encode("latin-1"))
    with pytest.raises(CampaignError, match=r"campaign\.toml: not UTF-8 \(byte 10\); save it as UTF-8"):
        load(path)


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMS.encode())
    assert load(path)[0].name == "reminder"


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"none\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "none.toml")
    with pytest.raises(CampaignError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_the_text_is_given_with_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "campaign.toml").write_text(SMS)
    assert load(str(tmp_path / "campaign.toml"))[1] == SMS


def test_paths_start_from_the_campaigns_folder(loaded: Load, tmp_path: Path) -> None:
    assert loaded(SMS).folder == tmp_path


# Where a key stands


@pytest.mark.parametrize(
    "names, line",
    [
        (["name"], 1),
        (["list", "key"], 5),
        (["request", "InitialSystemMessage", "Content"], 8),
        (["request", "InitialSystemMessage", "ContentType"], 8),  # nearest: the table that would hold it
        (["request", "Attributes", "id"], 9),
        (["request", "SegmentAttributes", "connect:Subtype", "ValueString"], 10),
        (["pacing", "rate"], 14),
        (["nothing"], None),
    ],
)
def test_a_key_is_found_where_the_file_spells_it(names: list[str], line: int | None) -> None:
    text = """name = "a" # = b
# key = "no"

[list]
key = "id"

[ request ]
InitialSystemMessage.Content = "Hi = [there]"
Attributes = { id = "{{ id }}" }
SegmentAttributes."connect:Subtype".ValueString = "connect:SMS"

# rate = 1
[pacing]
rate = 2
"""
    assert line_of(text, names) == line


# What the campaign sends


def test_the_channels_defaults_are_merged_under_the_request(loaded: Load) -> None:
    campaign = loaded(
        SMS + '[request]\nInstanceId = "i"\nInitialSystemMessage.Content = "Hi"\nDestinationEndpoint.Type = "VOIP"'
    )
    assert campaign.tables == {
        "request": {
            "InstanceId": "i",
            "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN"},
            "DestinationEndpoint": {"Type": "VOIP", "Address": "{{ phone }}"},
            "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
            "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi"},
        }
    }


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_value_does_not_override_a_default(nothing: str | None) -> None:
    request = {
        "SourceEndpoint": {"Type": nothing},
        "DestinationEndpoint": {"Type": nothing, "Address": nothing},
        "X": "",
    }
    merged = Campaign(name="a", channel="sms", request=request).tables["request"]
    assert merged["SourceEndpoint"] == {"Type": "CONNECT_PHONENUMBER_ARN"}
    assert merged["DestinationEndpoint"] == {"Type": "TELEPHONE_NUMBER", "Address": "{{ phone }}"}
    assert merged["X"] == ""


def test_an_optional_call_is_made_only_where_its_table_stands(loaded: Load) -> None:
    assert list(loaded(EMAIL).tables) == ["create_contact", "request"]
    assert list(loaded(EMAIL + "[stop_contact]").tables) == ["create_contact", "request", "stop_contact"]


def test_merging_leaves_the_channels_defaults_as_they_were(loaded: Load) -> None:
    before = loaded(SMS).tables
    loaded(SMS + '[request]\nSourceEndpoint.Type = "VOIP"').tables["request"]["SourceEndpoint"]["Address"] = "x"
    assert loaded(SMS).tables == before


# The request in a file of its own


@pytest.fixture
def requested(loaded: Load, tmp_path: Path) -> Callable[[str, str], Mapping[str, Any]]:
    """Load a campaign whose request is in a file of that name, and give the request."""

    def of(name: str, text: str) -> Mapping[str, Any]:
        (tmp_path / name).write_text(text, "utf-8")
        return loaded(f'{SMS}request = "{name}"').request

    return of


Requested = Callable[[str, str], Mapping[str, Any]]


def test_a_request_is_taken_from_the_json_of_the_cli(requested: Requested) -> None:
    request = {"InstanceId": "i", "Attributes": {"id": "{{ id }}"}, "ChatDurationInMinutes": 60}
    assert requested("request.json", json.dumps(request)) == request


@pytest.mark.parametrize("name", ["request.yaml", "request.yml"])
def test_a_request_is_taken_from_the_yaml_of_the_cli(requested: Requested, name: str) -> None:
    text = (
        "InstanceId: ''  # [REQUIRED]\nSourceEndpoint:\n  Type: VOIP # Valid values are: …\nSupported:\n- text/plain\n"
    )
    assert requested(name, text) == {"InstanceId": "", "SourceEndpoint": {"Type": "VOIP"}, "Supported": ["text/plain"]}


@pytest.mark.parametrize(
    "word",
    [
        "2026-11-20",
        "2026-11-20T09:30:00Z",
        "+14155550123",
        "007",
        "12:30",
        "no",
        "yes",
        "on",
        "1_000",
        "0x1f",
        "{{x}}y",
    ],
)
def test_a_plain_word_of_yaml_stays_the_text_it_is(requested: Requested, word: str) -> None:
    assert requested("request.yaml", f"Value: {json.dumps(word) if '{' in word else word}") == {"Value": word}


@pytest.mark.parametrize(
    "word, value",
    [("17", 17), ("-3", -3), ("0", 0), ("1.5", 1.5), ("true", True), ("False", False), ("~", None), ("", None)],
)
def test_a_number_and_a_truth_of_yaml_are_what_they_are(requested: Requested, word: str, value: object) -> None:
    assert requested("request.yaml", f"Value: {word}") == {"Value": value}


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("request.json", '{"a": 1', "not JSON: Expecting ',' delimiter: line 1 column 8"),
        ("request.json", "[1]", "holds no parameters; `aws connect … --generate-cli-skeleton` shows the shape"),
        ("request.yaml", "- 1", "holds no parameters"),
        ("request.yaml", "", "holds no parameters"),
        ("request.yaml", "a: [", "not YAML: while parsing a flow node"),
        ("request.yaml", "a: !!python/object:os.system {}", "not YAML: could not determine a constructor"),
    ],
)
def test_a_wrong_request_file_is_named(requested: Requested, name: str, text: str, said: str) -> None:
    with pytest.raises(CampaignError, match=re.escape(f"{name}: {said}")):
        requested(name, text)


def test_a_request_file_that_is_not_there_is_named(loaded: Load) -> None:
    with pytest.raises(CampaignError, match=r"absent\.json: cannot be read: No such file"):
        loaded(SMS + 'request = "absent.json"')


# Values


@pytest.mark.parametrize(
    "value, expected",
    [
        (0, 0.0),
        (90, 90.0),
        (1.5, 1.5),
        ("90s", 90.0),
        ("1.5h", 5400.0),
        ("2h30m", 9000.0),
        ("2h 30m", 9000.0),
        ("7d", 604800.0),
        ("1w", 604800.0),
        ("250ms", 0.25),
        (timedelta(minutes=3), 180.0),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_words(value: object, expected: float) -> None:
    assert seconds(value) == pytest.approx(expected)


@pytest.mark.parametrize("value", ["", "90", "h", "2h30", "-5s", "5 years", "s5", True, -1, float("nan"), None, [1]])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(value)


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59))
def test_the_words_of_a_duration_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest


@pytest.mark.parametrize(
    "window, calls, span",
    [
        ({"per_second": 2, "burst": 5}, 2, 1),
        ({"per_minute": 30}, 30, 60),
        ({"per_hour": 7200, "burst": 10}, 7200, 3600),
        ({"per_day": 0.5}, 0.5, 86400),
    ],
)
def test_a_window_is_so_many_calls_in_a_span(window: dict[str, Any], calls: float, span: float) -> None:
    assert (Window(**window).calls, Window(**window).span) == (calls, span)


@pytest.mark.parametrize(
    "written, rate",
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ('"auto"', "auto"),
        ("[{ per_second = 2, burst = 5 }]", (Window(per_second=2, burst=5),)),
    ],
)
def test_a_rate_is_a_number_a_word_or_windows(loaded: Load, written: str, rate: object) -> None:
    assert loaded(f"{SMS}[pacing]\nrate = {written}").pacing.rate == rate


def test_an_operation_may_have_a_pace_of_its_own(loaded: Load) -> None:
    pacing = loaded(EMAIL + "[pacing]\nrate = 2\n[pacing.CreateContact]\nrate = 5\nburst = 8").pacing
    assert (pacing.rate, pacing.operations["CreateContact"].rate, pacing.operations["CreateContact"].burst) == (
        2.0,
        5.0,
        8,
    )
    assert list(pacing.operations) == ["CreateContact"]


# From Python


def test_a_campaign_is_made_in_python_as_in_the_file(loaded: Load) -> None:
    written = loaded(SMS + '[list]\nkey = "id"\n[request]\nInstanceId = "i"\n[pacing]\nrate = 2')
    made = Campaign(name="reminder", channel="sms", list={"key": "id"}, request={"InstanceId": "i"}, pacing={"rate": 2})
    assert made.model_dump(exclude={"folder"}) == written.model_dump(exclude={"folder"})


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"name": "A"}, "name: takes small letters a-z, digits and - only"),
        ({"channel": "fax"}, "channel: no channel 'fax'"),
        ({"chanel": "sms"}, "chanel: no such key. Did you mean 'channel'?"),
        ({"pacing": {"rate": "fast"}}, "[pacing] rate: 'fast' is no rate"),
        ({"request": 3}, "request: should be a table"),
    ],
)
def test_a_wrong_campaign_made_in_python_is_told_like_a_file(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(CampaignError, match=re.escape(said)):
        Campaign(**{"name": "a", "channel": "sms", **wrong})


def test_a_campaign_is_never_changed(loaded: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded(SMS).name = "other"


def test_a_campaign_that_was_read_is_the_one_that_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text('name = "read"\nchannel = "sms"\nrequest = { InstanceId = "i" }\n', "utf-8")
    campaign = Campaign.load(path)
    assert (campaign.name, campaign.folder, campaign.request) == ("read", tmp_path, {"InstanceId": "i"})
