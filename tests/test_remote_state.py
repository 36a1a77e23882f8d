"""A state directory in S3: it is claimed by one sender at a time, and outlives the machine that works on it."""

import json
import logging
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
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
ENDPOINT = Endpoint(region="us-west-2", credentials=("key", "secret"))


@pytest.fixture
def place(s3: str, tmp_path: Path) -> str:
    """A prefix of this test's own."""
    del s3
    return f"s3://campaigns/{tmp_path.name}"


@pytest.fixture
def options(s3: str, place: str, sandbox: Service, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What leads to the sandbox and to that prefix."""
    for name, value in reach(sandbox, s3).items():
        monkeypatch.setenv(name, value)
    return {"state_dir": place, "endpoint_url": sandbox.url}


def reach(sandbox: Service, s3: str) -> dict[str, str]:
    return {**at(sandbox.url), "AWS_ENDPOINT_URL_S3": s3}


def key(place: str, name: str) -> dict[str, str]:
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": f"{prefix}/{name}"}


def asked(s3: str, place: str, query: str, path: Path) -> list[Any]:
    """Return what the copy in S3 answers."""
    path.write_bytes(client(s3).get_object(**key(place, "ledger.db"))["Body"].read())
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def elsewhere(tmp_path: Path, name: str, *, rows: int = 3, text: str = CAMPAIGN) -> Path:
    """Write the campaign to another machine's disk, as it were."""
    return campaign(tmp_path / name, rows=rows, text=text)


async def test_what_was_sent_on_one_machine_is_known_on_the_next(
    s3: str, place: str, options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    first, second = (elsewhere(tmp_path, name) for name in ("first", "second"))
    run = await library.send(first, limit=2, **options)
    assert (run.exit_code, (first.parent / ".bulk").exists()) == (4, False)
    assert asked(s3, place, "SELECT ended FROM copied", tmp_path / "copy") == [(1,)]
    assert asked(s3, place, "SELECT count(*) FROM kept_file", tmp_path / "copy") == [(1,)]  # the pace
    told = await library.status(second, state_dir=place)
    assert (told.summary.sent, told.summary.pending, told.sender, told.results().height) == (2, 1, None, 3)
    assert (await library.check(second, **options)).rows == 3
    assert (await library.send(second, dry_run=True, **options)).summary.pending == 1
    run = await library.send(second, **options)
    assert (run.exit_code, run.results().height, sandbox.received()) == (0, 3, 3)
    written = await library.results(first, tmp_path / "r.csv", state_dir=place)
    assert written.read_text().count(",sent,") == 3
    await library.report(first, tmp_path / "r.html", state_dir=place)


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
rate = 1
burst = 8
[retry]
attempts = 1
replay_within = "1s"
"""
ROWS = 60  # most of them for so many seconds


async def test_after_a_kill_a_second_sender_waits_and_old_doubts_are_sent_to_nobody(
    s3: str, place: str, options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    first, second = (elsewhere(tmp_path, name, text=INBOUND) for name in ("first", "second"))
    rows = "".join(f"{row},ann{row}@shop.example,Ann\n" for row in range(ROWS))
    for path in (first, second):
        (path.parent / "contacts.csv").write_text("id,email,name\n" + rows)
    with started("send", first.name, "--state-dir", place, cwd=first.parent, **reach(sandbox, s3)) as process:
        while sandbox.received("StartEmailContact") < 4:
            assert process.poll() is None, process.communicate()
            await anyio.sleep(0.01)
        with pytest.raises(RunBusy, match=f"process {process.pid} on "):
            await library.send(second, **options)
        told = await library.status(second, state_dir=place)
        assert str(told.sender).startswith(f"process {process.pid} on ")
        process.kill()
        process.communicate()
    ended = bulk("send", second.name, "--state-dir", place, cwd=second.parent, **reach(sandbox, s3))
    assert (ended.code, f"process {process.pid} on " in ended.err) == (75, True), ended.err
    client(s3).delete_object(**key(place, "claim.json"))  # as if so much time had passed
    await anyio.sleep(1.0)
    told = await library.status(second, state_dir=place)
    assert (told.summary.pending, told.summary.sent + told.summary.unknown) == (0, ROWS)
    before = sandbox.received("StartEmailContact")
    for _ in range(2):
        run = await library.send(second, **options)
        assert (run.exit_code, run.summary.unknown > 0, run.summary.calls) == (1, True, 0)
    assert sandbox.received("StartEmailContact") == before
    listed = await library.resolve(second, state_dir=place)
    assert {one.error_code for one in listed.unknown} == {"token_expired"}
    resolved = await library.resolve(second, "resend", state_dir=place)
    assert (resolved.decided, resolved.unknown) == (run.summary.unknown, [])
    assert (await library.send(second, rate=500, burst=60, **options)).summary.sent == ROWS


async def test_sigterm_leaves_nothing_in_doubt(
    s3: str, place: str, options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    path = elsewhere(tmp_path, "first", rows=60, text=SLOW)
    with started("send", path.name, "--state-dir", place, cwd=path.parent, **reach(sandbox, s3)) as process:
        sandbox.wait_for(4, process)
        process.send_signal(signal.SIGTERM)
        assert end_of(process).code == 143
    told = await library.status(path, state_dir=place)
    assert (told.summary.sent, told.summary.unknown) == (sandbox.received(), 0)
    assert (await library.send(path, limit=1, **options)).exit_code == 4  # the claim was given back


async def test_several_campaigns_share_one_claim_and_caps_travel_along(
    options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    first = elsewhere(tmp_path, "first")
    capped = CAMPAIGN + '\n[caps]\nany = { at_most = 1, within = "24h" }\n'
    paths = [first.with_name(f"{name}.toml") for name in ("one", "two", "three")]
    for path in paths:
        text = capped if path.stem == "three" else CAMPAIGN
        path.write_text(text.replace('"reminders"', f'"{path.stem}"'))
    assert [run.exit_code for run in await library.send_all(paths[:2], **options)] == [0, 0]
    last = await library.send(paths[2], **options)
    assert (last.summary.skipped, sandbox.received()) == (3, 6)


async def test_a_rehearsal_has_a_place_of_its_own(
    s3: str, place: str, options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    del options
    path = elsewhere(tmp_path, "first")
    assert (await library.send(path, sandbox=True, state_dir=place)).exit_code == 0
    assert asked(s3, f"{place}/sandbox", "SELECT count(*) FROM delivery", tmp_path / "copy") == [(3,)]
    told = await library.status(path, state_dir=place)
    assert (told.summary.sent, told.summary.rehearsal, sandbox.received()) == (3, True, 0)


@pytest.mark.parametrize(
    "named, told",
    [
        ("gs://campaigns/x", "no folder and no s3://BUCKET/PREFIX"),
        ("s3://", "no folder and no s3://BUCKET/PREFIX"),
        ("s3://nowhere-at-all/x", "NoSuchBucket"),
    ],
)
async def test_a_place_that_is_none_is_said_to_be_none(
    named: str, told: str, options: dict[str, Any], tmp_path: Path
) -> None:
    path = elsewhere(tmp_path, "first")
    for command in (library.send, library.status):
        with pytest.raises(library.BulkError, match=told) as raised:
            await command(path, **options | {"state_dir": named})
        assert raised.value.exit_code == 2


async def test_a_ledger_that_is_gone_is_not_taken_for_one_that_never_was(
    s3: str, place: str, options: dict[str, Any], sandbox: Service, tmp_path: Path
) -> None:
    path = elsewhere(tmp_path, "first")
    await library.send(path, **options)
    client(s3).delete_object(**key(place, "ledger.db"))
    with pytest.raises(library.LedgerError, match="is gone, and was there"):
        await library.send(path, **options)
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
    path = elsewhere(folder, "first", rows=400, text=SLOW)
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

    run = await sent_through(while_it_is_said, sandbox, tmp_path, lease=4.0)
    assert (run.exit_code, run.summary.halted) == (4, None)
    assert run.summary.sent >= before > 0


async def _said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    await _until(lambda: any(words in record.getMessage() for record in caplog.records))


async def _until(what: Callable[[], bool]) -> None:
    while not what():  # noqa: ASYNC110 - it is in another process, or a log
        await anyio.sleep(0.02)


async def test_a_claim_that_cannot_be_renewed_ends_the_run_before_it_ends(
    s3: str, sandbox: Service, tmp_path: Path
) -> None:
    del s3
    run = await sent_through(lambda _: anyio.sleep(30.0), sandbox, tmp_path, lease=2.0)
    assert (run.exit_code, run.summary.pending > 0) == (3, True)
    assert "could not be reached for so long that the claim of it ends" in str(run.summary.halted)


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


def test_a_folder_on_a_network_file_system_is_refused_with_this_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.files.state.remote_kind", lambda _: "nfs4")
    with pytest.raises(library.LedgerError, match=r"network file system \(nfs4\).*s3://BUCKET/PREFIX"):
        state_folder(tmp_path)
