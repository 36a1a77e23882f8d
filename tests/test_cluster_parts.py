"""What a cluster is made of, as arithmetic: it …"""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fakes import SMS, no, ok
from hypothesis import given
from hypothesis import strategies as st

from bulk.cluster.address import Address, address
from bulk.cluster.lease import Idle, Lease, credit_of
from bulk.cluster.members import Member
from bulk.cluster.message import SentCall, call_body, call_of, decode, encode, result_body, result_of
from bulk.cluster.shares import LATE, Grant, Seat, Shares
from bulk.errors import CallFailed, CampaignError, Halted, SetupError
from bulk.model import Call, Reply
from bulk.pacing.estimator import RateEstimator


@pytest.mark.parametrize(
    "text, found",
    [
        ("local:2", Address(processes=2)),
        ("local:64", Address(processes=64)),
        ("tcp://scheduler:8786", Address(scheduler="tcp://scheduler:8786")),
        ("tls://10.0.0.7:8786", Address(scheduler="tls://10.0.0.7:8786")),
    ],
)
def test_an_address_names_processes_or_a_scheduler(text: str, found: Address) -> None:
    assert address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "local", "local:", "local:0", "local:65", "local:-1", "local:2 ", "Local:2", "2", "local:²"),
        *("tcp://", "tcp://host", "tcp://:8786", "tcp://host:0", "tcp://host:99999", "http://host:80", "tcp://h:1/x"),
        *("tcp://user:secret@host:1", "tcp://h:1?x=1", "ray://host:1", "scheduler:8786"),
    ],
)
def test_what_is_no_address_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(CampaignError, match="--cluster") as raised:
        address(text)
    assert "secret" not in str(raised.value)


VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(parameters=st.dictionaries(st.text(max_size=6), VALUES, max_size=4), parts=st.integers(1, 9))
def test_a_call_arrives_as_it_left(parameters: dict[str, object], parts: int) -> None:
    sent = SentCall(Call(SMS, parameters, optional=True), "token", parts)
    body = decode(encode({"call": call_body(sent)}))["call"]
    assert call_of(SMS, body) == sent


@pytest.mark.parametrize("result", [ok("c", None), Reply({"At": datetime(2026, 1, 2, tzinfo=UTC)}, "r")])
def test_a_reply_arrives_as_it_left(result: Reply) -> None:
    assert result_of(SMS, decode(encode(result_body(result)))) == result


@pytest.mark.parametrize("error", [no("X", 429), no("Y", went_out=False), Halted("all"), SetupError("no keys")])
def test_an_error_arrives_as_it_left(error: CallFailed | Halted) -> None:
    arrived = result_of("anything", decode(encode(result_body(error))))
    assert (type(arrived), str(arrived)) == (type(error), str(error))
    assert isinstance(arrived, CallFailed | Halted)
    assert vars(arrived) == vars(error)


def lease(rate: float, fraction: float, burst: int, credit: float | None = None) -> Lease:
    known = RateEstimator(rate, rate).share(fraction)
    return Lease(known, fraction, burst, math.inf, 0.0, credit)


def test_a_lease_arrives_as_it_left() -> None:
    sent = Lease(RateEstimator(5.0), 0.5, 3, 7.5, -math.inf, None, ((2.0, 1, True, "parts"),), Idle(0.25, 3.5))
    assert repr(Lease.of(json.loads(json.dumps(sent.body())))) == repr(sent)


@pytest.mark.parametrize("credit", [0.0, 2.0, 9.0])
def test_a_first_lease_has_the_credit_that_it_names(credit: float) -> None:
    assert credit_of(lease(10, 0.5, 5, credit).opened(100.0), 100.0) == pytest.approx(min(credit, 5))


@given(spent=st.integers(0, 12), more=st.floats(0.4, 2.5), burst=st.integers(1, 9))
def test_a_lease_that_follows_never_gives_credit(spent: int, more: float, burst: int) -> None:
    """A worker that takes another's part over gets its rate, and none of the burst that the other has spent."""
    limiter = lease(10, 0.4, 5).opened(100.0)
    for _ in range(spent):
        limiter, _ = limiter.take(100.0)
    before = credit_of(limiter, 100.0)
    after = lease(10, 0.4 * more, burst).renewed(limiter, 100.0, fraction=0.4, throttled_at=-math.inf)
    assert credit_of(after, 100.0) == pytest.approx(min(before, burst), abs=1e-6)
    assert after.estimator.pace(100.0) == pytest.approx(4 * more)


