import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.sandbox.quotas import Bucket, Quotas

_GAPS = st.lists(st.floats(0, 5, allow_nan=False), max_size=60)


@given(_GAPS, st.floats(0.1, 20), st.integers(1, 10))
def test_a_bucket_never_gives_more_than_burst_and_rate_in_any_window(
    gaps: list[float], rate: float, burst: int
) -> None:
    bucket = Bucket(rate, burst, 0.0)
    times = [now for now in itertools.accumulate(gaps) if bucket.take(now)]
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + rate * (times[last] - start) + 1e-6


@given(st.floats(0.1, 100), st.integers(1, 20))
def test_a_bucket_serves_whoever_keeps_exactly_to_the_rate(rate: float, burst: int) -> None:
    bucket = Bucket(rate, burst, 0.0)
    assert all(bucket.take(0.0) for _ in range(burst))
    assert all(bucket.take(step / rate) for step in range(1, 200))


def test_a_bucket_starts_full_and_refuses_the_call_after_its_burst() -> None:
    bucket = Bucket(2, 5, 100.0)
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(2, 5, 0.0)
    assert sum(bucket.take(3600.0) for _ in range(20)) == 5


def test_a_clock_that_runs_backwards_gains_nothing() -> None:
    bucket = Bucket(1, 1, 10.0)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert not bucket.take(10.5)
    assert bucket.take(11.0)


def test_an_unlimited_bucket_serves_everything() -> None:
    bucket = Bucket(math.inf, 1, 0.0)
    assert all(bucket.take(0.0) for _ in range(1000))


def test_a_halved_rate_holds_from_that_moment() -> None:
    bucket = Bucket(4, 4, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True] * 4
    bucket.change(1, 4, 0.5)
    assert [bucket.take(0.5) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1.5) for _ in range(2)] == [True, False]


def test_quotas_default_to_those_of_a_new_account() -> None:
    quotas = Quotas()
    assert quotas.of("StartOutboundChatContact") == (2, 5)
    assert quotas.of("StopContact") == quotas.of("DescribeContact") == (10, 15)


def test_a_given_rate_holds_for_every_operation_that_has_none_of_its_own() -> None:
    quotas = Quotas(50, 40, {"CreateContact": (1, 2)})
    assert quotas.of("StopContact") == (50, 40)
    assert quotas.of("CreateContact") == (1, 2)


def test_a_change_keeps_what_it_does_not_name() -> None:
    quotas = Quotas(50, 40).change({"quotas": {"CreateContact": [1, 2]}}).change({"rate": 25})
    assert quotas.of("StartEmailContact") == (25, 40)
    assert quotas.of("CreateContact") == (1, 2)


def test_a_null_rate_is_unlimited() -> None:
    assert Quotas(2, 5).change({"rate": None}).of("CreateContact") == (math.inf, 5)


@pytest.mark.parametrize(
    "given, text",
    [
        ({"rate": -1}, "a rate is calls per second"),
        ({"rate": "fast"}, "a rate is calls per second"),
        ({"burst": 0}, "a burst is a number of calls"),
        ({"quotas": {"us-west2/CreateContact": [1, 1]}}, r"quotas\.us-west2/CreateContact: before an operation stand"),
        ({"quotas": {"12345/us-west-2/*": [1, 1]}}, r"quotas\.12345/us-west-2/\*: before an operation stand"),
        ({"quotas": {"CreateContact": 5}}, r"quotas\.CreateContact: must be \[rate, burst\]"),
    ],
)
def test_a_wrong_quota_is_refused_with_its_reason(given: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Quotas().change(given)
