"""The breaker, arithmetic only: it …"""

from collections.abc import Iterable

import pytest

from bulk.delivery.breaker import FEWEST, Breaker
from bulk.model import Outcome, Status

SENT, SKIPPED, REFUSED = Outcome(Status.SENT, "c-1"), Outcome(Status.SKIPPED), Outcome(Status.REFUSED)


def failed(code: str = "InvalidRequestException", message: str = "no", status: Status = Status.REJECTED) -> Outcome:
    return Outcome(status, error_code=code, error_message=message)


def reasons(outcomes: Iterable[Outcome], *, in_a_row: int = 3, share: float = 1.0) -> list[str | None]:
    breaker = Breaker(in_a_row, share)
    return [breaker.after(outcome) for outcome in outcomes]


def test_the_same_error_so_often_in_a_row_halts() -> None:
    assert reasons([failed()] * 3) == [
        None,
        None,
        "3 rows in a row failed alike ([stop] same_error_in_a_row): InvalidRequestException: no",
    ]


@pytest.mark.parametrize("between", [SENT, SKIPPED, REFUSED, failed("ConflictException"), failed(message="never")])
def test_anything_else_between_begins_the_count_anew(between: Outcome) -> None:
    assert reasons([failed(), failed(), between, failed(), failed()]) == [None] * 5


@pytest.mark.parametrize("status", [Status.REJECTED, Status.UNKNOWN])
def test_rejected_and_unknown_rows_count_as_failed(status: Status) -> None:
    assert reasons([failed(status=status)] * 3)[-1] is not None


def test_errors_that_differ_in_their_ids_and_addresses_are_alike() -> None:
    said = ["contact 17-ab of a@b.example at +14155550123", "contact 9e-1 of c@d.example at +447911123456"]
    assert reasons([failed(message=message) for message in [*said, said[0]]])[-1] is not None


def test_messages_that_are_missing_are_alike() -> None:
    assert reasons([Outcome(Status.UNKNOWN, error_code="ReadTimeout")] * 3)[-1] is not None


def test_so_large_a_share_of_failures_halts() -> None:
    outcomes = [outcome for n in range(FEWEST) for outcome in (SENT, failed(message="ab"[n % 2] * 3))]
    assert reasons(outcomes, in_a_row=100, share=0.5) == [None] * len(outcomes)
    reason = reasons([*outcomes, failed()], in_a_row=100, share=0.5)[-1]
    assert reason == "51 of 101 rows failed ([stop] failure_share), the last: InvalidRequestException: no"


def test_a_share_says_nothing_of_a_few_rows() -> None:
    few = [failed(message="ab"[n % 2] * 3) for n in range(FEWEST)]
    assert reasons(few, in_a_row=100, share=0.1)[:-1] == [None] * (FEWEST - 1)
    assert reasons(few, in_a_row=100, share=0.1)[-1] is not None


def test_rows_that_were_not_tried_are_no_part_of_the_share() -> None:
    outcomes = [SKIPPED, REFUSED] * 500 + [failed(message="ab"[n % 2] * 3) for n in range(FEWEST)]
    assert reasons(outcomes, in_a_row=100, share=0.5)[-1] is not None


def test_a_share_of_one_halts_never() -> None:
    assert set(reasons([failed(message="ab"[n % 2] * 3) for n in range(200)], in_a_row=1000)) == {None}
