"""From the list's columns of consent, and files of people who said no, to what a run does and says."""

import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_runs import CAMPAIGN
from cli_runs import bulk as program
from test_run_rules import campaign

import bulk

PEOPLE = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d"],
        "phone": ["+14155552001", "+14155552002", "+14155552003", "+14155552004"],
        "Do Not Text": ["", "x", "no", ""],
        "consent_id": ["1", "2", "3", "4"],
    }
)


async def codes(folder: Path, people: pl.DataFrame = PEOPLE, **listed: Any) -> list[str | None]:
    run = await bulk.send(campaign(folder, **listed), contacts=people, sandbox=True)
    return run.results()["error_code"].to_list()


async def test_whom_the_list_opts_out_is_skipped_and_the_columns_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="bulk"):
        assert await codes(tmp_path) == [None, "opted_out", None, None]
    told = {record.message.partition(" (")[0]: record.levelname for record in caplog.records}
    assert told["rows are left out where 'Do Not Text' is neither empty nor a clear no"] == "INFO"
    assert told["'consent_id' looks like a column of opt-outs or consents, and is not used"] == "WARNING"


async def test_the_plan_tells_the_same(tmp_path: Path) -> None:
    plan = await bulk.check(campaign(tmp_path), contacts=PEOPLE)
    assert plan.sendable == 3
    assert [note.partition(" (")[0] for note in plan.notes] == [
        "rows are left out where 'Do Not Text' is neither empty nor a clear no",
        "'consent_id' looks like a column of opt-outs or consents, and is not used",
    ]


async def test_the_campaign_may_name_the_columns_or_none(tmp_path: Path) -> None:
    assert await codes(tmp_path, opt_out_columns=["consent id"]) == ["opted_out"] * 4
    assert await codes(tmp_path, opt_out_columns=[]) == [None] * 4
    assert await codes(tmp_path, consent_columns=["Do Not Text"]) == ["opted_out", None, "opted_out", "opted_out"]
    with pytest.raises(bulk.ListError, match=r"has no column 'do_not_txt': did you mean 'Do Not Text'\?$"):
        await codes(tmp_path, opt_out_columns=["do_not_txt"])


async def test_three_spellings_of_an_address_are_one_mail(tmp_path: Path) -> None:
    people = pl.DataFrame(
        {"email": ["Ann@club-mail.com", "ann@club-mail.com", "\ufeffANN@CLUB-MAIL.COM", "bob@club-mail.com"]}
    )
    request = {"EmailMessage": {"RawMessage": {"Subject": "s", "Body": "b", "ContentType": "text/plain"}}}
    mail = bulk.Campaign(
        name="mail",
        channel="email",
        request={"InstanceId": "i", **request},
        create_contact={"UserInfo": {"UserId": "u"}},
    )
    run = await bulk.send(mail, contacts=people, sandbox=True, state_dir=tmp_path, results=tmp_path / "results.csv")
    found = run.results()
    assert found["status"].to_list() == ["sent", "skipped", "skipped", "sent"]
    assert found["error_code"].to_list()[1:3] == ["duplicate"] * 2
    assert found["destination"].to_list()[0] == "Ann@club-mail.com"


async def test_how_suppression_files_were_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_text("Name,Phone,Mobile\nAda,(415) 555-2001,+14155552002\nBob,nobody,\n")
    (tmp_path / "empty.csv").touch()
    plan = await bulk.check(campaign(tmp_path, country="US", suppress=["stop.csv", "empty.csv"]), contacts=PEOPLE)
    assert plan.sendable == 2
    assert plan.notes[-3:] == [
        "stop.csv: 2 numbers from 'Phone', 'Mobile', never written to",
        "stop.csv: 1 entry is not a phone number that can be read, and suppresses nobody (the first: n…): correct it",
        "empty.csv has no entries, so it suppresses nobody: is it the right file, and complete?",
    ]


def test_a_campaign_file_may_say_the_columns(tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(
        "id,phone,name,date,Code,Fine\n1,+12065550001,A,B,x,yes\n2,+12065550002,A,B,,no\n3,+12065550003,A,B,,yes\n"
    )
    text = CAMPAIGN.replace('key = "id"', 'key = "id"\nopt_out_columns = ["code"]\nconsent_columns = ["fine"]')
    (tmp_path / "campaign.toml").write_text(text)
    plan = program("check", "campaign.toml", "--json", cwd=tmp_path).json
    assert (plan["rows"], plan["sendable"]) == (3, 1)
    (tmp_path / "campaign.toml").write_text(text.replace('"code"', '"cod"'))
    ended = program("check", "campaign.toml", cwd=tmp_path)
    assert ended.code == 2
    assert "contacts.csv has no column 'cod': did you mean 'Code'?" in ended.err
