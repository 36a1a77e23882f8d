"""The program waits, on a terminal and for real, and says for what and until when; it …"""

import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cli_runs import CAMPAIGN, Service, at, bulk, campaign, service
from test_cli_terminal import screen

SEATTLE = ZoneInfo("America/Los_Angeles")  # where the numbers of the list are


def test_says_how_many_contacts_are_open_and_when_the_next_may_be(tmp_path: Path, sandbox: Service) -> None:
    hold = '\n[hold]\nopen_contacts = 2\nopen_for = "90s"\n'
    campaign(tmp_path, rows=4, text=CAMPAIGN + hold)
    with screen(tmp_path, "send", "campaign.toml", **at(sandbox.url)) as seen:
        seen.wait_until(r"waiting: 2 of 2 contacts open, next in [89]\d s")
        seen.type("\x03")
        assert seen.end() == 130
    assert "to go on with the rest: " in seen.words
    assert sandbox.received() == 2


def test_says_when_hours_open_there_and_for_how_many_rows_and_so_does_status(tmp_path: Path, sandbox: Service) -> None:
    opens = datetime.now(SEATTLE) + timedelta(hours=2)
    hours = f'\n[hours]\nevery_day = "{opens:%H:%M}-{opens + timedelta(minutes=30):%H:%M}"\n'
    campaign(tmp_path, rows=3, text=CAMPAIGN + hours)
    date = f"{opens:%Y-%m-%d} " if opens.date() != datetime.now(SEATTLE).date() else ""
    waits = f"waiting: opens {date}{opens:%H:%M} in America/Los_Angeles, 3 rows"
    with screen(tmp_path, "send", "campaign.toml", **at(sandbox.url)) as seen:
        seen.wait_for(waits)
        time.sleep(1.0)  # what `status` reads is written every second
        told = bulk("status", "campaign.toml", cwd=tmp_path)
        as_json = bulk("status", "campaign.toml", "--json", cwd=tmp_path).json
        seen.type("\x03")
        assert seen.end() == 130
    assert re.search(r"being sent by process \d+ on ", told.out)
    assert "this pass: 0 of 3 rows (0%): 0 sent" in told.out
    assert f"; {waits}" in told.out
    told_in_json = as_json["progress"]["waits"][0]
    assert datetime.fromisoformat(told_in_json.pop("until")) == opens.replace(second=0, microsecond=0)
    assert told_in_json == {"reason": "hours", "rows": 3, "zone": "America/Los_Angeles"}
    assert sandbox.received() == 0


def test_says_what_the_service_grants_where_that_is_less_than_the_campaign_asks_for(tmp_path: Path) -> None:
    with service("--rate", "5", "--burst", "5") as slow:
        campaign(tmp_path, rows=100, text=CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 20\nburst = 5"))
        with screen(tmp_path, "send", "campaign.toml", **at(slow.url)) as seen:
            seen.wait_until(r"the service grants about (4\.\d|5|5\.\d)/s, not 20, ends \d")
            seen.type("\x03")
            assert seen.end() == 130
