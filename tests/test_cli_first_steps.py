"""What a new user stumbles over; it …"""

import json
from pathlib import Path

from cli_runs import CAMPAIGN, Service, bulk, campaign

from bulk.cli import results_text
from bulk.model import Status
from bulk.reports import Reason
from bulk.run.results import ResultsPreview


def test_a_list_given_for_a_campaign_is_told_apart_and_init_is_offered(tmp_path: Path) -> None:
    campaign(tmp_path)
    (tmp_path / "book 1.xlsx").write_bytes(b"PK\x03\x04 and so on")
    for name, quoted in (("contacts.csv", "contacts.csv"), ("book 1.xlsx", "'book 1.xlsx'")):
        ended = bulk("send", name, "--yes", cwd=tmp_path)
        assert ended.code == 2
        assert f"{name}: a contact list, and no campaign. `bulk init --from {quoted}`" in ended.err
    assert "cannot be read" in bulk("send", "none.csv", "--yes", cwd=tmp_path).err


def test_what_a_name_is_made_of_is_said_in_words(tmp_path: Path) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace('"reminders"', '"My Reminders"'))
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert "campaign.toml:2: name: takes small letters a-z, digits and - only, not 'My Reminders'" in ended.err


def test_an_endpoint_on_this_machine_needs_no_credentials_and_no_region(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--yes", "--endpoint-url", sandbox.url, cwd=tmp_path)
    assert (ended.code, sandbox.received()) == (0, 3)


def test_of_a_run_that_was_only_rehearsed_the_rehearsal_is_shown_and_called_so(tmp_path: Path) -> None:
    campaign(tmp_path)
    bulk("send", "campaign.toml", "--sandbox", cwd=tmp_path)
    told = bulk("status", "campaign.toml", cwd=tmp_path)
    written = bulk("results", "campaign.toml", "-o", "mine.csv", cwd=tmp_path)
    assert told.out.startswith("REHEARSAL: reminders, run default: 3 rows: 3 sent")
    assert (told.code, written.code, written.out) == (0, 0, "mine.csv\n")
    assert "REHEARSAL: there is no real run of this name" in written.err


def test_a_single_reason_is_never_hidden() -> None:
    def shown(reasons: int) -> str:
        preview = ResultsPreview()
        preview._reasons._reasons = {
            ("refused", f"code_{number}"): Reason(Status.REFUSED, f"code_{number}", 1) for number in range(reasons)
        }
        return results_text.preview(preview, masked=True)

    assert "code_5" in shown(6)
    assert "more, for other reasons" not in shown(6)
    assert "  2 more, for other reasons" in shown(7)


def test_json_on_stderr_has_a_message_for_each_reason_and_no_table(tmp_path: Path) -> None:
    campaign(tmp_path)
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("0009,12,Bob,2027-01-12\n")
    ended = bulk("send", "campaign.toml", "--sandbox", "--log-format", "json", cwd=tmp_path)
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert ended.code == 1
    assert [(line["rows"], line["status"], line["code"]) for line in lines if "code" in line] == [
        (1, "refused", "invalid_phone")
    ]
    assert not any("  " in line["message"] for line in lines)


def test_a_list_of_which_every_row_is_left_out_is_nothing_to_do(tmp_path: Path) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace('key = "id"', 'key = "id"\nsuppress = ["no.csv"]'))
    (tmp_path / "no.csv").write_text((tmp_path / "contacts.csv").read_text())
    ended = bulk("send", "campaign.toml", "--sandbox", cwd=tmp_path)
    assert (ended.code, "nothing to do: every row is left out" in ended.err) == (0, True)
