"""A state directory in S3: it is claimed by one sender at a time, and outlives the machine that works on it."""

import json
import logging
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from buckets import OneByOne, client, served
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, started

import bulk as library
from bulk.aws.connect import Endpoint
from bulk.aws.objects import Replaced, Version, objects_of
from bulk.errors import CampaignError, Halted, RunBusy
from bulk.files import state_folder
from bulk.run.lease import Lease, claim_of
from bulk.run.options import Options

SLOW = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 20\nburst = 1")
CREEPING = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 1\nburst = 6")
ROWS = 90  # so many seconds
ENDPOINT = Endpoint(region="us-west-2", credentials=("key", "secret"))


@pytest.fixture
def place(s3: str, tmp_path: Path) -> str:
    """A prefix of this test's own."""
    del s3
    return f"s3://campaigns/{tmp_path.name}"


def reach(sandbox: Service, s3: str) -> dict[str, str]:
    return {**at(sandbox.url), "AWS_ENDPOINT_URL_S3": s3}


def copy_of(s3: str, place: str) -> bytes:
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    body: bytes = client(s3).get_object(Bucket=bucket, Key=f"{prefix}/ledger.db")["Body"].read()
    return body


def asked(copy: bytes, path: Path, query: str) -> list[Any]:
    path.write_bytes(copy)
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def elsewhere(tmp_path: Path, name: str, *, rows: int = 3, text: str = CAMPAIGN) -> Path:
    """Write the campaign to another machine's disk, as it were."""
    return campaign(tmp_path / name, rows=rows, text=text).parent


def ended_by_itself(s3: str, place: str) -> None:
    """Have the claim of a dead sender be over at once, as if time had passed."""
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    client(s3).delete_object(Bucket=bucket, Key=f"{prefix}/claim.json")


def test_what_was_sent_on_one_machine_is_known_on_the_next(
    s3: str, place: str, sandbox: Service, tmp_path: Path
) -> None:
    words, env = ("campaign.toml", "--state-dir", place), reach(sandbox, s3)
    first, second = (elsewhere(tmp_path, name) for name in ("first", "second"))
    assert bulk("send", *words, "--limit", "2", cwd=first, **env).code == 4
    assert not (first / ".bulk").exists()
    assert asked(copy_of(s3, place), tmp_path / "copy", "SELECT ended FROM copied") == [(1,)]
    assert asked(copy_of(s3, place), tmp_path / "copy", "SELECT count(*) FROM kept_file") == [(1,)]  # the pace
    told = bulk("status", *words, "--json", cwd=second, **env)
    assert (told.json["sent"], told.json["pending"]) == (2, 1)
    assert bulk("send", *words, "--dry-run", "--json", cwd=second, **env).json["pending"] == 1
    assert bulk("send", *words, cwd=second, **env).code == 0
    assert sandbox.received() == 3
    assert bulk("results", *words, "-o", "r.csv", cwd=first, **env).code == 0
    assert (first / "r.csv").read_text().count(",sent,") == 3


def test_a_killed_sender_is_followed_by_one_that_sends_nothing_twice(
    s3: str, place: str, sandbox: Service, tmp_path: Path
) -> None:
    words, env = ("campaign.toml", "--state-dir", place), reach(sandbox, s3)
    first, second = (elsewhere(tmp_path, name, rows=ROWS, text=CREEPING) for name in ("first", "second"))
    with started("send", *words, cwd=first, **env) as process:
        sandbox.wait_for(4, process)
        for name in ("reminders", "another"):  # the claim is that of the state directory, whatever the campaign
            (second / "campaign.toml").write_text(CREEPING.replace("reminders", name))
            busy = bulk("send", *words, cwd=second, **env)
            assert (busy.code, f"process {process.pid} on " in busy.err) == (75, True), busy.err
        (second / "campaign.toml").write_text(CREEPING)
        seen = bulk("status", *words, cwd=second, **env)
        assert f"being sent by process {process.pid}" in seen.out
        process.kill()
        process.communicate()
    assert bulk("send", *words, cwd=second, **env).code == 75
    ended_by_itself(s3, place)
    told = bulk("status", *words, "--json", cwd=second, **env)
    assert (told.json["pending"], told.json["sent"] + told.json["unknown"]) == (0, ROWS)
    assert told.json["unknown"] > 0
    ended = bulk("send", *words, "--rate", "500", "--burst", "400", "--json", cwd=second, **env)
    assert (ended.code, ended.json["sent"]) == (0, ROWS), ended.err
    assert "may have been tried since" in ended.err
    assert len(sandbox.contacts) == ROWS


