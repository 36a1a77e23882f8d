"""The program of a worker (`run.cluster_worker`). It …"""

from typing import Any, Self

import pytest
from clusters import ACCOUNT, REGION, URL

from bulk import __version__
from bulk.aws.connect import Endpoint
from bulk.cluster.message import decode, encode
from bulk.run import cluster_worker

ROLE = "arn:aws:iam::123456789012:role/Sender"


@pytest.mark.parametrize("rehearsal, credentials", [(True, ("sandbox", "sandbox")), (False, None)])
async def test_is_a_worker_with_the_clients_way_out(
    rehearsal: bool,
    credentials: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[Endpoint, int]] = []

    class Client:
        url, region = URL, REGION

        def __init__(self, endpoint: Endpoint, *, at_once: int) -> None:
            seen.append((endpoint, at_once))

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            """Close nothing."""

        async def prepare(self) -> None:
            """Need nothing."""

        async def account(self) -> str:
            return ACCOUNT

    monkeypatch.setattr(cluster_worker, "Connect", Client)
    more = {"url": URL, "connect_timeout": 3.0, "read_timeout": 4.0, "allow_http": True, "role_arn": ROLE}
    site = {"region": REGION, **more, "rehearsal": rehearsal}
    hello = {"version": __version__, "site": site, "at_once": 7, "varies": {}, "session": "s"}
    answer = decode(await cluster_worker.answer("hello", encode(hello)))
    assert answer == {"version": __version__, "region": REGION, "url": URL, "account": ACCOUNT}
    endpoint = Endpoint(URL, REGION, None, None, 3.0, 4.0, credentials, allow_http=True, role_arn=ROLE)
    assert seen == [(endpoint, 7)]
    assert decode(await cluster_worker.answer("bye", encode({"session": "s"}))) == {}
    assert "refused" in decode(await cluster_worker.answer("hello", encode({})))
