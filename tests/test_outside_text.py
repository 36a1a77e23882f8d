"""Text from outside: bounded, one line, and without what tells whom it is about."""

import html
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.errors import CallFailed, CallRejected, Halted
from bulk.model import Recipient, mask
from bulk.text.outside import LIMIT, outside_text, own_values, row_text

CELLS = {"name": "Ada Lovelace", "phone": "(206) 555-0100", "mail": "ada@club-mail.com", "note": 'says "no"'}
PARAMETERS = {
    "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "+12065550100"},
    "InitialSystemMessage": {"Content": "Hi Ada Lovelace, see you on Friday."},
    "ContactFlowId": "22222222-2222-4222-8222-222222222222",
}
ROW = Recipient(0, "customer-17", "+12065550100", CELLS)


def secrets_in(text: str) -> list[str]:
    told = ("Ada", "Lovelace", "club-mail", "5550100", "555-0100", "Friday", "customer-17", 'says "no"')
    return [secret for secret in told if secret.lower() in text.lower() and secret != "club-mail"]


ECHOES = {
    "as JSON": json.dumps(PARAMETERS | CELLS),
    "as JSON in JSON": json.dumps({"body": json.dumps(PARAMETERS)}),
    "in a URL": f"https://x.example/?to={quote('+12065550100')}&name={quote('Ada Lovelace')}&mail=ada%40club-mail.com",
    "as HTML": html.escape(f"<p>{CELLS['name']}, {CELLS['note']}</p>"),
    "in capitals": "USER ADA LOVELACE (ADA@CLUB-MAIL.COM) IS NOT ALLOWED",
    "as Python": repr(CELLS),
    "the number as people write it": "206-555-0100, 206.555.0100, 1 206 555 0100, (206)5550100, 2065550100",
    "after a line's end": "Hi\\nAda Lovelace",
    "the message": "cannot send 'Hi Ada Lovelace, see you on Friday.' to +12065550100",
    "the key": "no such customer-17",
    "with signs between that nobody sees": "Ada\u200b Love\u202elace, +1206\u2060555\u200d0100",
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_an_echo_tells_nothing_of_the_row(echo: str) -> None:
    assert secrets_in(row_text(echo, ROW, PARAMETERS)) == []


def test_what_helps_to_find_the_cause_stays() -> None:
    said = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized; flow 22222222-2222-4222-8222-222222222222"
    assert row_text(said, ROW, PARAMETERS) == said


def test_a_short_value_is_masked_where_it_is_a_word_and_stays_within_words() -> None:
    assert outside_text("Ada, Adam and Ada", values=["Ada"]) == "…, Adam and …"


def test_values_of_two_characters_are_no_secret() -> None:
    assert own_values({"country": "US", "none": None, "yes": True}) == []


@pytest.mark.parametrize(
    "text, told",
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1b(B\x1bcplain", "plain"),
        ("a\r\n12:00:00 forged\tline", "a  12:00:00 forged line"),
        ("\u202eabc\u2066\u200b\ufeff\x00\x7f\x85d", "abc d"),
        ("\ud800half", "half"),
        ("no-break\u00a0space", "no-break space"),
    ],
)
def test_what_steers_a_terminal_is_gone(text: str, told: str) -> None:
    assert outside_text(text) == told


@given(st.text(), st.lists(st.text(min_size=3)))
def test_it_is_always_one_bounded_line_that_can_be_shown(text: str, values: list[str]) -> None:
    told = outside_text(text, values=values)
    assert told.isprintable()
    assert len(told) <= LIMIT


@given(st.text(string.ascii_letters, min_size=6), st.text("0:, \n\x1b[]"), st.text("0:, \n\x1b[]"))
def test_a_value_never_gets_through(value: str, before: str, after: str) -> None:
    assert value not in outside_text(before + value + after, values=[value])


@pytest.mark.parametrize("at", range(65_500, 65_560, 3))
def test_a_value_that_is_cut_in_two_at_the_bound_is_not_told_by_half(at: int) -> None:
    text = "\x00" * at + "ada.lovelace@club-mail.com and Ada Lovelace"
    assert secrets_in(outside_text(text, values=["Ada Lovelace"])) == []


def test_a_failed_call_is_bounded_and_printable_from_its_birth() -> None:
    error = CallFailed("StopContact", "Code\x1b[2J" * 100, "x\n" * 1_000_000, request_id="id\r\nforged")
    assert len(str(error)) < 1500
    assert str(error).isprintable()
    assert error.request_id == "id  forged"


def test_an_error_hides_the_values_of_its_row() -> None:
    rejected = CallRejected("CreateContact", "ValidationException", "Ada Lovelace is nobody")
    halted = Halted("AccessDeniedException: Ada Lovelace may not be written to")
    for error in rejected, halted:
        error.hide(["Ada Lovelace"])
        assert "Ada" not in str(error)
        assert "…" in str(error)
    assert rejected.message == "… is nobody"


def test_a_mask_is_short_whatever_it_hides() -> None:
    assert len(mask("a@" + "x" * 200_000 + ".")) < 80
