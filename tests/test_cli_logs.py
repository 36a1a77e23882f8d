"""What stands on stderr, whoever logs it: it …"""

import asyncio
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aws_services import pretending, refused
from cli_runs import Service, at, bulk, campaign

from bulk.cli import logs

SECRETS = ("+1206555", "Ann", "see you on", "AWS4-HMAC", "Signature=", "wJalrSECRET", "FQoGSECRET")


def keyed(url: str) -> dict[str, str]:
    return {**at(url), "AWS_SECRET_ACCESS_KEY": "wJalrSECRET", "AWS_SESSION_TOKEN": "FQoGSECRET"}


def test_debugging_shows_each_call_and_neither_body_nor_key_nor_number(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    words = "send", "campaign.toml", "--json"
    usual = bulk(*words, cwd=tmp_path, **keyed(sandbox.url))
    more = bulk(*words, "--run", "two", "--log-level", "debug", cwd=tmp_path, **keyed(sandbox.url))
    assert (usual.code, more.code) == (0, 0)
    assert "debug:" not in usual.err
    assert more.err.count("debug: StartOutboundChatContact: accepted as request ") == 3
    assert "debug: credentials from env" in more.err
    assert [secret for secret in SECRETS if secret in more.err] == []


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_an_answer_that_echoes_a_signature_is_not_logged(level: str, tmp_path: Path) -> None:
    campaign(tmp_path)
    echo = "no. The Canonical String for this request should have been 'x-amz-security-token:FQoGSECRET'"

    async def send() -> Any:
        async with pretending(refused("InvalidSignatureException", 403, echo)) as service:
            words = "send", "campaign.toml", "--log-level", level
            return await asyncio.to_thread(bulk, *words, cwd=tmp_path, **keyed(service.url))

    ended = asyncio.run(send())
    assert ended.code == 3
    assert "InvalidSignatureException" in ended.err
    assert [secret for secret in SECRETS[3:] if secret in ended.err] == []


def test_a_renewal_that_fails_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    campaign(tmp_path, rows=3)
    given = 0

    def once(_request: web.BaseRequest, _body: str) -> web.Response:
        nonlocal given
        given += 1
        return web.Response(status=500)

    async def send() -> Any:
        async with pretending(once) as agent, pretending() as service:
            env = {**at(service.url), "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{agent.url}/keys"}
            del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
            words = "send", "campaign.toml", "--log-format", "json"
            return await asyncio.to_thread(bulk, *words, cwd=tmp_path, **env)

    ended = asyncio.run(send())
    assert ended.code == 2
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert lines[-1]["message"].startswith("no usable AWS credentials: ")


def test_contacts_that_could_not_be_stopped_are_told_with_their_number(tmp_path: Path, sandbox: Service) -> None:
    assert bulk("init", "email", ".", cwd=tmp_path).code == 0
    sandbox.faults({"fault": "error", "operation": "StopContact", "code": "AccessDeniedException"})
    ended = bulk("send", "campaign.toml", "--limit", "2", "--json", cwd=tmp_path, **at(sandbox.url))
    assert ended.json["sent"] == 2
    assert ended.err.count("warning: StopContact fails (AccessDeniedException)") == 1
    assert "warning: 2 contacts could not be stopped (StopContact): they stay open until they expire" in ended.err


@pytest.mark.parametrize(
    "words, env",
    [
        (("send", "campaign.toml", "--nonsense", "--log-format", "json"), {}),
        (("send", "--log-format=json"), {}),
        (("send", "campaign.toml", "--log-format", "json", "--rate", "many"), {}),
        (("nonsense",), {"BULK_LOG_FORMAT": "json"}),
        (("send", "campaign.toml", "--nonsense"), {"BULK_LOG_FORMAT": "json"}),
    ],
)
def test_a_wrong_command_line_is_told_in_the_form_it_asks_for(
    words: tuple[str, ...], env: dict[str, str], tmp_path: Path
) -> None:
    ended = bulk(*words, cwd=tmp_path, **env)
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    told = json.loads(line)
    assert (told["level"], set(told)) == ("error", {"at", "level", "message"})


def test_a_wrong_command_line_is_told_as_text_where_that_was_said_last(tmp_path: Path) -> None:
    ended = bulk("send", "--log-format", "text", "--nonsense", cwd=tmp_path, BULK_LOG_FORMAT="json")
    assert ended.code == 2
    assert ended.err.startswith("Usage: bulk send ")


# Other people's loggers


@pytest.fixture
def told() -> Iterator[list[str]]:
    """Set our logging up, and put back what there was."""
    root, ours = logging.getLogger(), logging.getLogger("bulk")
    kept = root.handlers, root.level, ours.handlers, ours.level, ours.propagate
    lines: list[str] = []
    logs.set_up(lines.append, "json")
    logs.set_level("info")
    yield lines
    logging.captureWarnings(capture=False)
    root.handlers, ours.handlers, ours.propagate = kept[0], kept[2], kept[4]
    root.setLevel(kept[1])
    ours.setLevel(kept[3])


def fail() -> None:
    try:
        int("the body of +12065550100")
    except ValueError:
        logging.getLogger("botocore.credentials").warning(
            "Refreshing failed for ann@example.com\nand more\x1b[31m", exc_info=True
        )


def test_a_librarys_warning_is_one_line_without_traceback_or_destination(told: list[str]) -> None:
    fail()
    (line,) = map(json.loads, told)
    assert line["message"] == "botocore.credentials: Refreshing failed for … (ValueError)"
    assert set(line) == {"at", "level", "message"}


def test_debugging_adds_the_places_of_a_traceback_but_not_what_it_quotes(told: list[str]) -> None:
    logs.set_level("debug")
    fail()
    (line,) = map(json.loads, told)
    assert line["trace"][-1].endswith(" fail")
    assert "1206" not in told[0]


@pytest.mark.parametrize("name", ["botocore.endpoint", "botocore.auth", "aiobotocore.x", "asyncio", "aiohttp.client"])
@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_what_libraries_say_for_debugging_is_never_told(name: str, level: str, told: list[str]) -> None:
    logs.set_level(level)
    logging.getLogger(name).debug("Authorization: AWS4-HMAC")
    assert told == []


def test_warnings_of_python_go_the_same_way(told: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        (line,) = map(json.loads, told)
    assert line["message"].startswith("py.warnings: ")
    assert "DeprecationWarning: old" in line["message"]


def test_a_record_that_cannot_be_put_together_is_told_as_it_is(told: list[str]) -> None:
    (handler,) = [handler for handler in logging.getLogger().handlers if isinstance(handler, logs.Handler)]
    handler.emit(logging.LogRecord("asyncio", logging.ERROR, "", 0, "%d of %d", ("one",), None))
    assert json.loads(told[0])["message"] == "asyncio: %d of %d"


def test_an_exception_that_a_task_leaves_behind_is_a_line(told: list[str]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "lost", "exception": ValueError("x" * 9000)})

    asyncio.run(main())
    (line,) = map(json.loads, told)
    assert line["message"] == "asyncio: lost (ValueError)"
    assert sys.exc_info() == (None, None, None)
