"""Credentials as a step of their own, from real processes, files and servers: it …"""

import asyncio
import json
import shlex
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aws_services import (
    ACCEPTED,
    Answer,
    pretending,
    profile,
    stamp,
    sts,
    sts_refuses,
)
from botocore.credentials import ReadOnlyCredentials, SSOProvider
from botocore.exceptions import RefreshWithMFAUnsupportedError
from cli_runs import campaign

import bulk
from bulk.aws import credential_providers, credentials
from bulk.aws.connect import Connect, Endpoint
from bulk.aws.credentials import Credentials
from bulk.aws.lookups import applied_rate, fetch, opted_out
from bulk.errors import SetupError
from bulk.model import Call

CHAT = Call("StartOutboundChatContact", {"InstanceId": "i", "ContactFlowId": "f"})
ROLE = "arn:aws:iam::123456789012:role/r"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_agent_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def called(url: str, times: int = 1) -> Any:
    async with Connect(Endpoint(url, "us-west-2"), at_once=2) as connect:
        for _ in range(times):
            await connect.prepare()
            reply = await connect.call(CHAT, "token-1")
        return reply.members


def configured(patch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    (folder / "config").write_text(text)
    patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))


def python(code: str) -> str:
    return f"{sys.executable} -c {shlex.quote(code)}"


Way = Callable[[pytest.MonkeyPatch, Path], None]


