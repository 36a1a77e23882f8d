"""The usual ways, each as a program of its own: it sends so many rows, and prints what became of them as JSON.

    python -m bench_connect.peers aioboto3-tenacity --url http://127.0.0.1:8788 --rows 1000

Each is written as its documentation shows it, with the settings its users are told to make: a connection pool as large
as the calls in flight.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import aioboto3
import boto3
import tenacity
from aiobotocore.config import AioConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from bench_connect.programs import INSTANCE, REGION

THREADS = 32
Options = argparse.Namespace


def sms(row: int) -> dict[str, Any]:
    """Return the parameters of StartOutboundChatContact, as bulk makes them of the bench's campaign."""
    source = "arn:aws:connect:us-west-2:123456789012:phone-number/0d1e2f3a-4b5c-4d6e-8f70-8192a3b4c5d6"
    text = "Hi Ann, see you on 2026-11-20 10:30. Reply STOP to opt out."
    return {
        "InstanceId": INSTANCE,
        "ContactFlowId": "846ec553-a005-41c0-8341-0f5a6b7c8d9e",
        "SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": source},
        "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": f"+1415{row % 700_000 + 2_200_000}"},
        "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
        "InitialSystemMessage": {"ContentType": "text/plain", "Content": text},
        "Attributes": {"customer_id": f"c-{row}"},
    }


def draft() -> dict[str, Any]:
    """Return the parameters of CreateContact."""
    return {
        "InstanceId": INSTANCE,
        "Channel": "EMAIL",
        "InitiationMethod": "OUTBOUND",
        "UserInfo": {"UserId": "a1b2c3d4-e5f6-4708-8192-a3b4c5d6e7f8"},
    }


def email(row: int, contact: str) -> dict[str, Any]:
    """Return the parameters of StartOutboundEmailContact."""
    message = {
        "Subject": f"Your order c-{row}",
        "Body": "Dear Ann, your order leaves us on 2026-11-20 10:30.",
        "ContentType": "text/plain",
    }
    return {
        "InstanceId": INSTANCE,
        "ContactId": contact,
        "FromEmailAddress": {"EmailAddress": "orders@shop.example"},
        "DestinationEmailAddress": {"EmailAddress": f"customer.{row}@mail.example"},
        "EmailMessage": {"MessageSourceType": "RAW", "RawMessage": message},
    }


def counted(sent: Iterable[bool]) -> dict[str, int]:
    """Count what was sent, and what was given up."""
    ends = list(sent)
    return {"sent": ends.count(True), "failed": ends.count(False)}


# boto3 and threads


def boto3_threads(options: Options, *, mode: str) -> dict[str, int]:
    """Send from 32 threads that share a client; botocore retries, five times in all."""
    retries = {"mode": mode, "max_attempts": 5}
    config = Config(max_pool_connections=THREADS, retries=retries)
    client = boto3.client("connect", region_name=REGION, endpoint_url=options.url, config=config)

    def send(row: int) -> bool:
        try:
            if options.channel == "sms":
                client.start_outbound_chat_contact(**sms(row))
            else:
                contact = client.create_contact(**draft())["ContactId"]
                client.start_outbound_email_contact(**email(row, contact))
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return counted(pool.map(send, range(options.rows)))


# aioboto3


async def connected(
    options: Options, work: Callable[[Any], Awaitable[dict[str, Any]]], **settings: Any
) -> dict[str, Any]:
    """Do something with an aioboto3 client."""
    session = aioboto3.Session(region_name=REGION)
    async with session.client("connect", endpoint_url=options.url, config=AioConfig(**settings)) as client:
        return await work(client)


