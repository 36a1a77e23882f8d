"""`bulk.testing`, as the tests of another program use it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bulk.testing import running

TESTS = """
import math
import boto3, pytest
from botocore.config import Config
from sandbox_requests import CHAT

def send(sandbox, **changed):
    options = {**sandbox.client_options, "config": Config(retries={"total_max_attempts": 1})}
    return boto3.client("connect", **options).start_outbound_chat_contact(**CHAT, **changed)

def test_it_accepts(sandbox):
    sent = send(sandbox, ClientToken="t")
    (contact,) = sandbox.contacts
    assert (contact["ContactId"], contact["Destination"]) == (sent["ContactId"], "+14155550123")
    assert sandbox.calls["StartOutboundChatContact"]["accepted"] == 1
    assert sandbox.environment["AWS_ENDPOINT_URL_CONNECT"] == sandbox.url
    sandbox.reset()
    assert sandbox.contacts == []

def test_it_fails_as_told(sandbox):
    sandbox.faults = {"rules": [{"fault": "error", "code": "InternalServiceException"}]}
    with pytest.raises(Exception, match="InternalServiceException"):
        send(sandbox)
    assert sandbox.faults["rules"] and not sandbox.contacts
    with pytest.raises(ValueError, match="rules"):
        sandbox.faults = {"rules": 1}

@pytest.mark.sandbox(rate=0, burst=1)
def test_it_has_its_settings(sandbox):
    send(sandbox)
    with pytest.raises(Exception, match="Throttling"):
        send(sandbox)
    sandbox.set_quotas(rate=math.inf)
    send(sandbox)
"""


def test_another_programs_tests_pass_with_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bulk.testing"]\n')
    (tmp_path / "test_theirs.py").write_text(TESTS)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "--strict-markers",
        ".",
    ]
    ended = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, check=False, capture_output=True, text=True
    )
    assert (ended.returncode, "3 passed" in ended.stdout) == (0, True), ended.stdout + ended.stderr


def test_a_sandbox_that_cannot_start_says_why() -> None:
    with running() as one, pytest.raises(OSError), running(port=int(one.url.rpartition(":")[2])):  # noqa: PT011 - whatever the system says
        pass
