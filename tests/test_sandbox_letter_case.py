"""Texts that the sandbox compares without regard to case."""

import json

import pytest

from bulk.sandbox.letter_case import folded, holds


@pytest.mark.parametrize(
    "one, other",
    [
        ("ANN", "ann"),
        ("Ärger", "äRGER"),
        ("Straße", "STRASSE"),
        ("a\u0308", "Ä"),
        ("ΟΔΟΣ", "οδος"),
        ("Иван", "ИВАН"),
        ("İstanbul", "ISTANBUL"),
        ("IĞDIR", "ığdır"),
        ("\ufb01ne", "FINE"),
    ],
)
def test_two_spellings_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_what_differs_in_more_than_case_stays_apart() -> None:
    assert len({folded(text) for text in ("a", "ä", "o", "ö", "ß", "s")}) == 6


@pytest.mark.parametrize("as_ascii", [True, False])
def test_a_request_holds_a_text_however_it_is_escaped(*, as_ascii: bool) -> None:
    body = json.dumps({"Content": "Grüße aus \ud83d\udc4b KÖLN"}, ensure_ascii=as_ascii)
    raw = body.encode("utf-16", "surrogatepass").decode("utf-16").encode()
    assert holds(raw, folded("köln"))
    assert holds(raw, folded("GRÜSSE"))
    assert not holds(raw, folded("kolm"))
    assert not holds(None, folded("köln"))
