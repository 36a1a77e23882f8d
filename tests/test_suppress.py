"""A suppression list of one's own: kept in the state directory, honoured by every campaign of it."""

import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import anyio
import polars as pl
import pytest
from cli_runs import bulk as cli
from cli_runs import campaign, phone
from sandbox_runs import CHAT, FULL, Runs, reasons, rows, statuses

import bulk
from bulk.aws.connect import Endpoint
from bulk.aws.objects import objects_of
from bulk.errors import CampaignError, ListError
from bulk.loader.own_list import COLUMNS, NAME, OwnList, Suppressed
from bulk.loader.suppression import Suppression
from bulk.run.own_list_place import OwnListPlace

ANN, BOB, MAIL = "+14155550123", "+14155550124", "ann@example.com"


def entry(destination: str, at: str = "2026-11-26T09:00:00+00:00") -> Suppressed:
    return Suppressed(destination, at)


def test_a_person_has_one_entry_however_the_address_is_written(tmp_path: Path) -> None:
    own = OwnList(tmp_path)
    assert own.add([entry("Ann@Example.com"), entry(MAIL), entry(ANN)]) == 2
    assert own.add([entry("ANN@EXAMPLE.COM", "later")]) == 0
    assert own.remove(["aNN@example.com", BOB]) == 1
    assert [one.destination for one in own.entries().values()] == [ANN]


def test_the_list_is_for_its_owner_alone(tmp_path: Path) -> None:
    own = OwnList(tmp_path / "state")
    own.add([entry(ANN)])
    assert stat.S_IMODE(own.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(own.folder.stat().st_mode) == 0o700


def test_nothing_is_lost_when_many_change_the_list_at_once(tmp_path: Path) -> None:
    own = OwnList(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda number: own.add([entry(f"+1415555{number:04}")]), range(40)))
    assert (sum(added), len(own.entries())) == (40, 40)


@pytest.mark.parametrize("content", ["phone\n+14155550123\n", f"{','.join(COLUMNS)}\n+1415,x\n", b"\xff\xfe\x00"])
def test_a_list_that_somebody_spoiled_is_an_error_and_not_an_empty_one(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / NAME).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ListError, match=NAME):
        OwnList(tmp_path).entries()


def test_it_is_followed_during_a_run_and_removal_waits_for_the_next(tmp_path: Path) -> None:
    own = OwnList(tmp_path)
    followed = Suppression.open([], kind="phone", own=own)
    assert (len(followed), followed.may_be_stale) == (0, False)
    own.add([entry(ANN), entry(MAIL)])
    assert followed.may_be_stale
    assert followed.refresh() == []
    assert (len(followed), followed.refusal(ANN) is not None, followed.may_be_stale) == (1, True, False)
    own.remove([ANN])
    own.add([entry(BOB)])
    followed.refresh()
    assert (followed.refusal(ANN) is not None, followed.refusal(BOB) is not None) == (True, True)
    own.path.write_text("spoiled")
    assert "goes on with the 2 destinations" in followed.refresh()[0]
    assert followed.refresh() == []


async def test_what_python_adds_and_imports_is_returned(tmp_path: Path) -> None:
    stop = tmp_path / "stop.txt"
    stop.write_text(f"{ANN}\n{BOB}\n{MAIL}\n")
    told = await bulk.suppress("import", file=stop, state_dir=tmp_path)
    assert (told.changed, {one.destination for one in told.entries}) == (3, {ANN, BOB, MAIL})
    told = await bulk.suppress("remove", "(415) 555-0123", country="US", state_dir=tmp_path)
    assert (told.changed, len(told.entries)) == (1, 2)
    await bulk.suppress("export", file=tmp_path / "out.csv", state_dir=tmp_path)
    assert (tmp_path / "out.csv").read_text() == (tmp_path / NAME).read_text()


@pytest.mark.parametrize("given", [["555"], [ANN, "nobody"], [""], []])
async def test_what_is_no_destination_changes_nothing(tmp_path: Path, given: list[str]) -> None:
    with pytest.raises(CampaignError):
        await bulk.suppress("add", given, state_dir=tmp_path)
    assert not (tmp_path / NAME).exists()


