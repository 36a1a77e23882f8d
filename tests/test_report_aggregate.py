"""The fold: results in, batch by batch, and what they add up to."""

from collections.abc import Iterator
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_pages import START, end, folded, results

from bulk.model import Recorded, Status, mask
from bulk.reports import ReasonCount
from bulk.reports.aggregate import SHOWN

MIXED = [
    end("sent", 0, attempts=1),
    end("sent", 1, attempts=3),
    end("skipped", 1, code="duplicate", said="the key is that of row 0"),
    end("refused", 2, code="invalid_phone", said="too short"),
    end("rejected", 3, attempts=9, code="InvalidRequestException", said="no"),
    end("unknown", None, attempts=2, code="unanswered", said="settles"),
    end("pending", None),
]


def test_it_counts_rows_by_status_whether_there_are_any_or_not() -> None:
    figures = folded(results(MIXED))
    assert figures.counts == dict.fromkeys(Status, 1) | {Status.SENT: 2}
    assert (figures.rows, figures.to_look_at) == (7, 3)
    assert folded().counts == dict.fromkeys(Status, 0)


def test_it_counts_attempts_of_tried_rows_alone_the_many_together() -> None:
    assert folded(results(MIXED)).attempts == (1, 1, 1, 0, 0, 1)


def test_it_counts_rows_when_they_ended_by_status() -> None:
    timeline = folded(results(MIXED)).timeline
    assert timeline is not None
    assert [bar.start - START.timestamp() for bar in timeline.bars] == [0, 1, 2, 3]
    assert [bar.rows for bar in timeline.bars] == [
        {Status.SENT: 1},
        {Status.SENT: 1, Status.SKIPPED: 1},
        {Status.REFUSED: 1},
        {Status.REJECTED: 1},
    ]


def test_it_tells_why_rows_were_not_sent_the_commonest_reason_first_with_its_first_row() -> None:
    more = results([end("refused", 5, code="invalid_phone", said="letters")] * 2, first=7)
    whys = folded(results(MIXED), more).whys
    assert whys[0] == ReasonCount(Status.REFUSED, "invalid_phone", 3, place="row 3", key="k3", message="too short")
    assert {why.code for why in whys} == {"invalid_phone", "duplicate", "InvalidRequestException", "unanswered"}


def test_a_row_sent_by_decision_is_no_reason_to_look() -> None:
    figures = folded(results([end("sent", 0, attempts=1, code="resolved", said="marked as sent by hand")]))
    assert (figures.whys, figures.look) == ((), ())


def test_rows_to_look_at_come_with_the_most_urgent_first_and_no_more_than_can_be_read() -> None:
    refused = [end("refused", 0, code="invalid_phone")] * (2 * SHOWN)
    figures = folded(results(refused), results(MIXED, first=2 * SHOWN))
    assert len(figures.look) == SHOWN
    assert [row.status for row in figures.look[:3]] == ["unknown", "rejected", "refused"]
    assert [row.place for row in figures.look[2:5]] == ["row 0", "row 1", "row 2"]
    assert figures.to_look_at == 2 * SHOWN + 3


def test_a_destination_is_masked() -> None:
    (row,) = folded(results(MIXED[4:5])).look
    assert row.destination == mask("+12065550000") != "+12065550000"


@pytest.mark.parametrize(
    "key, to, private, shown",
    [
        ("customer-7", "+12065550100", False, "customer-7"),
        ("1001", "+12065551001", False, "1001"),
        ("+12065550100", "+12065550100", False, "+120…00"),
        ("(206) 555-0100", "+12065550100", False, "(206…00"),
        ("Ann.Lee@Example.com", "ann.lee@example.com", False, "A…@Example.com"),
        ("206 555 01 001", None, True, "206 …01"),
        ("206 555 01 001", None, False, "206 555 01 001"),
    ],
)
def test_a_key_that_tells_whom_to_write_to_is_masked(key: str, to: str | None, *, private: bool, shown: str) -> None:
    figures = folded(results([end("refused", code="invalid_phone")], keys=[key], to=[to]), private=private)
    assert [row.key for row in figures.look] == [why.key for why in figures.whys] == [shown]


ENDS = st.sampled_from(MIXED)


def cut(ends: pl.DataFrame, at: list[int]) -> Iterator[pl.DataFrame]:
    """Cut results into batches."""
    edges = [0, *sorted(at), ends.height]
    yield from (ends.slice(start, stop - start) for start, stop in pairwise(edges))


@given(ends=st.lists(ENDS, max_size=30), at=st.lists(st.integers(0, 30), max_size=4))
def test_it_makes_no_difference_where_batches_end(ends: list[Recorded], at: list[int]) -> None:
    whole = results(ends)
    assert folded(*cut(whole, [min(one, whole.height) for one in at])) == folded(whole)