def an_expired_environment(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    patch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z")


def an_environment_with_nonsense_for_an_end(patch: pytest.MonkeyPatch, folder: Path) -> None:
    an_expired_environment(patch, folder)
    patch.setenv("AWS_CREDENTIAL_EXPIRATION", "soon")


def a_key_with_a_line_break(patch: pytest.MonkeyPatch, folder: Path) -> None:
    an_expired_environment(patch, folder)
    patch.delenv("AWS_CREDENTIAL_EXPIRATION")
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE\n")


def a_token_with_a_line_break(patch: pytest.MonkeyPatch, folder: Path) -> None:
    an_expired_environment(patch, folder)
    patch.delenv("AWS_CREDENTIAL_EXPIRATION")
    patch.setenv("AWS_SESSION_TOKEN", "token\r\n")


def process(command: str) -> Way:
    return lambda patch, folder: configured(patch, folder, profile(credential_process=command))


def no_token_file(patch: pytest.MonkeyPatch, folder: Path) -> None:
    configured(patch, folder, profile(role_arn=ROLE, web_identity_token_file=folder / "gone"))


def an_agent_that_is_gone(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{NOWHERE}/keys")


def no_sso_token(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(folder))
    configured(patch, folder, sso())


def sso() -> str:
    return profile(
        sso_start_url="https://d-1.awsapps.com/start",
        sso_region="us-west-2",
        sso_account_id="123456789012",
        sso_role_name="r",
        region="us-west-2",
    )


def mfa_and_nobody_there(patch: pytest.MonkeyPatch, folder: Path) -> None:
    source = "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n"
    mine = profile(role_arn=ROLE, source_profile="base", mfa_serial="arn:aws:iam::1:mfa/me")
    configured(patch, folder, mine + source)


KEYS = {"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "s", "SessionToken": "t"}
WRONG: list[tuple[Way, str]] = [
    (an_expired_environment, r"they expired at 2026-01-01 00:00:00\+00:00\. Log in again and set AWS_ACCESS_KEY_ID"),
    (an_environment_with_nonsense_for_an_end, r".*soon"),
    (a_key_with_a_line_break, r"the key id has a space, a line break"),
    (a_token_with_a_line_break, r"the session token has a space, a line break"),
    (process("/nowhere/keys --now"), r".*cannot be started: .*No such file.*/nowhere/keys.*by hand"),
    (process(python("print('words')")), r".*printed no JSON object.*by hand"),
    (process(python("print([1])")), r".*printed no JSON object"),
    (process(python("print('[' * 100_000)")), r".*printed no JSON object"),
    (process(python("print('{}')")), r".*Unsupported version.*Run the credential_process of the AWS profile by hand"),
    (process(python("import sys; sys.exit('no luck')")), r".*no luck.*credential_process"),
    (process(python(f"print({json.dumps(json.dumps({'Version': 1, 'AccessKeyId': 'A'}))})")), r".*SecretAccessKey"),
    (process(python(f"print({json.dumps(json.dumps({**KEYS, 'AccessKeyId': 7}))})")), r"there is no key id"),
    (process(python(f"print({json.dumps(json.dumps({**KEYS, 'Expiration': stamp(-9)}))})")), r"they expired at"),
    (process(python("import time; time.sleep(60)")), r".*did not end within 0\.5 s.*credential_process"),
    (no_token_file, r".*gone.*AWS_WEB_IDENTITY_TOKEN_FILE"),
    (an_agent_that_is_gone, r".*AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    (no_sso_token, r".*aws sso login"),
    (mfa_and_nobody_there, r"nobody is there to be asked for the MFA code"),
]


@pytest.mark.parametrize("way, said", WRONG)
async def test_whatever_is_wrong_with_credentials_is_said_with_the_remedy_before_any_call(
    way: Way, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_providers, "PROCESS_WITHIN", 0.5)
    way(monkeypatch, tmp_path)
    async with pretending() as service:
        with pytest.raises(SetupError, match=f"^no usable AWS credentials: {said}"):
            await called(service.url)
    assert service.requests == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda endpoint, folder: fetch("s3://lists/people.csv", endpoint, folder),
        lambda endpoint, _: opted_out("Default", endpoint),
        lambda endpoint, _: applied_rate("StopContact", endpoint),
    ],
    ids=["list", "opt-outs", "quota"],
)
async def test_other_clients_say_the_same(ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    an_expired_environment(monkeypatch, tmp_path)
    with pytest.raises(SetupError, match=r"^no usable AWS credentials: they expired at"):
        await ask(Endpoint(region="us-west-2"), tmp_path)


def agent(*, seconds: float | None = 3600, **changed: Any) -> Answer:
    """Return an agent of a container, whose keys last for so many seconds."""
    given = 0

    def answer(_request: web.BaseRequest, _body: str) -> web.Response:
        nonlocal given
        given += 1
        keys = {"AccessKeyId": f"AKIDROLE{given}", "SecretAccessKey": "s", "Token": "t"}
        told = {**keys, "Expiration": None if seconds is None else stamp(seconds), **changed}
        return web.json_response({name: value for name, value in told.items() if value is not None})

    return answer


@pytest.mark.parametrize(
    "answer, said",
    [
        (agent(AccessKeyId=None), "the answer has no AccessKeyId"),
        (agent(AccessKeyId=""), "there is no key id"),
        (agent(seconds=-5), "they expired at"),
        (agent(seconds=None), "the answer has no Expiration"),
        (agent(Expiration="tomorrow"), ".*tomorrow"),
        (lambda _request, _body: web.Response(text="<html>hello</html>"), ".*Unable to parse JSON"),
        (lambda _request, _body: web.json_response(["no", "keys"]), ".*"),
    ],
)
async def test_an_agent_that_gives_no_keys_is_said_to(
    answer: Answer, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending() as service, pretending(answer) as host:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{host.url}/keys")
        with pytest.raises(SetupError, match=f"^no usable AWS credentials: {said}"):
            await called(service.url)
    assert service.requests == []


def a_role(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    patch.setenv("AWS_ENDPOINT_URL_STS", url)
    source = "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n"
    configured(patch, folder, profile(role_arn=ROLE, source_profile="base") + source)


def a_web_identity(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    patch.setenv("AWS_ENDPOINT_URL_STS", url)
    (folder / "token").write_text("token")
    configured(patch, folder, profile(role_arn=ROLE, web_identity_token_file=folder / "token"))


def an_agent(patch: pytest.MonkeyPatch, _: Path, url: str) -> None:
    patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/keys")


def a_process(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    code = (
        f"import json, urllib.request as r; keys = json.load(r.urlopen({url!r})); "
        "print(json.dumps({**keys, 'Version': 1, 'SessionToken': keys['Token']}))"
    )
    (folder / "keys.py").write_text(code)
    configured(patch, folder, profile(credential_process=f"{sys.executable} {folder / 'keys.py'}"))


def an_sso_login(patch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    patch.setenv("AWS_ENDPOINT_URL_SSO", url)
    patch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(folder))
    token = {"startUrl": "s", "region": "us-west-2", "accessToken": "t", "expiresAt": stamp(3600)}
    (folder / "03a8d11dc1a8f1a5a7a6b4d5a7bd1ea4d1bc8b9f.json").write_text("{}")
    from botocore.utils import JSONFileCache, SSOTokenLoader  # noqa: PLC0415 - only here

    SSOTokenLoader(cache=JSONFileCache(str(folder))).save_token("https://d-1.awsapps.com/start", token)
    configured(patch, folder, sso())


def sso_portal(seconds: float) -> Answer:
    given = 0

    def answer(_request: web.BaseRequest, _body: str) -> web.Response:
        nonlocal given
        given += 1
        keys = {"accessKeyId": f"AKIDROLE{given}", "secretAccessKey": "s", "sessionToken": "t"}
        return web.json_response({"roleCredentials": {**keys, "expiration": int((time.time() + seconds) * 1000)}})

    return answer


SHORT = 3.0  # seconds: so long live the keys below
SOURCES = [
    (a_role, lambda: sts(SHORT)),
    (a_web_identity, lambda: sts(SHORT)),
    (an_agent, lambda: agent(seconds=SHORT)),
    (a_process, lambda: agent(seconds=SHORT)),
    (an_sso_login, lambda: sso_portal(SHORT)),
]


@pytest.mark.parametrize("way, made", SOURCES, ids=[way.__name__ for way, _ in SOURCES])
async def test_a_long_run_goes_through_many_renewals(
    way: Any, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending() as service, pretending(made()) as source:
        way(monkeypatch, tmp_path, source.url)
        async with Connect(Endpoint(service.url, "us-west-2"), at_once=2) as connect:
            ends = time.monotonic() + 2 * SHORT
            while time.monotonic() < ends:
                await connect.prepare()
                assert (await connect.call(CHAT, "t")).members == ACCEPTED
                await asyncio.sleep(0.05)
    assert len(set(service.keys)) >= 3
    assert len(source.requests) <= len(set(service.keys)) + 1  # not one for each call


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
async def test_an_error_of_sts_is_never_a_rows(status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending() as service, pretending(sts_refuses("InvalidIdentityToken", status)) as tokens:
        a_web_identity(monkeypatch, tmp_path, tokens.url)
        with pytest.raises(SetupError, match=r"AssumeRoleWithWebIdentity was refused \(InvalidIdentityToken: no\)"):
            await called(service.url)


async def test_an_error_of_sso_is_never_a_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(_request: web.BaseRequest, _body: str) -> web.Response:
        return web.json_response({"message": "no"}, status=400, headers={"x-amzn-ErrorType": "InvalidRequestException"})

    async with pretending() as service, pretending(no) as portal:
        an_sso_login(monkeypatch, tmp_path, portal.url)
        with pytest.raises(SetupError, match=r"GetRoleCredentials was refused \(InvalidRequestException.*sso login"):
            await called(service.url)


async def test_a_wrong_clock_is_called_that_by_sts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "Signature expired: 20261120T000000Z is now earlier than 20261120T001000Z"
    async with pretending() as service, pretending(sts_refuses("SignatureDoesNotMatch", 403, message)) as tokens:
        a_role(monkeypatch, tmp_path, tokens.url)
        with pytest.raises(SetupError, match=r"clock skew: .*Set the clock \(NTP\)"):
            await called(service.url)


# In the middle of a run


async def test_keys_that_end_in_the_middle_halt_the_run_and_cost_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, given = agent(seconds=5), 0

    def once(request: web.BaseRequest, body: str) -> web.Response:
        nonlocal given
        given += 1
        return good(request, body) if given == 1 else web.Response(status=500)

    path = campaign(tmp_path, rows=300)
    path.write_text(path.read_text().replace("rate = 500\nburst = 500", "rate = 30\nburst = 5"))
    async with pretending() as service, pretending(once) as host:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{host.url}/keys")
        where: dict[str, Any] = {"endpoint_url": service.url, "region": "us-west-2"}
        run = await bulk.send(path, **where)
        told = run.summary
        assert run.exit_code == 3
        assert told.halted is not None
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in told.halted
        assert 0 < told.sent == told.calls == len(service.requests) < 300
        assert (told.rejected, told.unknown, told.pending) == (0, 0, 300 - told.sent)
        host.answer = agent()
        again = await bulk.send(path, **where)
        assert (again.exit_code, again.summary.sent, len(service.requests)) == (0, 300, 300)


# By the clock, without servers


class Source:
    """The SDK's own object, as far as it is used: keys that last for so long, or what goes wrong."""

    method = "env"
    _frozen_credentials = None

    def __init__(self, clock: list[float], lifetime: float) -> None:
        self.clock, self.lifetime = clock, lifetime
        self.asked: list[float] = []
        self.wrong: Exception | None = None
        self.slow = 0.0

    async def _refresh_using(self) -> dict[str, Any]:
        self.asked.append(self.clock[0])
        await asyncio.sleep(self.slow)
        if self.wrong:
            raise self.wrong
        ends = datetime.fromtimestamp(self.clock[0] + self.lifetime, UTC)
        return {"access_key": f"K{len(self.asked)}", "secret_key": "s", "token": "t", "expiry_time": ends}


def held(lifetime: float) -> tuple[Credentials, Source, list[float]]:
    clock = [1_000.0]
    source = Source(clock, lifetime)
    return Credentials(source, now=lambda: clock[0]), source, clock


@pytest.mark.parametrize(
    "lifetime, renewed_after", [(60.0, 45.0), (900.0, 675.0), (3600.0, 3000.0), (43200.0, 42600.0)]
)
async def test_keys_are_renewed_a_while_before_their_end(lifetime: float, renewed_after: float) -> None:
    keys, source, clock = held(lifetime)
    for second in range(int(lifetime)):
        clock[0] = 1_000.0 + second
        await keys.fresh()
    assert source.asked == [1_000.0, 1_000.0 + renewed_after]


async def test_a_renewal_that_fails_is_told_while_the_old_keys_last(caplog: pytest.LogCaptureFixture) -> None:
    keys, source, clock = held(60.0)
    await keys.fresh()
    source.wrong = RefreshWithMFAUnsupportedError()
    clock[0] += 50
    assert (await keys.get_frozen_credentials()).access_key == "K1"
    assert "credentials with MFA cannot be renewed" in caplog.text
    assert "last for 10 s more" in caplog.text
    clock[0] += 10
    with pytest.raises(SetupError, match="credentials with MFA cannot be renewed: run it again for a new code"):
        await keys.fresh()


async def test_while_one_renews_the_others_go_on() -> None:
    keys, source, clock = held(60.0)
    await keys.fresh()
    source.slow = 0.2
    clock[0] += 50
    renewing = asyncio.create_task(keys.fresh())
    await asyncio.sleep(0.05)
    assert (await keys.get_frozen_credentials()).access_key == "K1"
    await renewing
    assert (await keys.get_frozen_credentials()).access_key == "K2"
    assert len(source.asked) == 2


async def test_who_waits_for_the_same_renewal_shares_its_failure() -> None:
    keys, source, _ = held(60.0)
    source.slow, source.wrong = 0.1, OSError("no luck")
    troubles = await asyncio.gather(*[keys.fresh() for _ in range(20)], return_exceptions=True)
    assert [type(trouble) for trouble in troubles] == [SetupError] * 20
    assert len(source.asked) == 1


async def test_what_hangs_is_waited_for_no_longer_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "WITHIN", 0.2)
    keys, source, _ = held(60.0)
    source.slow = 30.0
    with pytest.raises(SetupError, match=r"they did not come within 0\.2 s"):
        await keys.fresh()


async def test_keys_that_never_end_are_asked_for_once() -> None:
    class Static:
        method = "env"

        async def get_frozen_credentials(self) -> ReadOnlyCredentials:
            return ReadOnlyCredentials("K", "s", None, None)

    keys = Credentials(Static())
    await keys.fresh()
    assert (await keys.get_frozen_credentials()).access_key == "K"
