"""Emails by workers, to a service that forgets the tokens of CreateContact: whatever dies and when, nobody gets two."""

import os
import random
import signal
import time
from pathlib import Path

from cli_runs import at, bulk, started
from clusters import Driver, Here, Service
from fakes import CREATE, MAIL
from forgetful import Forgetful, forgetful
from mailings import Mailing
from test_cluster_local import workers_of
from virtual import run

CAMPAIGN = """
name = "letters"
channel = "email"
contacts = "contacts.csv"

[list]
key = "id"

[create_contact]
UserInfo.UserId = "44444444-4444-4444-8444-444444444444"

[request]
InstanceId = "11111111-1111-4111-8111-111111111111"
FromEmailAddress.EmailAddress = "shop@example.com"
EmailMessage.MessageSourceType = "RAW"
EmailMessage.RawMessage = { Subject = "A word", Body = "Hello", ContentType = "text/plain" }

[pacing]
rate = 80
burst = 20

[retry]
attempts = 8
longest_wait = "40ms"
"""
ROWS = 120


def test_no_mail_leaves_before_its_draft_is_durable() -> None:
    async def main() -> list[str]:
        service = Service()
        mailing = Mailing(Driver(Here(service)))
        mailing.notes.diary = service.diary
        await mailing.send(100)
        return service.diary

    diary = run(main())
    for row in range(100):
        draft = f"c-{CREATE} {row}"
        asked, durable = diary.index(f"request {CREATE} {row}"), diary.index(f"answer 0 {draft}")
        assert asked < durable < diary.index(f"request {MAIL} {row}")


def test_nobody_gets_two_mails_whatever_dies_and_when(tmp_path: Path) -> None:
    lots = random.Random()
    path = tmp_path / "campaign.toml"
    path.write_text(CAMPAIGN)
    people = [f"person{row}@example.com" for row in range(ROWS)]
    listed = "".join(f"{row},{address}\n" for row, address in enumerate(people))
    (tmp_path / "contacts.csv").write_text(f"id,email\n{listed}")
    with forgetful() as service:
        for after in (20, 60):
            _a_life(path, service, until=after + lots.randint(0, 20), lots=lots)
        rest = bulk("send", path, "--json", cwd=tmp_path, **at(service.url))
    assert (rest.code, rest.json["sent"]) == (0, ROWS), rest.err
    assert {address: len(service.mailed[address]) for address in people} == dict.fromkeys(people, 1)
    assert max(service.drafts.values()) > 1  # the service was asked again, and had forgotten


def _a_life(path: Path, service: Forgetful, *, until: int, lots: random.Random) -> None:
    """Send until so many mails are out; then a worker dies, and soon after it the driver."""
    with started("send", path, "--cluster", "local:2", cwd=path.parent, **at(service.url)) as process:
        while service.mails < until:
            assert process.poll() is None
            time.sleep(0.002)
        os.kill(lots.choice(workers_of(process.pid)), signal.SIGKILL)
        time.sleep(lots.uniform(0.0, 0.1))
        process.kill()
