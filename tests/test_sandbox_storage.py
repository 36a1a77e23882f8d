"""What the sandbox keeps on disk: nothing that memory holds grows with it, and a folder outlives the process."""

import json
import math
import os
import sqlite3
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sandbox_requests import CHAT, DRAFT, INSTANCE, MAIL, accepted, account, send

from bulk.sandbox import Sandbox
from bulk.sandbox.account import Account, Settings
from bulk.sandbox.quotas import Quotas
from bulk.sandbox.state import Limits
from bulk.sandbox.storage import NAME, Storage


def lasting(folder: Path, **limits: Any) -> Account:
    return Account(Settings(Quotas(math.inf), Limits(**limits)), 0.0, Storage(folder))


def chat(token: str, **more: Any) -> dict[str, Any]:
    return CHAT | {"ClientToken": token} | more


def test_a_folder_keeps_contacts_tokens_and_what_is_open(tmp_path: Path) -> None:
    first = lasting(tmp_path)
    contact = accepted(first, "StartOutboundChatContact", chat("a"))
    draft = accepted(first, "CreateContact", DRAFT)
    accepted(first, "StartOutboundEmailContact", MAIL | {"ContactId": draft})
    first.contacts.keep()
    kept = [one.as_dict(1.0) for one in first.contacts]
    again = lasting(tmp_path, open_contacts={"chat": 1})
    assert [one.as_dict(1.0) for one in again.contacts] == kept
    assert accepted(again, "StartOutboundChatContact", chat("a")) == contact
    assert send(again, "StartOutboundChatContact", chat("b")).code == "LimitExceededException"
    assert send(again, "StopContact", {"InstanceId": INSTANCE, "ContactId": contact}, now=2.0).status == 200
    assert send(again, "StartOutboundChatContact", chat("b"), now=2.0).status == 200
    assert [one.seq for one in again.contacts] == [1, 2, 3]


def test_a_call_that_fails_leaves_nothing(tmp_path: Path) -> None:
    here = lasting(tmp_path)
    accepted(here, "StartOutboundChatContact", chat("a"))
    assert send(here, "StartOutboundChatContact", chat("a", Attributes={})).status == 409
    here.contacts.keep()
    assert len(lasting(tmp_path).contacts) == 1


KILLED = """
import os, sys
from pathlib import Path
from sandbox_requests import CHAT, accepted
from test_sandbox_storage import lasting
here = lasting(Path(sys.argv[1]))
contact = accepted(here, "StartOutboundChatContact", CHAT)
here.contacts.keep()
accepted(here, "StartOutboundChatContact", CHAT)
print(contact, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_was_kept_outlives_a_kill(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert killed.returncode == -9, killed.stderr
    assert [one.id for one in lasting(tmp_path).contacts] == [killed.stdout.strip()]


def test_a_folder_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "one"
    here = lasting(folder)
    accepted(here, "StartOutboundChatContact", CHAT)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


async def test_a_folder_belongs_to_one_sandbox_at_a_time(tmp_path: Path) -> None:
    async with Sandbox(state_dir=tmp_path, rate=math.inf):
        with pytest.raises(OSError, match="another sandbox"):
            async with Sandbox(state_dir=tmp_path):
                pass
    async with Sandbox(state_dir=tmp_path):
        pass


async def test_a_sandbox_without_a_folder_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    async with Sandbox() as sandbox:
        assert sandbox.contacts == []
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - an empty folder


@pytest.mark.parametrize("damage", [b"no database at all, and long enough to be taken for a page" * 90, None])
def test_a_file_that_is_none_of_its_own_is_refused(tmp_path: Path, damage: bytes | None) -> None:
    if damage is None:
        with sqlite3.connect(tmp_path / NAME) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    else:
        (tmp_path / NAME).write_bytes(damage)
    with pytest.raises(OSError, match="name another folder"):
        Storage(tmp_path)


def test_a_reset_forgets_all_of_it(tmp_path: Path) -> None:
    here = lasting(tmp_path, open_contacts={"chat": 1})
    first = accepted(here, "StartOutboundChatContact", chat("a"))
    here.reset(1.0)
    assert len(lasting(tmp_path).contacts) == 0
    assert accepted(here, "StartOutboundChatContact", chat("a"), now=1.0) != first


def test_half_a_character_is_kept_as_an_escape() -> None:
    here = account()
    request = chat("\ud83d", Attributes={"half": "\udc00"})
    first = accepted(here, "StartOutboundChatContact", request)
    assert accepted(here, "StartOutboundChatContact", request) == first
    (contact,) = here.contacts
    assert contact.as_dict(0.0)["Parameters"] == request


def test_memory_does_not_grow_with_the_contacts() -> None:
    here = account()
    _fill(here, 0, 2100)  # what Python keeps of freed tuples is then full
    tracemalloc.start()
    _fill(here, 2100, 2600)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(here.contacts) == 2600
    assert grown < 500 * 100  # Python's part: the times of the calls; a contact as an object takes more


def _fill(here: Account, start: int, end: int) -> None:
    for number in range(start, end):
        send(here, "StartOutboundChatContact", json.dumps(chat(f"t{number}")).encode())
