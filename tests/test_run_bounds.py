"""How many at once, how long, how many open: what bounds a campaign besides its rate (`run.rates`). It …"""

import resource
from typing import Any

import pytest
from sandbox_runs import CHAT, CREATE, DRAFT, EMAIL, MAIL, SMS

from bulk.campaign import Campaign
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limits import Bucket, Limits, with_headroom
from bulk.run.options import Options
from bulk.run.rates import Rates

MAILS: dict[str, Any] = {"channel": "email", "request": EMAIL, "create_contact": DRAFT}
STOPPED = MAILS | {"stop_contact": {}}


def rates(pacing: dict[str, Any] | None = None, tables: dict[str, Any] | None = None, **options: Any) -> Rates:
    common = {"name": "paced", "channel": "sms", "request": SMS, "pacing": pacing or {}}
    return Rates(Campaign(**{**common, **(tables or {})}), Options(**options))


# Its operations


def test_knows_the_operations_of_its_channel_and_those_that_it_makes() -> None:
    assert (rates().operations, rates().made) == ((CHAT,), [CHAT])
    assert rates(tables=MAILS).operations == (CREATE, MAIL, "StopContact")
    assert rates(tables=MAILS).made == [CREATE, MAIL]
    assert rates(tables=STOPPED).made == [CREATE, MAIL, "StopContact"]


@pytest.mark.parametrize("rate", [None, "auto"])
def test_takes_the_documented_quota_where_no_rate_is_said(rate: Any) -> None:
    one = rates({"rate": rate}, STOPPED)
    assert [one.quota(name) for name in one.operations] == [(2.0, 5), (2.0, 5), (10.0, 15)]


@pytest.mark.parametrize(
    "pacing, options, quota",
    [
        ({"burst": 7}, {}, (2.0, 7)),
        ({"burst": 7, CHAT: {"burst": 8}}, {}, (2.0, 8)),
        ({"burst": 7, CHAT: {"burst": 8}}, {"burst": 9}, (2.0, 9)),
        ({"rate": 3, CHAT: {"rate": 4}}, {}, (4.0, 5)),
        ({"rate": 3, CHAT: {"rate": 4}}, {"rate": 6.0}, (6.0, 5)),
        ({"rate": 3}, {"rate": "auto"}, (2.0, 5)),
        ({"rate": [{"per_minute": 600}], "burst": 7}, {}, (10.0, 7)),
        ({"rate": [{"per_minute": 600}, {"per_minute": 300}]}, {}, (5.0, 5)),
        ({"rate": [{"per_second": 3}]}, {}, (3.0, 5)),
        ({"rate": [{"per_second": 3, "burst": 4}], "burst": 7}, {}, (3.0, 4)),
        ({"rate": [{"per_second": 3}]}, {"burst": 9}, (3.0, 9)),
    ],
)
def test_takes_the_option_else_the_table_of_the_operation_else_of_the_campaign(
    pacing: dict[str, Any], options: dict[str, Any], quota: tuple[float, int]
) -> None:
    assert rates(pacing, **options).quota(CHAT) == quota


# Limits


@pytest.mark.parametrize(
    "windows, options, limits",
    [
        ([{"per_second": 9}, {"per_second": 4}], {}, [Bucket(4, 5, name="4 in 1 s, 5 at once")]),
        ([{"per_second": 9}, {"per_second": 4}], {"rate_share": 0.1}, [Bucket(0.4, 1, name="4 in 1 s, 1 at once")]),
        ([{"per_second": 9}, {"per_second": 4, "burst": 2}], {}, [Bucket(4, 2, name="4 in 1 s, 2 at once")]),
        ([{"per_second": 9}, {"per_second": 4}], {"burst": 3}, [Bucket(4, 3, name="4 in 1 s, 3 at once")]),
    ],
)
def test_keeps_a_further_window_of_a_second_as_a_bucket(
    windows: list[dict[str, Any]], options: dict[str, Any], limits: list[Bucket]
) -> None:
    one = rates({"rate": windows}, **options)
    assert list(one.limits(CHAT)[1:]) == limits
    assert one.limiter(CHAT).others == Limits(limits)


