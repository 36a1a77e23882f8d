"""What events tell of people: replies that say stop, bounces, complaints; from files, S3 and a queue."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from buckets import client
from sandbox_runs import Runs, rows, statuses

import bulk
from bulk.rules.stop_words import says_stop
from bulk.run.event_documents import Malformed, events_in, events_of
from bulk.run.report import reported

SENDER = "orders@shop.example"


@pytest.fixture
async def sent(runs: Runs) -> Runs:
    runs.sandbox.set_quotas(ends_after=0)
    await runs.send(rows("abc"))
    return runs


@pytest.fixture
async def mailed(runs: Runs) -> Runs:
    runs.email()
    await runs.send(rows("abc"))
    return runs


@pytest.fixture
def aws(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """moto's server, for S3 and SQS."""
    for service in ("S3", "SQS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3)
    return s3


async def track(runs: Runs, events: Path | str, **changed: Any) -> bulk.Tracking:
    options = {**runs.options, "contacts": pl.DataFrame(rows("abc")), **changed}
    return await bulk.track(runs.campaign, events=events, **options)


def contact(runs: Runs, key: str) -> str:
    found = [one for one in runs.sandbox.contacts if one["Parameters"]["Attributes"]["key"] == key]
    return str(found[0]["ContactId"])


def reply(contact_id: str, text: str, **changed: Any) -> dict[str, Any]:
    said = {"Type": "MESSAGE", "ParticipantRole": "CUSTOMER", "Content": text, "ContactId": contact_id}
    return {**said, "AbsoluteTime": "2026-11-26T20:00:00Z", **changed}


def mail_event(kind: str, address: str, *, hard: bool = True, **mail: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"timestamp": datetime.now(UTC).isoformat()}
    people = [{"emailAddress": f"Ann <{address.upper()}>"}]
    if kind == "Bounce":
        about |= {"bounceType": "Permanent" if hard else "Transient", "bouncedRecipients": people}
    elif kind == "Complaint":
        about |= {"complainedRecipients": people}
    told = {"timestamp": datetime.now(UTC).isoformat(), "source": SENDER, "destination": [address], "messageId": "m"}
    return {"eventType": kind, "mail": {**told, **mail}, kind.lower(): about}


def in_sns(event: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "n", "Message": json.dumps(event)}


def write(path: Path, *events: Any) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


async def listed(runs: Runs) -> dict[str, str]:
    told = await bulk.suppress("list", state_dir=runs.folder / "state")
    return {one.destination: one.reason for one in told.entries}


# The words


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        " stop. ",
        "Stop!!",
        "stopall",
        "UNSUBSCRIBE",
        "please stop texting me",
        "Opt out",
        "opt-out",
        "ARRÊT",
        "Quit",
        "REVOKE",
        "Remove me from your list, thanks",
        "stop\u200b",
        "End",
        "no more messages please, STOP",
        "I do want to unsubscribe, thank you",
        "Stop any and all of this spam",
        "STOP sending me these texts",
        "kindly stop contacting us immediately",
        "just stop it already",
        "Remove my number off the list now",
        "pls stop messaging at this number",
        "plz stop, no sms for u from us",
        "stop writing a text to your list",
        "stop, thanks for texting",
        "Stop with your message",
    ],
)
def test_it_hears_a_stop_however_it_is_said(text: str) -> None:
    assert says_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "Cancel my appointment",
        "Don't stop",
        "When does it end?",
        "I stopped by yesterday",
        "stop " * 60,
        "please",
        "no",
        "remove the second item",
    ],
)
def test_it_hears_no_stop_in_what_is_about_something_else(text: str) -> None:
    assert not says_stop(text)


def test_a_campaign_may_name_words_of_its_own() -> None:
    assert not says_stop("Basta!")
    assert says_stop("Basta!", ["basta"])


# Replies


@pytest.mark.parametrize(
    "event",
    [
        lambda id_: reply(id_, "Stop."),
        lambda id_: in_sns(reply("another", "STOP", InitialContactId=id_)),
        lambda id_: {"Version": "2019-08-26", "ContactId": id_, "Transcript": [reply("", "hi"), reply("", "stop")]},
        lambda _: {"originationNumber": rows("b")[0]["phone"], "messageBody": "STOP", "messageKeyword": "K"},
    ],
    ids=["streamed", "in an envelope", "transcript", "two-way SMS"],
)
async def test_who_says_stop_is_written_to_no_more_by_any_campaign(
    sent: Runs, tmp_path: Path, event: Callable[[str], dict[str, Any]]
) -> None:
    path = write(tmp_path / "events.ndjson", event(contact(sent, "b")))
    told = await track(sent, path)
    assert (told.stops, told.listed, told.unlisted) == (1, 1, 0)
    assert await listed(sent) == {rows("b")[0]["phone"]: "said STOP (reminders)"}
    sent.settings |= {"name": "another"}
    again = await sent.send(rows("abc"))
    assert statuses(again) == {"a": "sent", "b": "skipped", "c": "sent"}
    sent.settings |= {"name": "reminders"}
    assert (await track(sent, path)).listed == 0