INBOUND = """
name = "old"
channel = "inbound-email"
contacts = "contacts.csv"
[request]
InstanceId = "11111111-1111-4111-8111-111111111111"
DestinationEmailAddress = "help@shop.example"
EmailMessage.MessageSourceType = "RAW"
EmailMessage.RawMessage = { Subject = "Hi", Body = "Hi {{ name }}", ContentType = "text/plain" }
[pacing]
rate = 20
burst = 1
[retry]
attempts = 1
replay_within = "1s"
"""


def test_rows_in_doubt_for_longer_than_a_token_lives_are_sent_to_nobody_again(
    s3: str, place: str, sandbox: Service, tmp_path: Path
) -> None:
    first = elsewhere(tmp_path, "first", text=INBOUND)
    rows = "".join(f"{row},ann{row}@shop.example,Ann\n" for row in range(20))
    (first / "contacts.csv").write_text("id,email,name\n" + rows)
    words, env = ("campaign.toml", "--state-dir", place), reach(sandbox, s3)
    with started("send", *words, cwd=first, **env) as process:
        while sandbox.received("StartEmailContact") < 6:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.communicate()
    time.sleep(1.0)
    ended_by_itself(s3, place)
    before = sandbox.received("StartEmailContact")
    for _ in range(2):
        ended = bulk("send", *words, "--json", cwd=first, **env)
        assert (ended.code, ended.json["sent"] + ended.json["unknown"]) == (1, 20), ended.err
    assert sandbox.received("StartEmailContact") == before
    listed = bulk("resolve", *words, "--json", cwd=first, **env)
    assert {one["error_code"] for one in listed.json["unknown"]} == {"token_expired"}
    resent = bulk("resolve", *words, "--resend", "--json", cwd=first, **env)
    assert (resent.code, resent.json["decided"]) == (0, ended.json["unknown"]), resent.err
    assert bulk("send", *words, "--rate", "500", "--burst", "50", cwd=first, **env).code == 0


def test_sigterm_leaves_nothing_in_doubt(s3: str, place: str, sandbox: Service, tmp_path: Path) -> None:
    words, env = ("campaign.toml", "--state-dir", place), reach(sandbox, s3)
    first = elsewhere(tmp_path, "first", rows=60, text=SLOW)
    with started("send", *words, cwd=first, **env) as process:
        sandbox.wait_for(4, process)
        process.send_signal(signal.SIGTERM)
        assert end_of(process).code == 143
    told = bulk("status", *words, "--json", cwd=first, **env)
    assert (told.json["sent"], told.json["unknown"]) == (sandbox.received(), 0)
    assert bulk("send", *words, "--limit", "1", cwd=first, **env).code == 4  # the claim was given back


def test_several_campaigns_share_one_claim_and_caps_travel_along(
    s3: str, place: str, sandbox: Service, tmp_path: Path
) -> None:
    first = elsewhere(tmp_path, "first")
    capped = CAMPAIGN + '\n[caps]\nany = { at_most = 1, within = "24h" }\n'
    for name in ("one", "two", "three"):
        text = (capped if name == "three" else CAMPAIGN).replace('"reminders"', f'"{name}"')
        (first / f"{name}.toml").write_text(text)
    words, env = ("--state-dir", place), reach(sandbox, s3)
    assert bulk("send", "one.toml", "two.toml", *words, cwd=first, **env).code == 0
    assert sandbox.received() == 6
    last = bulk("send", "three.toml", *words, "--json", cwd=first, **env)
    assert (last.code, last.json["skipped"]) == (0, 3)
    assert sandbox.received() == 6