def test_keeps_its_share_of_what_the_service_grants_and_one_call_at_least() -> None:
    assert rates({"rate": 10, "burst": 20}, rate_share=0.5).limits(CHAT) == Limits([with_headroom(5.0, 10)])
    assert rates({"rate": 10, "burst": 2}, rate_share=0.1).limits(CHAT) == Limits([with_headroom(1.0, 1)])


def test_keeps_the_parts_of_its_number_in_its_share() -> None:
    source = SMS["SourceEndpoint"]["Address"]
    (_, parts) = rates({"parts_per_second": 20}, rate_share=0.5).limits(CHAT)
    assert parts == Bucket(10.0, 10, of_parts=True, name=f"parts from {source}")
    (_, parts) = rates({"parts_per_second": 1}, rate_share=0.2).limits(CHAT)
    assert parts == Bucket(0.2, 1, of_parts=True, name=f"parts from {source}")


def test_learns_from_what_the_account_has_in_its_share() -> None:
    one = rates({"rate": "auto"}, rate_share=0.5)
    assert one.limiter(CHAT, 8.0).estimator == RateEstimator(4.0)
    assert one.limiter(CHAT).estimator == RateEstimator(1.0)
    assert rates({"rate": 8}, rate_share=0.5).limiter(CHAT, 100.0).estimator == RateEstimator(4.0, 4.0)


@pytest.mark.parametrize(
    "rate, is_auto", [("auto", True), (None, False), (3, False), ([{"per_day": 5}], True), ([{"per_second": 5}], False)]
)
def test_learns_where_no_rate_a_second_is_said(rate: Any, is_auto: bool) -> None:
    assert rates({"rate": rate}).is_auto(CHAT) is is_auto


# At once


@pytest.mark.parametrize(
    "pacing, options, at_once", [({}, {}, 256), ({"at_once": 9}, {}, 9), ({"at_once": 9}, {"at_once": 7}, 7)]
)
def test_has_so_many_calls_in_flight(pacing: dict[str, Any], options: dict[str, Any], at_once: int) -> None:
    one = rates(pacing, **options)
    assert (one.wanted_at_once(), one.at_once(), one.rows_at_once()) == (at_once,) * 3


def test_has_more_rows_under_way_than_calls_where_these_wait_in_lots() -> None:
    assert rates(at_once=7, cluster="local:2").rows_at_once() == 28


@pytest.mark.parametrize("options, files", [({}, 1), ({"sandbox": True}, 2)])
def test_has_as_many_as_the_system_lets_files_be_open_and_says_so(
    options: dict[str, Any], files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (140, 140))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    one = rates({"rate": 3}, at_once=120, **options)
    assert one.at_once() == 100 // files
    remark = f"{100 // files} calls at once, not more: the limit of open files is 140. Raise it with `ulimit -n`"
    assert one.remarks() == [remark]


# How long


def test_permits_no_more_than_its_limits_with_no_burst_left() -> None:
    assert rates({"rate": 10, "burst": 5}).permitted(100) == pytest.approx(10.0, rel=0.02)
    assert rates({"rate": 10, CREATE: {"rate": 5}}, MAILS).permitted(100) == pytest.approx(20.0, rel=0.02)
    assert rates({"rate": 10, CREATE: {"rate": "auto"}}, MAILS).permitted(100) == pytest.approx(10.0, rel=0.02)


@pytest.mark.parametrize("one", [rates({"rate": "auto"}), rates({"rate": 10}, dry_run=True)])
def test_permits_all_at_once_where_that_is_not_known(one: Rates) -> None:
    assert one.permitted(100) == 0.0