async def test_a_reply_shows_that_the_person_answered(sent: Runs, tmp_path: Path) -> None:
    told = await track(sent, write(tmp_path / "e", reply(contact(sent, "a"), "Thank you")))
    assert (told.answered, told.stops) == (1, 0)


async def test_what_agents_systems_and_strangers_say_stops_nobody(sent: Runs, tmp_path: Path) -> None:
    own = contact(sent, "a")
    events = [
        reply(own, "STOP", ParticipantRole="AGENT"),
        reply(own, "stop", Type="EVENT"),
        reply("somebody-else", "STOP"),
        {"originationNumber": "+14155550199", "messageBody": "STOP"},
    ]
    told = await track(sent, write(tmp_path / "e", *events))
    assert (told.stops, told.listed, await listed(sent)) == (0, 0, {})


async def test_who_is_not_found_in_the_list_now_is_listed_when_the_list_has_them(sent: Runs, tmp_path: Path) -> None:
    path = write(tmp_path / "e", reply(contact(sent, "b"), "STOP"))
    told = await track(sent, path, contacts=pl.DataFrame(rows("ac")))
    assert (told.stops, told.listed, told.unlisted) == (1, 0, 1)
    (tmp_path / "none").touch()
    told = await track(sent, tmp_path / "none")
    assert (told.stops, told.listed, told.unlisted) == (1, 1, 0)


# Mail


async def test_bounces_and_complaints_are_kept_and_listed_where_the_campaign_allows(
    mailed: Runs, tmp_path: Path
) -> None:
    events = [
        mail_event("Bounce", "a@example.com"),
        in_sns(mail_event("Complaint", "b@example.com")),
        {"source": "aws.ses", "detail": mail_event("Bounce", "c@example.com", hard=False)},
        mail_event("Delivery", "a@example.com"),
    ]
    path = write(tmp_path / "e", *events)
    told = await track(mailed, path)
    assert (told.bounces, told.soft_bounces, told.complaints, told.listed) == (1, 1, 1, 0)
    mailed.settings |= {"track": {"suppress": ["stop", "bounce", "complaint"]}}
    told = await track(mailed, path)
    assert (told.bounces, told.soft_bounces, told.complaints, told.listed) == (1, 1, 1, 2)
    assert {one.lower() for one in await listed(mailed)} == {"a@example.com", "b@example.com"}
    results = tmp_path / "r.parquet"
    await bulk.results(mailed.campaign, results, contacts=pl.DataFrame(rows("abc")), with_track=True, **mailed.options)
    assert pl.read_parquet(results)["feedback"].to_list() == ["bounce", "complaint", "soft_bounce"]


@pytest.mark.parametrize(
    "mail",
    [{"source": "other@shop.example"}, {"timestamp": datetime.fromtimestamp(time.time() - 86400, UTC).isoformat()}],
    ids=["another sender", "another time"],
)
async def test_mail_of_others_to_the_same_people_is_passed_over(
    mailed: Runs, tmp_path: Path, mail: dict[str, Any]
) -> None:
    told = await track(mailed, write(tmp_path / "e", mail_event("Bounce", "a@example.com", **mail)))
    assert told.bounces == 0


async def test_mail_is_known_by_its_contact_too(mailed: Runs, tmp_path: Path) -> None:
    tags = {"contact": [contact(mailed, "a")]}
    event = mail_event("Bounce", "moved@example.com", source="other@shop.example", tags=tags)
    told = await track(mailed, write(tmp_path / "e", event))
    assert told.bounces == 1


# Sources


def test_what_is_no_event_is_named_with_its_place_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text('{"a": 1}\nnope\n{"b": 2} [3]\n{"c": 4}\n')
    found = list(events_in(path, "e"))
    assert [one for one in found if not isinstance(one, Malformed)] == [{"a": 1}, {"b": 2}, {"c": 4}]
    assert [str(one).partition(":")[0] for one in found if isinstance(one, Malformed)] == ["e, line 2", "e, line 3"]
    path.write_text(json.dumps({"ContactId": "a", "Transcript": []}, indent=2))
    assert list(events_in(path, "e")) == [{"ContactId": "a", "Transcript": []}]
    assert list(events_of("", "e")) == []
    path.write_bytes(gzip.compress(b"{}"))
    assert [type(one) for one in events_in(path, "e")] == [Malformed]