def test_a_rehearsal_has_a_place_of_its_own(s3: str, place: str, sandbox: Service, tmp_path: Path) -> None:
    first, env = elsewhere(tmp_path, "first"), reach(sandbox, s3)
    del env["BULK_ENDPOINT_URL"]
    assert bulk("send", "campaign.toml", "--sandbox", "--state-dir", place, cwd=first, **env).code == 0
    assert copy_of(s3, f"{place}/sandbox")
    told = bulk("status", "campaign.toml", "--state-dir", place, "--json", cwd=first, **env)
    assert (told.json["sent"], told.json["rehearsal"]) == (3, True)


@pytest.mark.parametrize(
    "named, told",
    [
        ("gs://campaigns/x", "no folder and no s3://BUCKET/PREFIX"),
        ("s3://", "no folder and no s3://BUCKET/PREFIX"),
        ("s3://nowhere-at-all/x", "NoSuchBucket"),
    ],
)
def test_a_place_that_is_none_is_said_to_be_none(
    named: str, told: str, s3: str, sandbox: Service, tmp_path: Path
) -> None:
    first = elsewhere(tmp_path, "first")
    ended = bulk("send", "campaign.toml", "--state-dir", named, cwd=first, **reach(sandbox, s3))
    assert (ended.code, told in ended.err) == (2, True), ended.err
    assert sandbox.received() == 0


def test_a_ledger_that_is_gone_is_not_taken_for_one_that_never_was(
    s3: str, place: str, sandbox: Service, tmp_path: Path
) -> None:
    words, env = ("campaign.toml", "--state-dir", place), reach(sandbox, s3)
    first = elsewhere(tmp_path, "first")
    assert bulk("send", *words, cwd=first, **env).code == 0
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    client(s3).delete_object(Bucket=bucket, Key=f"{prefix}/ledger.db")
    ended = bulk("send", *words, cwd=first, **env)
    assert (ended.code, "is gone, and was there" in ended.err) == (2, True)
    assert sandbox.received() == 3


def test_a_path_made_of_a_url_means_the_url() -> None:
    assert Options.of({"state_dir": Path("s3://bucket/prefix")}).state_url == "s3://bucket/prefix"
    assert Options.of({"state_dir": "s3://bucket/prefix/"}).state_url == "s3://bucket/prefix"
    assert Options.of({"state_dir": Path("/var/s3:/x")}).state_url is None
    with pytest.raises(CampaignError, match="lease is 1 s"):
        Options.of({"lease": 1.0})


# S3 that is gone for a while


async def sent_through(
    outage: Callable[[OneByOne], Awaitable[None]], sandbox: Service, folder: Path, *, lease: float
) -> library.Run:
    """Send while S3 has an outage, which begins when some calls were made."""
    app = OneByOne()
    path = elsewhere(folder, "first", rows=400, text=SLOW) / "campaign.toml"
    with served(app) as url, pytest.MonkeyPatch.context() as patch:
        for name, value in reach(sandbox, url).items():
            patch.setenv(name, value)
        stop, place, run = library.Stop(), f"s3://campaigns/{folder.name}", list[library.Run]()

        async def send() -> None:
            run.append(await library.send(path, stop=stop, state_dir=place, lease=lease, endpoint_url=sandbox.url))
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(send)
            await _until(lambda: sandbox.received() >= 2)
            app.gone = True
            await outage(app)
            stop.ask("it is enough", 4)
    return run[0]


