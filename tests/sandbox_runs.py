"""One campaign sent to a sandbox that outlives its runs, as often as a test asks."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import polars as pl

import bulk
from bulk.sandbox import Sandbox

INSTANCE = "11111111-1111-4111-8111-111111111111"
SMS: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "ContactFlowId": "22222222-2222-4222-8222-222222222222",
    "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/3333"},
    "InitialSystemMessage": {"Content": "Hi {{ name }}."},
    "Attributes": {"key": "{{ key }}"},
}
EMAIL: dict[str, Any] = {
    "InstanceId": INSTANCE,
    "FromEmailAddress": {"EmailAddress": "orders@shop.example"},
    "EmailMessage": {
        "MessageSourceType": "RAW",
        "RawMessage": {"Subject": "Order {{ key }}", "Body": "Hi {{ name }}.", "ContentType": "text/plain"},
    },
}
DRAFT: dict[str, Any] = {"UserInfo": {"UserId": "agent-1"}, "Attributes": {"key": "{{ key }}"}}
CHAT, CREATE, MAIL = "StartOutboundChatContact", "CreateContact", "StartOutboundEmailContact"
HANG = {"fault": "hang"}  # accepted, and no answer
FULL = {"fault": "error", "code": "ServiceQuotaExceededException"}  # not accepted, and to be waited for


class Runs:
    """Sends one campaign to a sandbox, as often as asked."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.settings: dict[str, Any] = {
            "name": "reminders",
            "list": {"key": "key"},
            "pacing": {"rate": 1000, "burst": 1000},
            "stop": {"grace": "50ms"},
        }
        self.sms()

    def sms(self, **changed: Any) -> None:
        self.settings |= {"channel": "sms", "request": {**SMS, **changed}}

    def email(self, **more: Any) -> None:
        self.settings |= {"channel": "email", "request": EMAIL, "create_contact": DRAFT, **more}

    def faults(self, *rules: dict[str, Any]) -> None:
        self.sandbox.set_faults({"rules": list(rules)})

    @property
    def campaign(self) -> bulk.Campaign:
        return bulk.Campaign(**self.settings)

    @property
    def options(self) -> dict[str, Any]:
        state = {"state_dir": self.folder / "state", "results": self.folder / "results.csv"}
        return {"endpoint_url": self.sandbox.url, "region": "us-west-2", **state}

    async def send(self, rows: Sequence[dict[str, str]], **options: Any) -> bulk.Run:
        return await bulk.send(self.campaign, contacts=pl.DataFrame(rows), **self.options, **options)

    async def cut_short(self, rows: Sequence[dict[str, str]], operation: str, after: int) -> bulk.Run:
        """Send, and stop when so many calls of an operation have come in; what hangs is left without an answer."""
        stop = bulk.Stop()
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_after, stop, operation, after)
            run = await self.send(rows, stop=stop)
        return run  # noqa: RET504 - a task group may swallow, says mypy

    async def _stop_after(self, stop: bulk.Stop, operation: str, after: int) -> None:
        while self.received(operation) < after:  # noqa: ASYNC110 - the server tells only who asks
            await anyio.sleep(0.005)
        stop.ask("cut short", 143)

    def contacts(self) -> Counter[str]:
        """Count the contacts of each key."""
        return Counter(contact["Parameters"]["Attributes"]["key"] for contact in self.sandbox.contacts)

    def received(self, operation: str) -> int:
        return int(self.sandbox.calls[operation]["received"])


def rows(keys: str) -> list[dict[str, str]]:
    return [
        {"key": key, "phone": f"+1206555{ord(key):04}", "email": f"{key}@example.com", "name": f"Ann {key}"}
        for key in keys
    ]


def statuses(run: bulk.Run) -> dict[str, str]:
    return dict(run.results().select("key", "status").iter_rows())


def reasons(run: bulk.Run) -> dict[str, str]:
    """Return the error codes of the rows that have one."""
    return dict(run.results().drop_nulls("error_code").select("key", "error_code").iter_rows())