async def test_a_malformed_line_keeps_nothing_of_the_rest_from_being_kept(sent: Runs, tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text("nope\n" + json.dumps(reply(contact(sent, "a"), "STOP")) + "\n")
    with pytest.raises(bulk.CampaignError, match="line 1: no JSON"):
        await track(sent, path)
    assert len(await listed(sent)) == 1


async def test_each_object_of_s3_is_read_once_and_a_malformed_one_again(sent: Runs, aws: str) -> None:
    s3, prefix = client(aws), f"events-{time.time_ns()}/"
    body = "".join(json.dumps(reply(contact(sent, key), "STOP")) for key in "ab")
    s3.put_object(Bucket="campaigns", Key=f"{prefix}2026/1.gz", Body=gzip.compress(body.encode()))
    s3.put_object(Bucket="campaigns", Key=f"{prefix}2026/2", Body=b"nope")
    told = await track(sent, f"s3://campaigns/{prefix}")
    assert (told.stops, told.listed, told.malformed) == (2, 2, 1)
    told = await track(sent, f"s3://campaigns/{prefix}")
    assert (told.asked, told.stops, told.malformed) == (0, 2, 1)
    s3.put_object(Bucket="campaigns", Key=f"{prefix}2026/2", Body=json.dumps(reply(contact(sent, "c"), "x")).encode())
    told = await track(sent, f"s3://campaigns/{prefix}")
    assert (told.asked, told.malformed) == (1, 0)


def queue(url: str, *bodies: str) -> tuple[Any, str]:
    import boto3  # noqa: PLC0415 - few tests need it

    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    sqs = boto3.client("sqs", endpoint_url=url, region_name="us-west-2", **keys)
    made = sqs.create_queue(QueueName=f"events-{time.time_ns()}")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=made, MessageBody=body)
    return sqs, made


def left(sqs: Any, url: str) -> list[str]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
    return sorted(one["Body"] for one in found)


async def test_a_queue_keeps_what_is_of_others_and_what_is_no_event(sent: Runs, aws: str) -> None:
    others, ours = json.dumps(reply("somebody-else", "STOP")), json.dumps(in_sns(reply(contact(sent, "a"), "STOP")))
    sqs, url = queue(aws, others, ours, ours, "nope")
    told = await track(sent, url)
    assert (told.stops, told.listed, told.malformed) == (1, 1, 1)
    assert left(sqs, url) == sorted(["nope", others])


async def test_a_message_is_deleted_only_when_what_it_says_is_kept(
    sent: Runs, aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs, url = queue(aws, json.dumps(reply(contact(sent, "a"), "STOP")))

    def fails(*_: object) -> None:
        raise bulk.LedgerError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("bulk.run.event_intake.EventIntake._record", fails)
        with pytest.raises(bulk.LedgerError, match="the disk is full"):
            await track(sent, url)
    assert len(left(sqs, url)) == 1


async def test_a_queue_may_be_named_by_its_arn_and_by_the_campaign(sent: Runs, aws: str) -> None:
    sqs, url = queue(aws, json.dumps(reply(contact(sent, "a"), "STOP")))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sent.settings |= {"track": {"events": arn}}
    told = await bulk.track(sent.campaign, contacts=pl.DataFrame(rows("abc")), **sent.options)
    assert (told.stops, told.listed) == (1, 1)


async def test_a_queue_that_is_not_there_is_an_error_that_names_the_permissions(sent: Runs, aws: str) -> None:
    with pytest.raises(bulk.CampaignError, match="sqs:ReceiveMessage"):
        await track(sent, f"{aws}/123456789012/none")


# The report


async def test_the_report_has_how_contacts_ended_and_what_came_back_where_it_is_asked_for(
    sent: Runs, tmp_path: Path
) -> None:
    sent.sandbox.set_quotas(answers=1.0)
    await bulk.track(sent.campaign, rate=10_000, burst=10_000, **sent.options)
    await track(sent, write(tmp_path / "e", reply(contact(sent, "b"), "STOP")))
    options = {**sent.options, "contacts": pl.DataFrame(rows("abc"))}
    page, told = await reported(sent.campaign, tmp_path / "r.html", with_track=True, **options)
    assert page is not None
    assert told["outcomes"]["states"] == {"ended": 3}
    assert told["outcomes"]["answers"] == {"answered": 3}
    assert told["outcomes"]["feedback"] == {"said STOP": 1}
    text = page.read_text("utf-8")
    assert "It is no receipt of delivery" in text
    assert "CONTACT_FLOW_DISCONNECT" in text
    _, plain = await reported(sent.campaign, **options)
    assert plain["outcomes"] is None