@given(seconds=st.floats(0, 30), part=st.floats(0.05, 0.6), spent=st.integers(0, 8), burst=st.integers(1, 9))
def test_what_was_idle_may_be_made_at_once_and_no_more_of_it_than_a_burst(
    seconds: float, part: float, spent: int, burst: int
) -> None:
    limiter = lease(10, 0.4, burst).opened(100.0)
    for _ in range(spent):
        limiter, _ = limiter.take(100.0)
    now = 100.0 + seconds
    plain = lease(10, 0.4 + part, burst)
    told = replace(plain, idle=Idle(part, 100.0))
    before, after = (one.renewed(limiter, now, fraction=0.4, throttled_at=-math.inf) for one in (plain, told))
    gained = credit_of(after, now) - credit_of(before, now)
    assert gained == pytest.approx(min(burst, math.floor(10 * part * seconds + 1e-9)), abs=1.0 + 1e-6)
    assert gained <= min(burst, 10 * part * seconds) + 1e-6


def test_a_part_that_idles_goes_once_to_those_who_get_more_of_the_rate() -> None:
    shares = seats(3)
    lost, *others = shares.seats
    for seat in shares.seats:
        shares.take_idle(seat, granted(shares, seat, 0.0, 1.0), 0.0)
    lost.member.lost = lost.member.ended = True
    shares.leave(lost, 0.5)
    found = [shares.take_idle(seat, 0.5, 0.6) for seat in others]
    assert [idle.since for idle in found if idle] == [0.5, 0.5]
    assert [idle.fraction for idle in found if idle] == pytest.approx([1 / 6, 1 / 6])
    assert [shares.take_idle(seat, 1.0, 0.7) for seat in others] == [None, None]


def test_a_worker_that_may_still_be_spending_leaves_its_part_idle_when_its_lease_has_ended() -> None:
    shares = seats(2)
    lost, other = shares.seats
    for seat in shares.seats:
        shares.take_idle(seat, granted(shares, seat, 0.0, 1.0), 0.0)
    lost.member.lost = True
    shares.leave(lost, 0.5)
    assert shares.take_idle(other, 0.5, 0.9) is None
    assert shares.take_idle(other, 1.0, 1.1) == Idle(0.5, 1.0)


def test_a_throttle_that_the_driver_does_not_know_of_yet_is_not_forgotten() -> None:
    worse = lease(10, 0.5, 5).opened(100.0)
    worse = worse._replace(estimator=worse.estimator._replace(estimate=2.0, rests_until=200.0))
    told = lease(10, 0.5, 5)
    assert told.renewed(worse, 100.0, fraction=0.5, throttled_at=99.0).estimator.estimate == 2.0
    assert told.renewed(worse, 100.0, fraction=0.5, throttled_at=-1.0).estimator.pace(100.0) == 5.0


def seats(number: int) -> Shares:
    return Shares([Seat(Member(f"w{place}"), None) for place in range(number)])


def granted(shares: Shares, seat: Seat, now: float, holds: float) -> float:
    fraction = shares.fraction_for(seat, now)
    if fraction:
        seat.grants.append(Grant(fraction, 1, 1, now + holds))
    return fraction


def test_a_frozen_worker_keeps_its_part_until_its_lease_ends_and_gets_it_back_after_the_others_leases() -> None:
    shares = seats(2)
    frozen, other = shares.seats
    assert [granted(shares, seat, 0.0, 1.0) for seat in shares.seats] == [0.5, 0.5]
    other.grants.clear()
    assert granted(shares, other, 0.9, 1.0) == 0.5  # the other may still be spending
    other.grants.clear()
    late = 1.0 + LATE + 0.01
    assert shares.live(late) == [other]
    assert granted(shares, other, late, 1.0) == 1.0
    frozen.grants.clear()  # it is back
    assert granted(shares, frozen, late + 0.1, 1.0) == 0.0
    other.grants.clear()
    assert granted(shares, other, late + 0.2, 1.0) == 0.5
    assert granted(shares, frozen, late + 0.2, 1.0) == 0.5


@pytest.mark.parametrize("ended", [True, False])
def test_a_lost_workers_part_is_kept_until_it_can_spend_nothing_more(ended: bool) -> None:
    shares = seats(2)
    lost, other = shares.seats
    granted(shares, lost, 0.0, 1.0)
    lost.member.lost, lost.member.ended = True, ended
    shares.leave(lost, 0.0)
    assert shares.fraction_for(other, 0.5) == (1.0 if ended else 0.5)
    assert shares.fraction_for(other, 1.1) == 1.0


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["grant", "back", "lose"]), st.integers(0, 3), st.floats(0.01, 0.8)), max_size=40
    )
)
def test_the_parts_never_add_up_to_more_than_the_whole(steps: list[tuple[str, int, float]]) -> None:
    shares, now = seats(4), 0.0
    every = list(shares.seats)
    for what, place, seconds in steps:
        now += seconds
        seat = every[place]
        if seat.member.lost or not any(not other.member.lost for other in every):
            continue
        if what == "grant" and seat in shares.live(now):
            granted(shares, seat, now, 1.0)
        elif what == "back":
            seat.grants.clear()
        elif what == "lose":
            seat.member.lost = True
            shares.leave(seat, now)
        spending = sum(seat.fraction(now) for seat in shares.seats)
        spending += sum(grant.fraction for grant in shares.spent if now <= grant.not_after)
        assert spending <= 1.0 + 1e-9
