"""Whom a client trusts, against real certificates and real proxies: it …"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_services import ACCEPTED, Pretended, accepted, pretending, profile, sts
from certificates import Authority, Proxy, proxying
from cli_runs import campaign

import bulk
from bulk.aws import certificates
from bulk.aws.connect import Connect, Endpoint
from bulk.aws.lookups import applied_rate, fetch, opted_out
from bulk.errors import BulkError, CallFailed, CampaignError, SetupError
from bulk.model import Call, Verdict
from bulk.operations.verdicts import verdict

CHAT = Call("StartOutboundChatContact", {"InstanceId": "i", "ContactFlowId": "f", "Attributes": {"secret": "body"}})
AWS = "connect.us-west-2.amazonaws.com"  # the real name: only a proxy of ours leads elsewhere


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "theirs")


@pytest.fixture(autouse=True)
def nothing_else_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def at(url: str | None = None, **more: Any) -> Endpoint:
    settings = {"url": url, "region": "us-west-2", "credentials": ("AKIDEXAMPLE", "dummy"), "read_timeout": 2.0}
    return Endpoint(**{**settings, "connect_timeout": 2.0, **more})


async def called(endpoint: Endpoint) -> Any:
    async with Connect(endpoint, at_once=2) as connect:
        return (await connect.call(CHAT, "token-1")).members


Bundle = Callable[[Path, pytest.MonkeyPatch], dict[str, Any]]


def by_option(bundle: Path, _: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"ca_bundle": bundle}


def by_variable(bundle: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setenv("AWS_CA_BUNDLE", str(bundle))
    return {}


def by_profile(bundle: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    (bundle.parent / "config").write_text(profile(ca_bundle=bundle))
    patch.setenv("AWS_CONFIG_FILE", str(bundle.parent / "config"))
    return {}


ways = pytest.mark.parametrize("way", [by_option, by_variable, by_profile])


@ways
async def test_a_certificate_of_a_ca_that_is_named_is_trusted(
    way: Bundle, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(tls=ours.serve_as("127.0.0.1")) as service:
        assert await called(at(service.url, **way(ours.bundle, monkeypatch))) == ACCEPTED


async def refused(service: Pretended, endpoint: Endpoint) -> SetupError:
    """Make a call that no certificate allows; nothing of it may be seen."""
    with pytest.raises(SetupError, match=r"cannot be trusted .*--ca-bundle") as raised:
        await called(endpoint)
    assert service.requests == []
    return raised.value


@ways
async def test_the_name_in_a_certificate_is_checked(
    way: Bundle, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(tls=ours.serve_as("another.example")) as service:
        assert "IP address mismatch" in str(await refused(service, at(service.url, **way(ours.bundle, monkeypatch))))


async def test_a_certificate_of_nobodys_is_not_trusted(ours: Authority, theirs: Authority) -> None:
    async with pretending(tls=theirs.serve_as("127.0.0.1")) as service:
        await refused(service, at(service.url))
        await refused(service, at(service.url, ca_bundle=ours.bundle))


async def test_a_bundle_that_was_replaced_is_read_again(ours: Authority, theirs: Authority, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    async with pretending(tls=ours.serve_as("127.0.0.1")) as service:
        bundle.write_bytes(ours.bundle.read_bytes())
        assert certificates.context(bundle) is certificates.context(bundle)
        assert await called(at(service.url, ca_bundle=bundle)) == ACCEPTED
        bundle.write_bytes(theirs.bundle.read_bytes() + b"\n")
        service.requests.clear()
        await refused(service, at(service.url, ca_bundle=bundle))


async def test_an_empty_variable_turns_no_check_off(theirs: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "")
    async with pretending(tls=theirs.serve_as("127.0.0.1")) as service:
        await refused(service, at(service.url))


@asynccontextmanager
async def behind_a_proxy(service: Pretended, patch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[Proxy]:
    async with proxying(service.port, **settings) as proxy:
        patch.setenv("HTTPS_PROXY", proxy.url)
        yield proxy


SingleSendSession = Callable[[Pretended, pytest.MonkeyPatch, Authority], AbstractAsyncContextManager[Proxy]]


def plain(service: Pretended, patch: pytest.MonkeyPatch, _: Authority) -> AbstractAsyncContextManager[Proxy]:
    return behind_a_proxy(service, patch)


def over_tls(service: Pretended, patch: pytest.MonkeyPatch, ours: Authority) -> AbstractAsyncContextManager[Proxy]:
    return behind_a_proxy(service, patch, tls=ours.serve_as("127.0.0.1"))


proxies = pytest.mark.parametrize("proxied", [plain, over_tls])


@proxies
async def test_behind_a_proxy_a_good_certificate_is_trusted(
    proxied: SingleSendSession, ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(tls=ours.serve_as(AWS)) as service, proxied(service, monkeypatch, ours) as proxy:
        assert await called(at(ca_bundle=ours.bundle)) == ACCEPTED
        assert proxy.requests[0].startswith(f"CONNECT {AWS}:443 ")
        assert "AKIDEXAMPLE" not in "".join(proxy.requests)


@proxies
@pytest.mark.parametrize("name, trusted", [("another.example", True), (AWS, False)], ids=["other-name", "other-ca"])
async def test_behind_a_proxy_certificates_are_checked_all_the_same(
    proxied: SingleSendSession,
    name: str,
    ours: Authority,
    theirs: Authority,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusted: bool,
) -> None:
    tls = (ours if trusted else theirs).serve_as(name)
    async with pretending(tls=tls) as service, proxied(service, monkeypatch, ours):
        await refused(service, at(ca_bundle=ours.bundle))


async def test_behind_a_proxy_the_usual_certificates_are_asked_for(
    theirs: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(tls=theirs.serve_as(AWS)) as service, behind_a_proxy(service, monkeypatch):
        await refused(service, at())


@pytest.mark.parametrize("name", ["another.example", "127.0.0.1"])
async def test_a_proxy_over_tls_is_checked_too(
    name: str, ours: Authority, theirs: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = (theirs if name == "127.0.0.1" else ours).serve_as(name)
    async with (
        pretending(tls=ours.serve_as(AWS)) as service,
        behind_a_proxy(service, monkeypatch, tls=tls) as proxy,
    ):
        await refused(service, at(ca_bundle=ours.bundle))
        assert proxy.requests == []


async def fetch_a_list(folder: Path, endpoint: Endpoint) -> Any:
    return await fetch("s3://lists/people.csv", endpoint, folder)


async def ask_who_opted_out(_: Path, endpoint: Endpoint) -> Any:
    return await opted_out("Default", endpoint)


async def ask_for_the_rate(_: Path, endpoint: Endpoint) -> Any:
    return await applied_rate("StopContact", endpoint)


@pytest.mark.parametrize("ask", [fetch_a_list, ask_who_opted_out, ask_for_the_rate])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "behind-a-proxy"])
async def test_every_other_client_checks_certificates_too(
    ask: Any, theirs: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, direct: bool
) -> None:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(pretending(tls=theirs.serve_as("127.0.0.1")))
        if direct:
            monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        else:
            await stack.enter_async_context(behind_a_proxy(service, monkeypatch))
        with pytest.raises(SetupError, match=r"cannot be trusted .*--ca-bundle"):
            await ask(tmp_path, at())
        assert service.requests == []


@pytest.mark.parametrize("kind", ["role", "web-identity"])
@pytest.mark.parametrize("good", [True, False])
async def test_the_clients_that_the_sdk_makes_for_itself_check_certificates_too(
    kind: str, ours: Authority, theirs: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, good: bool
) -> None:
    (tmp_path / "token").write_text("token")
    role = {"role_arn": "arn:aws:iam::123456789012:role/r"}
    source = {"credential_source": "Environment"} if kind == "role" else {"web_identity_token_file": tmp_path / "token"}
    (tmp_path / "config").write_text(profile(**role, **source))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if kind == "role":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSOURCE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_PROFILE", "default")
    tls = (ours if good else theirs).serve_as("127.0.0.1")
    async with (
        pretending(sts(3600), tls=tls) as tokens,
        pretending(tls=ours.serve_as("127.0.0.1")) as service,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        endpoint = at(service.url, ca_bundle=ours.bundle, credentials=None, profile="default")
        if good:
            assert await called(endpoint) == ACCEPTED
            assert service.keys == ["AKIDROLE1"]
        else:
            with pytest.raises(SetupError, match=r"no usable AWS credentials: .*cannot be trusted .*--ca-bundle"):
                await called(endpoint)
            assert (tokens.requests, service.requests) == ([], [])


async def test_a_containers_agent_over_tls_is_checked_too(theirs: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending(tls=theirs.serve_as("127.0.0.1")) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
        with pytest.raises(SetupError, match="no usable AWS credentials"):
            await called(at("http://127.0.0.1:9", credentials=None))
        assert agent.requests == []


# CA bundles that are none


@pytest.mark.parametrize("way", [by_variable, by_profile])
@pytest.mark.parametrize("wrong", ["folder", "missing", "empty", "text"])
async def test_a_bundle_that_cannot_be_used_is_named_before_any_call(
    way: Bundle, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    match wrong:
        case "folder":
            bundle.mkdir()
        case "empty" | "text":
            bundle.write_text("" if wrong == "empty" else "no certificate")
    with pytest.raises(CampaignError, match=r"bundle\.pem: .*Check AWS_CA_BUNDLE"):
        await called(at("http://127.0.0.1:9", **way(bundle, monkeypatch)))


# Plain HTTP

ELSEWHERE = [
    "http://connect.example",
    "http://10.0.0.8:8788",
    "http://127.0.0.1.example:80",
    "http://localhost.example",
]


async def test_plain_http_to_another_machine_is_refused_whichever_way_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = pytest.raises(CampaignError, match=r"^http://connect\.example: without TLS.*--allow-http")
    with told:
        await called(at("http://connect.example"))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CONNECT"):
        monkeypatch.setenv(name, "http://connect.example")
        with told:
            await called(at())
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for text in (
        profile(endpoint_url="http://connect.example"),
        profile(services="mine") + "[services mine]\nconnect =\n  endpoint_url = http://connect.example\n",
    ):
        (tmp_path / "config").write_text(text)
        with told:
            await called(at())


@pytest.mark.parametrize("url", ELSEWHERE)
def test_what_is_another_machine_may_not_be_reached_over_plain_http(url: str) -> None:
    with pytest.raises(CampaignError, match="--allow-http"):
        certificates.check_endpoint(url, allow_http=False)
    certificates.check_endpoint(url, allow_http=True)
    certificates.check_endpoint(url.replace("http:", "https:"), allow_http=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "a.localhost", "[::1]"])
def test_this_machine_may_be_reached_over_plain_http(host: str) -> None:
    certificates.check_endpoint(f"http://{host}:8788", allow_http=False)
    assert certificates.is_direct(f"http://{host}:8788")


@pytest.mark.parametrize("ask", [fetch_a_list, ask_who_opted_out, ask_for_the_rate])
async def test_no_other_client_goes_over_plain_http_either(
    ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://aws.example")
    with pytest.raises(CampaignError, match="--allow-http"):
        await ask(tmp_path, at())


# Proxies


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
async def test_this_machine_is_never_reached_through_a_proxy(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pretending() as service, proxying(service.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        assert await called(at(service.url)) == ACCEPTED
        assert await called(at(f"http://localhost:{service.port}")) == ACCEPTED
        assert (proxy.requests, len(service.requests)) == ([], 2)


@pytest.mark.parametrize(
    "url",
    ["http://proxy:80a", "http://[proxy", "socks5://proxy:1080", "http://", "http://user:pass@:3128", "http://a b:1"],
)
async def test_a_proxy_that_cannot_be_one_is_an_error_of_the_options(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(CampaignError, match=r"is no proxy: write HTTPS_PROXY as http://HOST:PORT") as raised:
        await called(at())
    assert "pass" not in str(raised.value)


@pytest.mark.parametrize(
    "status, judged", [(407, Verdict.HALT), (403, Verdict.HALT), (502, Verdict.RETRY), (503, Verdict.RETRY)]
)
async def test_a_proxy_that_refuses_to_connect_has_passed_nothing_on(
    status: int, judged: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    async with proxying(refusal=refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(CallFailed, match=f"the proxy answers HTTP {status}.*HTTPS_PROXY") as raised:
            await called(at())
    assert not raised.value.went_out
    assert verdict(raised.value) is judged


async def test_a_proxy_that_falls_silent_is_waited_for_no_longer_than_the_time_outs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with proxying(refusal=b"") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(BulkError) as raised:
            await called(at(connect_timeout=0.2, read_timeout=0.2))
    assert isinstance(raised.value, CallFailed)
    assert (raised.value.code, raised.value.went_out) == ("ConnectTimeout", False)


async def test_user_and_password_of_a_proxy_are_for_the_proxy_alone(
    ours: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(tls=ours.serve_as(AWS)) as service, proxying(service.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:pass@"))
        await called(at(ca_bundle=ours.bundle))
    assert "Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.requests[0]
    assert "Proxy-Authorization" not in service.requests[0][2]


# In a run


async def test_a_certificate_that_cannot_be_trusted_leaves_no_row_in_doubt(
    ours: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    path = campaign(tmp_path, rows=20)
    async with pretending(tls=ours.serve_as("127.0.0.1")) as service:
        where: dict[str, Any] = {"endpoint_url": service.url, "region": "us-west-2"}
        with pytest.raises(SetupError, match="--ca-bundle"):
            await bulk.send(path, **where)
        told = (await bulk.status(path)).summary
        assert (told.unknown, told.rejected, told.sent) == (0, 0, 0)
        run = await bulk.send(path, **where, ca_bundle=ours.bundle)
        assert (run.exit_code, run.summary.sent, len(service.requests)) == (0, 20, 20)


async def test_a_proxy_that_fails_in_the_middle_halts_and_leaves_no_row_in_doubt(
    ours: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
    path = campaign(tmp_path, rows=60)
    path.write_text(path.read_text().replace("rate = 500\nburst = 500", "rate = 20\nburst = 1"))
    where: dict[str, Any] = {"region": "us-west-2", "ca_bundle": ours.bundle, "at_once": 1}
    async with pretending(tls=ours.serve_as(AWS)) as service, proxying(service.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)

        def fail_later(request: Any, body: str) -> Any:
            answer = accepted(request, body)
            if len(service.requests) == 20:
                answer.force_close()
                proxy.refusal = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
            return answer

        service.answer = fail_later
        run = await bulk.send(path, **where)
        told = run.summary
        assert (run.exit_code, told.sent, told.unknown, told.rejected) == (3, 20, 0, 0)
        assert "ProxyRefused" in str(told.halted)
        proxy.refusal = None
        again = await bulk.send(path, **where)
        assert (again.exit_code, again.summary.sent, len(service.requests)) == (0, 60, 60)
