"""Whose rate a run keeps: that of an account, in a Region, for an operation. It …"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp.web import BaseRequest, Response
from aws_services import Answer, pretending, sts_refuses, xml
from sandbox_runs import CHAT, Runs, rows

import bulk

PEOPLE = pl.DataFrame(rows("abcdefghijklmnopqrst"))
RATE = 20.0


def identities(**accounts: str) -> Answer:
    """Return an STS that says of each access key which account it is of."""

    def answer(request: BaseRequest, _body: str) -> Response:
        key = request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        inner = f"<UserId>u</UserId><Account>{accounts[key]}</Account><Arn>arn:aws:iam::{accounts[key]}:user/u</Arn>"
        return xml("GetCallerIdentityResponse", f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult>")

    return answer


def profiles(runs: Runs, patch: pytest.MonkeyPatch, *names: str) -> None:
    """Configure profiles, each with an access key of its own name."""
    keys = "".join(f"[profile {name}]\naws_access_key_id = {name}\naws_secret_access_key = s\n" for name in names)
    (runs.folder / "config").write_text(keys)
    patch.setenv("AWS_CONFIG_FILE", str(runs.folder / "config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.delenv(name)


def campaigns(runs: Runs, *places: dict[str, str]) -> list[bulk.Campaign]:
    """Return campaigns that go to these places, each with a state directory of its own."""
    settings: dict[str, Any] = {**runs.settings, "pacing": {"rate": RATE, "burst": 1}}
    return [
        bulk.Campaign(**{**settings, "name": f"c{number}", "folder": runs.folder / str(number), "at": at})
        for number, at in enumerate(places)
    ]


async def limiters_of(runs: Runs, *places: dict[str, str]) -> list[Path]:
    """Send to these places together; return the files that the rates were kept in."""
    ended = await bulk.send_all(campaigns(runs, *places), contacts=PEOPLE)
    assert [run.summary.sent for run in ended] == [len(PEOPLE)] * len(places)
    return list(runs.folder.glob("*/.bulk/pace/*"))


def rate_of(runs: Runs) -> float:
    """Return the calls a second that came in, over all of them."""
    came: list[float] = sorted(runs.sandbox.calls[CHAT]["received_at"])
    return (len(came) - 1) / (came[-1] - came[0])


async def test_campaigns_of_one_account_keep_its_rate_together_whatever_their_state_directories(runs: Runs) -> None:
    here = {"endpoint_url": runs.sandbox.url, "region": "us-west-2"}
    assert len(await limiters_of(runs, here, here)) == 1
    assert runs.received(CHAT) == 2 * len(PEOPLE)
    assert rate_of(runs) <= RATE * 1.25  # the first call comes in late, and the others as planned


async def test_regions_and_access_keys_have_rates_of_their_own(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles(runs, monkeypatch, "ours", "theirs")
    place = {"endpoint_url": runs.sandbox.url, "region": "us-west-2", "profile": "ours"}
    assert len(await limiters_of(runs, place, {**place, "region": "us-east-1"}, {**place, "profile": "theirs"})) == 3


@pytest.mark.parametrize("answer, kept", [(identities(a="1", b="1", c="2"), 2), (sts_refuses("AccessDenied", 403), 3)])
async def test_keys_of_one_account_share_its_rate_where_sts_tells_the_account(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, answer: Answer, kept: int
) -> None:
    profiles(runs, monkeypatch, "a", "b", "c")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CONNECT", runs.sandbox.url)
    async with pretending(answer) as tokens:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        paces = await limiters_of(runs, *({"region": "us-west-2", "profile": name} for name in "abc"))
    assert {"Action=GetCallerIdentity" in body for *_, body in tokens.requests} == {True}
    assert len(paces) == kept


async def test_sts_is_not_asked_whose_keys_go_to_an_endpoint_of_somebody_else(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pretending(sts_refuses("AccessDenied")) as tokens:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        await limiters_of(runs, {"endpoint_url": runs.sandbox.url, "region": "us-west-2"})
    assert tokens.requests == []


async def test_rehearsals_together_have_each_a_sandbox_with_a_rate_of_its_own(runs: Runs) -> None:
    ended = await bulk.send_all(campaigns(runs, {}, {}), contacts=PEOPLE, sandbox=True)
    assert [run.summary.sent for run in ended] == [len(PEOPLE)] * 2
    assert len(list(runs.folder.glob("*/.bulk/sandbox/*/pace/*"))) == 2
