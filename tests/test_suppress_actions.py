"""What each action on the suppression list of one's own does, returns, and refuses: `bulk/run/suppress.py`."""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_runs import CAMPAIGN

import bulk
from bulk.aws.connect import Endpoint
from bulk.errors import CampaignError, LedgerError, ListError
from bulk.loader.own_list import NAME, Suppressed
from bulk.run.suppress import SuppressionList, shown

ANN, BOB, MAIL = "+14155550123", "+14155550124", "ann@example.com"


def told(found: SuppressionList) -> tuple[int, list[tuple[str, str]]]:
    return found.changed, [(one.destination, one.reason) for one in found.entries]


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A campaign whose numbers without + are British, and that is sent from Ireland."""
    path = tmp_path / "campaigns" / "campaign.toml"
    path.parent.mkdir()
    path.write_text(CAMPAIGN.replace("[list]", '[at]\nregion = "eu-west-1"\n\n[list]\ncountry = "GB"'))
    return path


async def test_who_is_added_stands_in_the_list_with_time_and_reason(tmp_path: Path) -> None:
    begun = datetime.now(UTC) - timedelta(seconds=1)
    found = await bulk.suppress("add", [ANN, MAIL, ANN], state_dir=tmp_path, reason="  said \n STOP ")
    assert told(found) == (2, [(ANN, "said STOP"), (MAIL, "said STOP")])
    assert found.path == tmp_path / NAME
    for one in found.entries:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", one.added_at)
        assert begun <= datetime.fromisoformat(one.added_at) <= datetime.now(UTC)
    assert told(await bulk.suppress("add", ANN, state_dir=tmp_path, reason="again"))[0] == 0


async def test_the_list_is_read_without_being_changed(tmp_path: Path) -> None:
    await bulk.suppress("add", ANN, state_dir=tmp_path)
    before = (tmp_path / NAME).read_bytes()
    assert told(await bulk.suppress("list", state_dir=tmp_path)) == (0, [(ANN, "")])
    assert (tmp_path / NAME).read_bytes() == before


async def test_who_is_removed_is_no_longer_in_it(tmp_path: Path) -> None:
    await bulk.suppress("add", [ANN, BOB, MAIL], state_dir=tmp_path)
    assert told(await bulk.suppress("remove", [BOB, MAIL.upper()], state_dir=tmp_path)) == (2, [(ANN, "")])


@pytest.mark.parametrize("reason, kept", [("", "imported from stop.csv"), (" of the \n regulator", "of the regulator")])
async def test_a_file_is_imported_with_the_reason_or_its_name(tmp_path: Path, reason: str, kept: str) -> None:
    file = tmp_path / "stop.csv"
    file.write_text("phone,email\n(415) 555-0123,ann@example.com\n")
    found = await bulk.suppress("import", file=str(file), state_dir=tmp_path, country="US", reason=reason)
    assert told(found) == (2, [(ANN, kept), (MAIL, kept)])
    again = await bulk.suppress("import", file=file, state_dir=tmp_path, country="US", reason="later")
    assert told(again) == (0, [(ANN, kept), (MAIL, kept)])


@pytest.mark.parametrize("content, found", [(f"name,phone\nAda,{ANN}\n", ANN), (f"name,email\nAda,{MAIL}\n", MAIL)])
async def test_a_file_with_one_column_of_destinations_is_imported(tmp_path: Path, content: str, found: str) -> None:
    (tmp_path / "stop.csv").write_text(content)
    imported = await bulk.suppress("import", file=tmp_path / "stop.csv", state_dir=tmp_path)
    assert told(imported) == (1, [(found, "imported from stop.csv")])


async def test_a_file_without_such_a_column_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("name,colour\nAda,red\n")
    said = "stop.csv has no column of phone numbers that can be told by its name: name it 'phone'"
    with pytest.raises(ListError, match=f"^{re.escape(said)}$"):
        await bulk.suppress("import", file=tmp_path / "stop.csv", state_dir=tmp_path)


async def test_a_file_that_names_nobody_is_an_error_and_adds_nobody(tmp_path: Path) -> None:
    file = tmp_path / "stop.csv"
    file.write_text("phone,email\n")
    said = f"{file}: no phone numbers and no email addresses, so nobody was added: is it the right file?"
    with pytest.raises(ListError, match=f"^{re.escape(said)}$"):
        await bulk.suppress("import", file=file, state_dir=tmp_path)
    assert not (tmp_path / NAME).exists()


async def test_an_export_is_the_list_as_it_stands_and_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    found = await bulk.suppress("add", [ANN, MAIL], state_dir=tmp_path, reason="a, b")
    (tmp_path / "out.csv").write_text("old")
    exported = await bulk.suppress("export", file=str(tmp_path / "out.csv"), state_dir=tmp_path)
    assert exported == SuppressionList(tmp_path / NAME, found.entries, 0)
    lines = [f'{one.destination},{one.added_at},"a, b"\n' for one in found.entries]
    assert (tmp_path / "out.csv").read_text() == "".join(["destination,added_at,reason\n", *lines])


async def test_an_export_never_takes_the_place_of_the_list(tmp_path: Path) -> None:
    await bulk.suppress("add", ANN, state_dir=tmp_path)
    (tmp_path / "other").hardlink_to(tmp_path / NAME)
    with pytest.raises(CampaignError, match="is read by this campaign"):
        await bulk.suppress("export", file=tmp_path / "other", state_dir=tmp_path)


async def test_an_export_that_cannot_be_written_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    said = f"{tmp_path}: the list cannot be written: Is a directory. Name another file"
    with pytest.raises(CampaignError, match=f"^{re.escape(said)}$"):
        await bulk.suppress("export", file=tmp_path, state_dir=tmp_path / "state")


NOBODY = (
    "'(415…23' is no phone number and no email address: write numbers as +12065550100, or name their country with "
    "--country. Nothing was changed"
)
WANTS = "takes destinations: a phone number such as +12065550100, or an address"


@pytest.mark.parametrize(
    "action, given, said",
    [
        ("add", {}, f"suppress add {WANTS}"),
        ("remove", {}, f"suppress remove {WANTS}"),
        ("import", {}, "suppress import takes a file"),
        ("export", {}, "suppress export takes a file"),
        ("drop", {}, "suppress takes add, remove, import, export, list, not 'drop'"),
        ("list", {"country": "Atlantis" * 9}, f"{('Atlantis' * 9)[:40]!r} is no country: write it as US, GB, DE"),
        (
            "add",
            {"destinations": [ANN, "  (415) 555-0123 "]},
            NOBODY,
        ),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    tmp_path: Path, action: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(CampaignError, match=f"^{re.escape(said)}$"):
        await bulk.suppress(action, state_dir=tmp_path / "state", **given)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "country, text, number",
    [
        (None, "07400 123456", "+447400123456"),
        ("US", "(415) 555-0123", ANN),
        ("United States", "(415) 555-0123", ANN),
        (None, ANN, ANN),
    ],
)
async def test_numbers_belong_to_the_country_that_is_said_else_to_the_campaigns(
    beside: Path, country: str | None, text: str, number: str
) -> None:
    found = await bulk.suppress("add", text, campaign=str(beside), country=country)
    assert [one.destination for one in found.entries] == [number]


async def test_the_list_is_that_of_the_state_directory_else_beside_the_campaign_else_here(
    beside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    by_campaign = await bulk.suppress("add", ANN, campaign=beside)
    by_folder = await bulk.suppress("add", BOB, campaign=beside, state_dir="state")
    here = await bulk.suppress("add", MAIL)
    found = [(tmp_path / one.path, told(one)) for one in (by_campaign, by_folder, here)]
    assert found == [
        (beside.parent / ".bulk" / NAME, (1, [(ANN, "")])),
        (tmp_path / "state" / NAME, (1, [(BOB, "")])),
        (tmp_path / ".bulk" / NAME, (1, [(MAIL, "")])),
    ]


@pytest.mark.parametrize("with_campaign, region", [(True, "eu-west-1"), (False, "us-west-2")])
async def test_a_list_in_s3_is_looked_for_where_the_campaign_or_the_environment_says(
    beside: Path, monkeypatch: pytest.MonkeyPatch, *, with_campaign: bool, region: str
) -> None:
    opened: list[tuple[str, str | None]] = []

    @asynccontextmanager
    async def objects_of(url: str, endpoint: Endpoint) -> AsyncIterator[None]:
        opened.append((url, endpoint.region))
        raise LedgerError("there is no S3 here")
        yield

    monkeypatch.setattr("bulk.run.suppress.objects_of", objects_of)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    home = beside.parent / "temporary"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    with pytest.raises(LedgerError, match="there is no S3 here") as raised:
        await bulk.suppress("list", state_dir="s3://state/a", campaign=beside if with_campaign else None)
    assert opened == [("s3://state/a", region)]
    assert (raised.tb is not None, list(home.iterdir())) == (True, [])


def test_the_list_for_json_masks_its_destinations_unless_they_are_to_be_shown() -> None:
    entry = Suppressed(ANN, "2026-11-26T09:00:00+00:00", "said STOP")
    found = SuppressionList("s3://state/a/suppressed.csv", (entry,))
    one = {"destination": "+141…23", "added_at": entry.added_at, "reason": "said STOP"}
    whole = {"list": "s3://state/a/suppressed.csv", "destinations": 1, "changed": 0, "entries": [one]}
    assert found.as_dict() == whole
    assert found.as_dict(show=True) == whole | {"entries": [one | {"destination": ANN}]}
    assert (shown(entry), shown(entry, show=True)) == ("+141…23", ANN)
