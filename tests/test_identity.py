"""One spelling for what names a person or a row."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.text.identity import identity, key_of, visible

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FORMAT = "\u200b\u200e\u200f\u2060\ufeff\u00ad\u202a\u202c"  # what pages, mails and spreadsheets leave around text


@pytest.mark.parametrize(
    "spelling",
    [
        "ann@club-mail.com",
        "Ann@Club-Mail.com",
        "ANN@CLUB-MAIL.COM",
        " ann@club-mail.com\u00a0",
        "\ufeffann@club-mail.com",
        "ann@club-mail.com\u200b",
        "an\u00adn@club-mail.com",
        "\u200eann@club-mail.com\u200f",
    ],
)
def test_one_person_has_one_identity(spelling: str) -> None:
    assert identity(spelling) == "ann@club-mail.com"


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert identity("Zoe\u0308@club-mail.com") == identity("ZO\u00cb@club-mail.com") == "zo\u00eb@club-mail.com"


def test_a_number_stays_as_it_is() -> None:
    assert identity("+14155550123") == "+14155550123"


def test_other_people_have_other_identities() -> None:
    assert len({identity(f"{name}@club-mail.com") for name in ("ann", "a.nn", "ann+1", "anna", "an n")}) == 5


@given(TEXT)
def test_an_identity_is_its_own_identity(text: str) -> None:
    assert identity(identity(text)) == identity(text)


def test_every_character_keeps_its_identity() -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    spelled = [f"a{one}b" for one in letters if unicodedata.normalize("NFD", one).casefold() != one or not visible(one)]
    assert len(spelled) > 10_000
    assert [one for one in spelled if identity(identity(one)) != identity(one)] == []
    assert [one for one in spelled if identity(unicodedata.normalize("NFD", one)) != identity(one)] == []
    assert [one for one in spelled if key_of(key_of(one)) != key_of(one)] == []


@given(TEXT, st.sampled_from(["NFC", "NFD"]), st.sampled_from(FORMAT), st.integers(0, 20))
def test_form_and_format_characters_make_no_other_person(
    text: str, form: Literal["NFC", "NFD"], mark: str, at: int
) -> None:
    spelled = unicodedata.normalize(form, text)
    assert identity(spelled[:at] + mark + spelled[at:]) == identity(text)
    assert key_of(spelled[:at] + mark + spelled[at:]) == key_of(text)


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=0xFF, exclude_characters="\u00b5\u00df\u00ff"), max_size=20)
)
def test_case_makes_no_other_person(text: str) -> None:
    assert identity(text.upper()) == identity(text.lower()) == identity(text.title()) == identity(text)


@pytest.mark.parametrize(
    "spelling, key",
    [
        ("7", "7"),
        ("7.0", "7"),
        ("7.00", "7"),
        (" 7\u00a0", "7"),
        ("\ufeff7.0", "7"),
        ("70", "70"),
        ("70.0", "70"),
        ("100234.0", "100234"),
        ("-7.0", "-7"),
        ("0", "0"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("-0", "0"),
        ("007", "007"),
        ("007.0", "007.0"),
        ("00", "00"),
        ("7.5", "7.5"),
        ("7.50", "7.50"),
        ("7.", "7."),
        (".0", ".0"),
        ("1.0.0", "1.0.0"),
        ("+7.0", "+7.0"),
        ("7,0", "7,0"),
        ("1e30", "1e30"),
        ("v1.0", "v1.0"),
        ("\u0667.0", "\u0667.0"),  # digits of other scripts are no spelling that a program makes of a number
        ("", ""),
        ("\u200b", ""),
        ("Ann", "Ann"),
        ("ann", "ann"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("a b", "a b"),
    ],
)
def test_a_key_has_one_spelling(spelling: str, key: str) -> None:
    assert key_of(spelling) == key


@given(TEXT)
def test_a_key_is_its_own_key(text: str) -> None:
    assert key_of(key_of(text)) == key_of(text)


@given(st.integers(-(10**15), 10**15), st.integers(0, 3))
def test_a_whole_number_is_one_key_whatever_its_file_makes_of_it(number: int, zeros: int) -> None:
    written = f"{number}.{'0' * zeros}" if zeros else str(number)
    assert key_of(written) == key_of(str(float(number)) if abs(number) < 10**15 else str(number)) == str(number)


@given(TEXT)
def test_what_is_visible_stays(text: str) -> None:
    assert visible(text) == "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