@pytest.fixture
def in_s3(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A state directory in S3."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    return f"s3://campaigns/state-{time.time_ns()}"


async def test_nothing_is_lost_when_many_change_a_list_in_s3_at_once(in_s3: str) -> None:
    async def add(number: int) -> None:
        told = await bulk.suppress("add", f"+1415555{number:04}", state_dir=in_s3)
        assert told.changed == 1

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(add, number)
    told = await bulk.suppress("list", state_dir=in_s3)
    assert (len(told.entries), told.path) == (8, f"{in_s3}/{NAME}")
    told = await bulk.suppress("remove", "+14155550000", state_dir=in_s3)
    assert (told.changed, len(told.entries)) == (1, 7)


async def test_a_run_from_s3_leaves_out_who_is_on_the_list_there(runs: Runs, in_s3: str) -> None:
    await bulk.suppress("add", rows("a")[0]["phone"], state_dir=in_s3)
    options = {**runs.options, "state_dir": in_s3, "contacts": pl.DataFrame(rows("ab"))}
    assert (await bulk.check(runs.campaign, **options)).sendable == 1
    run = await bulk.send(runs.campaign, **options)
    assert statuses(run) == {"a": "skipped", "b": "sent"}


async def test_a_run_from_s3_follows_the_list_there(in_s3: str, tmp_path: Path) -> None:
    async with objects_of(in_s3, Endpoint(region="us-west-2")) as objects:
        place = OwnListPlace(OwnList(tmp_path), objects)
        with anyio.move_on_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(place.follow)
                await bulk.suppress("add", ANN, state_dir=in_s3)
                while not place.own.entries():  # noqa: ASYNC110 - a file tells nobody
                    await anyio.sleep(0.05)
                group.cancel_scope.cancel()
        assert [one.destination for one in place.own.entries().values()] == [ANN]


async def test_who_is_added_while_a_run_waits_is_left_out(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bulk.run.send_pass.REFRESH", 0.05)
    runs.settings |= {"pacing": {"rate": 1000, "burst": 1000, "at_once": 1}}
    runs.faults(FULL | {"first": 1})

    async def say_no() -> None:
        while not runs.received(CHAT):  # noqa: ASYNC110 - the server tells only who asks
            await anyio.sleep(0.01)
        await bulk.suppress("add", rows("a")[0]["phone"], state_dir=runs.folder / "state")

    async with anyio.create_task_group() as group:
        group.start_soon(say_no)
        run = await runs.send(rows("a"))
    assert (statuses(run), reasons(run), run.exit_code) == ({"a": "skipped"}, {"a": "suppressed"}, 0)


def test_every_campaign_beside_the_list_honours_it(tmp_path: Path) -> None:
    campaign(tmp_path)
    added = cli("suppress", "add", phone(1), "--reason", "said STOP", cwd=tmp_path)
    assert (added.code, added.out) == (0, "1 added; 1 in .bulk/suppressed.csv\n")
    listed = cli("suppress", "list", cwd=tmp_path)
    assert (phone(1) in listed.out, "+120…" in listed.out, "said STOP" in listed.out) == (False, True, True)
    assert phone(1) in cli("suppress", "list", "--show", cwd=tmp_path).out
    assert cli("check", "campaign.toml", "--json", cwd=tmp_path).json["sendable"] == 2
    sent = cli("send", "campaign.toml", "--sandbox", "--json", cwd=tmp_path).json
    assert (sent["sent"], sent["skipped"]) == (2, 1)
    refused = cli("suppress", "add", "nobody", cwd=tmp_path)
    assert (refused.code, "Traceback" in refused.err) == (2, False)


# Who agreed


CONSENT = '\n[consent]\ncolumn = "opt_in"\nsource = "form"\nat = "since"\n'


def test_who_did_not_agree_is_left_out_and_why_others_were_written_to_is_exported(tmp_path: Path) -> None:
    campaign(tmp_path)
    toml, people = tmp_path / "campaign.toml", tmp_path / "contacts.csv"
    toml.write_text(toml.read_text() + CONSENT)
    header, *lines = people.read_text().splitlines()
    said = ["yes,web,2026-01-01", ",web,", "no,shop,2026-01-02"]
    told = [f"{line},{words}" for line, words in zip(lines, said, strict=True)]
    people.write_text("\n".join([f"{header},opt_in,form,since", *told]) + "\n")
    words = "campaign.toml", "--sandbox"
    assert cli("send", *words, "--json", cwd=tmp_path).json["skipped"] == 2
    assert cli("consent", "export", *words, "-o", "why.csv", cwd=tmp_path).code == 0
    exported = pl.read_csv(tmp_path / "why.csv", infer_schema=False)
    assert exported["consent_source", "consent_at", "status"].rows() == [("web", "2026-01-01", "sent")]
    assert "…" in exported["destination"][0]
    assert stat.S_IMODE((tmp_path / "why.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "required, expected", [(True, {"a": "sent", "b": "skipped"}), (False, {"a": "sent", "b": "sent"})]
)
async def test_consent_is_required_unless_the_campaign_says_otherwise(
    runs: Runs, *, required: bool, expected: dict[str, str]
) -> None:
    runs.settings["consent"] = {"column": "via", "required": required}
    people = [row | {"via": "yes" if row["key"] == "a" else ""} for row in rows("ab")]
    run = await runs.send(people)
    assert (statuses(run), reasons(run)) == (expected, {"b": "no_consent"} if required else {})


async def test_what_was_known_of_consent_when_the_message_went_out_is_exported_whatever_became_of_the_list(
    runs: Runs, tmp_path: Path
) -> None:
    runs.settings["consent"] = {"column": "via", "source": "form", "at": "since"}
    people = [row | {"via": "yes", "form": "shop ann@example.com", "since": "2026-01-01"} for row in rows("ab")]
    run = await runs.send(people)
    assert run.summary.sent == 2
    now = pl.DataFrame([row | {"via": "no", "form": "another", "since": ""} for row in people[:1]])
    kept = ["yes", "shop a…@example.com", "2026-01-01"]
    for number, contacts in enumerate([now, tmp_path / "gone.csv"]):
        path = tmp_path / f"{number}.ndjson"
        await bulk.consent(runs.campaign, path, **{**runs.options, "contacts": contacts})
        told = pl.read_ndjson(path)
        assert told["consent", "consent_source", "consent_at"].rows() == [tuple(kept)] * 2
        assert told["key"].to_list() == (["a", None] if number == 0 else [None, None])
        assert told["kept_at"].null_count() == 0
    again = await runs.send(people)
    assert (again.summary.sent_before, again.summary.differs) == (2, 0)


async def test_of_messages_before_consent_was_kept_the_list_tells_what_it_says_now(runs: Runs, tmp_path: Path) -> None:
    people = [row | {"via": "yes"} for row in rows("a")]
    await runs.send(people)
    runs.settings["consent"] = {"column": "via"}
    await bulk.consent(runs.campaign, tmp_path / "a.ndjson", **{**runs.options, "contacts": pl.DataFrame(people)})
    told = pl.read_ndjson(tmp_path / "a.ndjson")
    assert (told["consent"].to_list(), told["kept_at"].to_list()) == (["yes"], [None])


async def test_mail_keeps_consent_with_the_message_and_not_with_its_draft(runs: Runs, tmp_path: Path) -> None:
    runs.email(consent={"column": "via"})
    people = [row | {"via": "yes"} for row in rows("ab")]
    await runs.send(people)
    with closing(sqlite3.connect(tmp_path / "state" / "ledger.db")) as ledger:
        assert ledger.execute("SELECT count(*), min(said) FROM consent").fetchone() == (2, "yes")


async def test_a_consent_column_that_the_list_lacks_is_an_error(runs: Runs) -> None:
    runs.settings["consent"] = {"source": "form"}
    with pytest.raises(ListError, match="form"):
        await runs.send(rows("a"))