async def test_s3_that_is_gone_for_a_while_is_said_and_survived(
    s3: str, sandbox: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del s3  # it made the bucket
    caplog.set_level(logging.INFO, "bulk")
    before = 0

    async def while_it_is_said(app: OneByOne) -> None:
        nonlocal before
        await _said(caplog, "The run goes on for up to")
        before = sandbox.received()
        app.gone = False
        await _said(caplog, "is reached again")

    run = await sent_through(while_it_is_said, sandbox, tmp_path, lease=20.0)
    assert (run.exit_code, run.summary.halted) == (4, None)
    assert run.summary.sent >= before > 0


async def _said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    await _until(lambda: any(words in record.getMessage() for record in caplog.records))


async def _until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - it is in another process, or a log
        await anyio.sleep(0.02)


async def test_a_claim_that_cannot_be_renewed_ends_the_run_before_it_ends(
    s3: str, sandbox: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del s3
    run = await sent_through(lambda _: anyio.sleep(30.0), sandbox, tmp_path, lease=2.0)
    assert (run.exit_code, run.summary.pending > 0) == (3, True)
    assert "could not be reached for so long that the claim of it ends" in str(run.summary.halted)
    assert any("is taken for tried" in record.getMessage() for record in caplog.records)


# One holder at a time


@pytest.mark.parametrize(
    "age, given_back, held", [(0.0, False, True), (31.0, False, True), (32.5, False, False), (0.0, True, False)]
)
def test_a_claim_ends_by_itself_or_is_given_back(age: float, *, given_back: bool, held: bool) -> None:
    told = {"host": "h", "pid": 1, "since": "then", "lasts": 30, "given_back": given_back, "copied": True}
    claim = claim_of(json.dumps(told).encode(), Version("e", "me", age))
    assert (claim.is_held, claim.name) == (held, "process 1 on h since then")


async def test_of_two_who_claim_at_once_one_is_turned_away(
    s3: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    async with objects_of(place, ENDPOINT) as objects:
        leases, ends = [Lease(objects, 30.0) for _ in range(5)], list[str]()

        async def take(lease: Lease) -> None:
            try:
                await lease.take()
            except RunBusy:
                ends.append("busy")
            else:
                ends.append("taken")

        async with anyio.create_task_group() as group:
            for lease in leases:
                group.start_soon(take, lease)
    assert sorted(ends) == ["busy"] * 4 + ["taken"]


async def test_who_has_lost_the_claim_can_neither_renew_nor_write(
    s3: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    async with objects_of(place, ENDPOINT) as objects:
        first, second = Lease(objects, 30.0), Lease(objects, 30.0)
        await first.take()
        etag = await objects.write("ledger.db", b"1", over=None, holder=first.holder)
        monkeypatch.setattr("bulk.run.lease.SLACK", -1000.0)  # a dead sender's claim has ended
        await second.take()
        await objects.write("ledger.db", b"2", over=etag, holder=second.holder)
        with pytest.raises(Halted, match="was lost to process"):
            await first.renew()
        with pytest.raises(Replaced):
            await objects.write("ledger.db", b"3", over=etag, holder=first.holder)
        await second.renew()


async def test_a_renewal_whose_answer_was_lost_is_known_for_its_own(
    s3: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    async with objects_of(place, ENDPOINT) as objects:
        lease = Lease(objects, 30.0)
        await lease.take()
        before = lease._etag
        await lease.renew()
        lease._etag = before  # as if that had not been answered
        await lease.renew()
        await lease.give_back()
        await Lease(objects, 30.0).take()


async def test_it_is_the_same_from_python(
    s3: str, place: str, sandbox: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in reach(sandbox, s3).items():
        monkeypatch.setenv(name, value)
    path = elsewhere(tmp_path, "first") / "campaign.toml"
    options: dict[str, Any] = {"state_dir": place, "endpoint_url": sandbox.url}
    run = await library.send(path, **options)
    assert (run.exit_code, run.results().height) == (0, 3)
    found = await library.status(path, state_dir=place)
    assert (found.summary.sent, found.results().height, found.sender) == (3, 3, None)
    runs = await library.send_all([path], **options)
    assert [one.summary.calls for one in runs] == [0]


def test_a_folder_on_a_network_file_system_is_refused_with_this_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.files.state.remote_kind", lambda _: "nfs4")
    with pytest.raises(library.LedgerError, match=r"network file system \(nfs4\).*s3://BUCKET/PREFIX"):
        state_folder(tmp_path)
