"""Emails that the workers of a cluster send: the real conversation, and a journal that takes its time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import anyio
from clusters import Driver
from fakes import CREATE, MAIL, Notes

from bulk.channels import CHANNELS
from bulk.delivery.delivery import Deliverer
from bulk.delivery.workers import send
from bulk.model import Delivery, Parameters, Progress, Recipient

PARAMETERS: dict[str, Parameters] = {
    "create_contact": {"InstanceId": "i"},
    "request": {"InstanceId": "i", "EmailMessage": {}},
}


@dataclass
class Mailing:
    """So many emails, sent by the workers of a driver. `progress` is what an earlier sender left."""

    driver: Driver
    notes: Notes = field(default_factory=Notes)
    progress: dict[int, Progress] = field(default_factory=dict)

    async def send(self, mails: int) -> None:
        driver = self.driver
        driver.operations = (CREATE, MAIL)
        async with driver.open():
            deliverer = Deliverer(
                caller=driver.runner,
                journal=self.notes,
                exchange=CHANNELS["email"].exchange,
                token_of=lambda operation, _, delivery: f"{operation} {delivery.recipient.key}",
                replay_within={CREATE: 3600.0, MAIL: 3600.0},
                now=anyio.current_time,
            )

            async def deliver(item: Delivery) -> None:
                await deliverer.deliver(item)

            await send(
                _batches(mails, self.progress),
                deliver,
                at_once=400,
                waiting=driver.waiting,
                stop=driver.stop,
                grace=10.0,
            )


async def _batches(mails: int, progress: dict[int, Progress]) -> AsyncIterator[Sequence[Delivery]]:
    for first in range(0, mails, 100):
        rows = range(first, min(first + 100, mails))
        yield [
            Delivery(row, Recipient(row, str(row), f"{row}@example.com", {}), PARAMETERS, progress.get(row, Progress()))
            for row in rows
        ]
