"""The parts of an SMS: it …"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.text.segments import parts

BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
EXTENDED = "\f^{}[~]\\|€"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 481, 4),  # the example of "SMS character limits"
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" + "€" * 79, 1),
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the euro sign is not split: the first part holds 152
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 70 + "…", 2),  # one character outside the alphabet makes all of them wide
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("я" * 66 + "😀" + "я" * 10, 2),
        ("я" * 66 + "😀" + "я" * 66, 3),  # nor is a surrogate pair
        ("ç", 1),
        ("ç" * 71, 2),  # the small c with a cedilla is not in the alphabet, the capital one is
        ("Ç" * 160, 1),
        ("`" * 71, 2),
        ("\t" * 71, 2),
    ],
)
def test_a_text_takes_so_many_parts(text: str, expected: int) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize("character", BASIC)
def test_a_character_of_the_basic_alphabet_takes_one_septet(character: str) -> None:
    assert (parts(character * 160), parts(character * 161)) == (1, 2)


@pytest.mark.parametrize("character", EXTENDED)
def test_a_character_of_the_extension_takes_two_septets(character: str) -> None:
    assert (parts(character * 80), parts(character * 81)) == (1, 2)


@given(st.text(max_size=1100))
def test_the_parts_hold_the_text_and_are_no_more_than_splitting_needs(text: str) -> None:
    wide = not set(text) <= set(BASIC + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + EXTENDED)
    units = len(text.encode("utf-16-le")) // 2 if wide else sum(2 if char in EXTENDED else 1 for char in text)
    single, several = (70, 67) if wide else (160, 153)
    expected = 1 if units <= single else math.ceil(units / several)
    assert expected <= parts(text) <= max(expected, math.ceil(units / (several - 1)))


@given(st.text(max_size=300), st.text(max_size=30))
def test_a_longer_text_never_takes_fewer_parts(text: str, more: str) -> None:
    assert parts(text + more) >= parts(text)
