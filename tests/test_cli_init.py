"""`bulk init --from LIST`: a campaign for the list it is shown."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_runs import bulk, campaign, contact_list

LISTS = Path(__file__).with_name("lists")


def written(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def test_the_campaign_it_writes_runs_and_the_list_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(3))
    begun = bulk("init", "--from", "people.csv", cwd=tmp_path)
    assert (begun.code, begun.out) == (0, "sms/campaign.toml\n")
    assert begun.err.splitlines() == [
        "people.csv: a campaign of sms; columns: destination 'phone', key 'id', first name 'name'",
        "to try it: python -m bulk send sms/campaign.toml --sandbox",
    ]
    assert written(tmp_path / "sms" / "campaign.toml")["contacts"] == "../people.csv"
    assert [path.name for path in (tmp_path / "sms").iterdir()] == ["campaign.toml"]
    ended = bulk("send", "sms/campaign.toml", "--sandbox", "--rate", "50", "--json", cwd=tmp_path)
    assert (ended.code, ended.json["sent"]) == (0, 3)


def test_it_says_whose_export_it_was_shown(tmp_path: Path) -> None:
    shutil.copy(LISTS / "pinpoint-export.ndjson", tmp_path)
    begun = bulk("init", "email", "winter", "--from", "pinpoint-export.ndjson", cwd=tmp_path)
    assert (begun.code, begun.out) == (0, "winter/campaign.toml\n")
    assert begun.err.startswith("read as Amazon Pinpoint segment, rows of other channels by ChannelType left out")
    assert "columns: destination 'Address', key 'Id', time zone 'Demographic.Timezone'" in begun.err
    assert bulk("check", "winter/campaign.toml", "--json", cwd=tmp_path).json["sendable"] == 1


@pytest.mark.parametrize(
    "words, folder, channel",
    [((), "email", "email"), (("sms",), "sms", "sms"), (("mine",), "mine", "email"), (("sms", "."), ".", "sms")],
)
def test_channel_and_folder_may_be_left_out(tmp_path: Path, words: tuple[str, ...], folder: str, channel: str) -> None:
    (tmp_path / "people.csv").write_text("phone,email\n+12065550100,ann@example.com\n")
    begun = bulk("init", *words, "--from", "people.csv", cwd=tmp_path)
    assert begun.code == 0
    assert written(tmp_path / folder / "campaign.toml")["channel"] == channel


def test_a_list_named_from_the_root_is_named_so_in_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(1))
    bulk("init", "--from", tmp_path / "people.csv", cwd=tmp_path)
    assert written(tmp_path / "sms" / "campaign.toml")["contacts"] == str(tmp_path / "people.csv")


def test_a_list_is_found_from_a_folder_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(contact_list(1))
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "near").symlink_to(tmp_path / "far" / "away")
    bulk("init", "sms", "near", "--from", "people.csv", cwd=tmp_path)
    assert bulk("check", "near/campaign.toml", "--json", cwd=tmp_path).json["sendable"] == 1


def test_it_overwrites_no_campaign(tmp_path: Path) -> None:
    mine = campaign(tmp_path).read_text()
    assert bulk("init", "sms", ".", "--from", "contacts.csv", cwd=tmp_path).code == 2
    assert (tmp_path / "campaign.toml").read_text() == mine