async def with_tenacity(options: Options, client: Any, at_once: int) -> dict[str, int]:
    """Send behind a semaphore, a task per row; tenacity backs off, botocore does not retry."""
    room = asyncio.Semaphore(at_once)

    @tenacity.retry(
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=20),
        stop=tenacity.stop_after_attempt(10),
        reraise=True,
    )
    async def patiently(call: Callable[..., Awaitable[dict[str, str]]], parameters: dict[str, Any]) -> str:
        return (await call(**parameters))["ContactId"]

    async def send(row: int) -> bool:
        async with room:
            try:
                if options.channel == "sms":
                    await patiently(client.start_outbound_chat_contact, sms(row))
                else:
                    contact = await patiently(client.create_contact, draft())
                    await patiently(client.start_outbound_email_contact, email(row, contact))
            except ClientError:
                return False
        return True

    return counted(await asyncio.gather(*map(send, range(options.rows))))


async def with_aiometer(options: Options, client: Any) -> dict[str, int]:
    """Let aiometer hold the rate, which it is told; botocore retries as it does by default."""
    import aiometer  # noqa: PLC0415 - it may not be installed; the other peers run without it

    async def send(row: int) -> bool:
        try:
            if options.channel == "sms":
                await client.start_outbound_chat_contact(**sms(row))
            else:
                contact = (await client.create_contact(**draft()))["ContactId"]
                await client.start_outbound_email_contact(**email(row, contact))
        except ClientError:
            return False
        return True

    jobs = [partial(send, row) for row in range(options.rows)]
    return counted(await aiometer.run_all(jobs, max_at_once=50, max_per_second=options.rate))


async def bare(options: Options, client: Any) -> dict[str, Any]:
    """Call with default settings, ten at once as the default pool takes them; measure the calls alone."""
    rows = iter(range(options.rows))

    async def work() -> None:
        for row in rows:
            await client.start_outbound_chat_contact(**sms(row))

    await client.start_outbound_chat_contact(**sms(0))
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(work() for _ in range(10)))
    return {
        "sent": options.rows,
        "failed": 0,
        "call_cpu": (time.process_time() - cpu) / options.rows,
        "call_seconds": (time.perf_counter() - wall) / options.rows,
    }


def tenacious(options: Options, *, at_once: int) -> dict[str, Any]:
    """Run aioboto3 with tenacity."""
    work = partial(with_tenacity, options, at_once=at_once)
    settings = {"max_pool_connections": at_once, "retries": {"total_max_attempts": 1}}
    return asyncio.run(connected(options, work, **settings))


def metered(options: Options) -> dict[str, Any]:
    """Run aioboto3 with aiometer."""
    return asyncio.run(connected(options, partial(with_aiometer, options), max_pool_connections=50))


def alone(options: Options) -> dict[str, Any]:
    """Run aioboto3 alone."""
    return asyncio.run(connected(options, partial(bare, options)))


PEERS: dict[str, Callable[[Options], dict[str, Any]]] = {
    "boto3-standard": partial(boto3_threads, mode="standard"),
    "boto3-adaptive": partial(boto3_threads, mode="adaptive"),
    "aioboto3-tenacity-10": partial(tenacious, at_once=10),
    "aioboto3-tenacity-50": partial(tenacious, at_once=50),
    "aiometer": metered,
    "aioboto3": alone,
}
NAMES = {
    "boto3-standard": "boto3, 32 threads, standard retries",
    "boto3-adaptive": "boto3, 32 threads, adaptive retries",
    "aioboto3-tenacity-10": "aioboto3, semaphore of 10, tenacity",
    "aioboto3-tenacity-50": "aioboto3, semaphore of 50, tenacity",
    "aiometer": "aioboto3, aiometer told the rate",
    "aioboto3": "aioboto3 alone, default settings",
}


def main() -> None:
    """Be one of the peers."""
    parser = argparse.ArgumentParser(description="One of the usual ways to send.")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--channel", choices=["sms", "email"], default="sms")
    parser.add_argument("--rate", type=float, default=50.0)
    options = parser.parse_args()
    begun = time.perf_counter()
    print(json.dumps({**PEERS[options.peer](options), "seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
