"""The exceptions and exit codes themselves: what each holds, shows and hides."""

import pytest

from bulk.errors import (
    BulkError,
    CallFailed,
    CallNotMade,
    CallRejected,
    CallUnsettled,
    CallWithheld,
    CampaignError,
    ExitCode,
    Halted,
    ListError,
    unwrapped,
)
from bulk.model import Refusal, Status


def test_the_exit_codes_are_the_numbers_that_scripts_compare_with() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "ROWS_FAILED": 1,
        "NOT_STARTED": 2,
        "HALTED": 3,
        "ROWS_LEFT": 4,
        "BUSY": 75,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


# What a notebook shows


def test_a_notebook_shows_the_sentence_first_and_the_traceback_when_asked_again() -> None:
    with pytest.raises(CampaignError) as raised:
        raise CampaignError("no such file")
    shown = raised.value._render_traceback_()
    again = raised.value._render_traceback_()
    assert shown == ["CampaignError: no such file"]
    assert again[0] == "Traceback (most recent call last):"
    assert again[-1] == "bulk.errors.CampaignError: no such file"
    assert all("\n" not in line for line in again)
    assert raised.value._render_traceback_() == again


def test_what_one_error_has_shown_says_nothing_of_another() -> None:
    BulkError("one")._render_traceback_()
    assert BulkError("two")._render_traceback_() == ["BulkError: two"]


# What is hidden


def test_an_error_hides_the_values_of_a_row() -> None:
    error = Halted("no such person: Margarete Holm")
    error.hide(["Margarete Holm"])
    assert str(error) == "no such person: …"


def test_a_failed_call_hides_them_in_its_message_and_its_text_and_keeps_the_rest() -> None:
    error = CallFailed("CreateContact", "Invalid", "no such person: Margarete Holm", status=400)
    error.hide(["Margarete Holm"])
    assert error.message == "no such person: …"
    assert str(error) == "CreateContact: Invalid: no such person: …"


# What a failed call knows


def test_of_a_failed_call_nothing_is_taken_for_known_that_was_not_said() -> None:
    error = CallFailed("CreateContact", "ReadTimeout", "no answer")
    known = error.status, error.request_id, error.went_out, error.foreign, error.retry_after
    assert known == (None, None, True, False, None)


def test_a_failed_call_knows_all_that_was_said() -> None:
    error = CallFailed(
        "CreateContact",
        "Busy",
        "wait",
        status=503,
        request_id="r-1",
        went_out=False,
        foreign=True,
        retry_after=3.0,
    )
    known = error.operation, error.code, error.message, error.status, error.request_id
    assert known == ("CreateContact", "Busy", "wait", 503, "r-1")
    assert (error.went_out, error.foreign, error.retry_after) == (False, True, 3.0)
    assert str(error) == "CreateContact: Busy: wait"


def test_what_the_service_said_is_one_line_of_bounded_length() -> None:
    error = CallFailed("CreateContact", "C" * 500, "first\nsecond\x1b[2J" + "m" * 5000, request_id="r" * 500)
    assert error.code == "C" * 199 + "…"
    assert error.request_id == "r" * 199 + "…"
    assert error.message.startswith("first secondmmm")
    assert len(error.message) == 1000


def test_a_call_that_we_withheld_never_went_out_and_knows_why() -> None:
    refusal = Refusal("suppressed", "named in stop.csv", Status.SKIPPED)
    error = CallWithheld("CreateContact", refusal)
    assert (error.code, error.message, error.went_out) == ("suppressed", "named in stop.csv", False)
    assert error.refusal is refusal


@pytest.mark.parametrize("kind", [CallRejected, CallNotMade, CallUnsettled])
def test_every_end_of_a_call_is_a_failed_call_of_its_own_kind(kind: type[CallFailed]) -> None:
    kinds = {CallRejected, CallNotMade, CallUnsettled}
    error = kind("CreateContact", "Code", "words")
    assert [one for one in kinds if isinstance(error, one)] == [kind]


# What task groups wrap


def raised_from(error: Exception) -> BaseException:
    with pytest.raises(Exception) as raised, unwrapped():  # noqa: PT011 - which it is, is what is tested
        raise error
    return raised.value


def test_an_error_of_ours_is_raised_without_the_groups_around_it() -> None:
    error = ListError("cannot be read")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [error])])
    assert raised_from(group) is error
    assert error.__cause__ is group


def test_of_several_that_are_all_ours_the_first_is_raised() -> None:
    first, second = ListError("one"), CampaignError("two")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [first]), second])
    assert raised_from(group) is first
    assert first.__cause__ is group


@pytest.mark.parametrize(
    "errors", [[ListError("one"), OSError("two")], [OSError("one")], [ExceptionGroup("inner", [OSError("one")])]]
)
def test_what_is_not_ours_alone_stays_in_its_group(errors: list[Exception]) -> None:
    group = ExceptionGroup("outer", errors)
    assert raised_from(group) is group


def test_an_error_that_no_group_wraps_goes_on_as_it_is() -> None:
    error = OSError("disk")
    assert raised_from(error) is error


def test_without_an_error_nothing_is_raised() -> None:
    with unwrapped():
        done = True
    assert done
