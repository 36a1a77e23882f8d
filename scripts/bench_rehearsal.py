"""Rehearse a campaign in virtual time, and hold its end to the plan's promise: `scripts/bench rehearsal [ROWS [LIST]]`.

By default 10,000 SMS at 2 a second, sent between 9:00 and 20:00 by the clock of each person, who may be written to once
a day, with 500 chats open at once for an hour each. The list has one time zone, or as LIST says: `zones` (five, mixed),
`sorted` (one after the other) or `capped` (one, and each third row is of a person further up). Further arguments go to
`bulk send`.
It prints one JSON object, and ends with 1 where the end is more than 1 % off, or it took longer than a minute.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAMPAIGN = """
name     = "rehearsal"
channel  = "sms"
contacts = "contacts.csv"

[list]
key     = "id"
country = "US"

[request]
InstanceId             = "8f3c2b1a-5d4e-4f60-9a7b-1c2d3e4f5a6b"
ContactFlowId          = "846ec553-a005-41c0-8341-0f5a6b7c8d9e"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/0d1e2f3a-4b5c-4d6e-8f70-8192a3b4c5d6"
InitialSystemMessage.Content = "Hello {{ id }}, see you tomorrow."
ParticipantDetails.DisplayName = "You"
ChatDurationInMinutes  = 60

[pacing]
rate  = 2
burst = 5

[hold]
open_contacts = 500

[hours]
every_day = ["09:00-20:00"]

[caps]
sms = { at_most = 1, within = "24h" }
"""
WITHIN = 0.01  # of the planned time
SECONDS = 60.0


CODES = ("212", "312", "303", "415", "808")  # from New York to Honolulu


def main(rows: int, kind: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "campaign.toml").write_text(CAMPAIGN, "utf-8")
        (Path(folder) / "contacts.csv").write_text(_contacts(rows, kind), "utf-8")
        command = [sys.executable, "-m", "bulk", "send", "campaign.toml", "--sandbox", "--virtual-time", "--json"]
        began = time.monotonic()
        ended = subprocess.run([*command, "--quiet", *sys.argv[3:]], cwd=folder, stdout=subprocess.PIPE, check=False)
        took, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(ended.stdout)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps(told | {"exit_code": ended.returncode, "took": round(took, 1), "cpu": round(cpu, 1)}, indent=2))
    late = told["virtual_time"]["late"]
    return int(late is None or abs(late) > WITHIN or cpu > SECONDS)


def _contacts(rows: int, kind: str) -> str:
    phones = {
        "one": lambda row: f"+120655{row:05d}",
        "zones": lambda row: f"+1{CODES[row % 5]}55{row:05d}",
        "sorted": lambda row: f"+1{CODES[row * 5 // rows]}55{row:05d}",
        "capped": lambda row: f"+120655{row % (rows * 2 // 3):05d}",
    }
    lines = [f"{row},{phones[kind](row)}" for row in range(rows)]
    return "\n".join(["id,phone", *lines]) + "\n"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, sys.argv[2] if len(sys.argv) > 2 else "one"))