@pytest.mark.parametrize(
    "pacing, said",
    [
        ({"rate": 10}, None),
        ({"rate": [{"per_second": 10}, {"per_second": 10}]}, None),
        ({"rate": [{"per_second": 10}, {"per_second": 5}]}, "5 in 1 s, 5 at once"),
        ({"rate": [{"per_second": 10}, {"per_minute": 60, "burst": 2}]}, "60 in 60 s, 2 at once"),
        ({"rate": [{"per_second": 10}, {"per_second": 5}, {"per_day": 1000}]}, "1,000 calls in 86400 s"),
    ],
)
def test_says_which_limit_decides_how_long_it_takes(pacing: dict[str, Any], said: str | None) -> None:
    told = said and f"a window of [pacing] decides how long it takes: {said}"
    assert rates(pacing).bound(CHAT, 5000, 5000) == told


# What options replace


@pytest.mark.parametrize(
    "pacing, options, said",
    [
        ({"rate": 3, "burst": 4}, {"rate": 5.0, "burst": 6}, []),
        ({"rate": [{"per_second": 3}]}, {"rate": "auto"}, ["--rate auto: its windows"]),
        ({"rate": [{"per_second": 3}]}, {"rate": 2.5}, ["--rate 2.5: its windows"]),
        ({"rate": [{"per_second": 3}]}, {"rate": 2.5, "burst": 6}, ["--rate 2.5: its windows"]),
        ({"rate": [{"per_second": 3}]}, {"burst": 6}, ["--burst 6: the bursts of its windows"]),
        ({CREATE: {"rate": 3}}, {"rate": 2.0}, [f"--rate 2: the rate of [pacing.{CREATE}]"]),
        ({CREATE: {"rate": 3}}, {"burst": 6}, []),
        ({CREATE: {"burst": 3}}, {"burst": 6}, [f"--burst 6: the burst of [pacing.{CREATE}]"]),
        ({CREATE: {"burst": 3}}, {"rate": 2.0}, []),
        ({CREATE: {"rate": [{"per_second": 3}]}}, {"burst": 6}, [f"--burst 6: the burst of [pacing.{CREATE}]"]),
        ({"parts_per_second": 3}, {"rate": 2.0}, []),
    ],
)
def test_says_what_an_option_takes_the_place_of(
    pacing: dict[str, Any], options: dict[str, Any], said: list[str]
) -> None:
    told = [one.replace(": ", " takes the place of what [pacing] says besides: ", 1) for one in said]
    remarks = rates(pacing, MAILS, **options).remarks()
    assert [one for one in remarks if "learned" not in one] == told


def test_says_that_a_rate_takes_the_place_of_the_parts_of_an_sms() -> None:
    assert rates({"parts_per_second": 2.5}, rate=3.0).remarks() == [
        "--rate 3 takes the place of what [pacing] says besides: parts_per_second = 2.5"
    ]


# Open contacts


@pytest.mark.parametrize(
    "tables, virtual, contacts",
    [
        ({}, False, None),
        ({}, True, 500),
        ({"hold": {"open_contacts": 7}}, False, 7),
        ({"hold": {"open_contacts": 7}}, True, 7),
        (MAILS, True, 1000),
        (STOPPED, True, None),
        (STOPPED | {"hold": {"open_contacts": 7}}, False, None),
    ],
)
def test_plans_with_as_many_open_contacts_as_are_said_and_in_virtual_time_as_aws_allows(
    tables: dict[str, Any],
    virtual: bool,
    contacts: int | None,
) -> None:
    assert rates(tables=tables, virtual_time=virtual).open_contacts() == contacts


def test_has_room_for_so_many_contacts_in_the_operation_that_opens_them() -> None:
    one = rates(tables=STOPPED | {"hold": {"open_contacts": 7}})
    assert [one.room(name) for name in one.operations] == [7, None, None]
    assert [rates(tables=MAILS).room(name) for name in one.operations] == [None] * 3
