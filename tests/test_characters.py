"""Which characters make an SMS longer, and what plain ones would save."""

import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from compiled_requests import SMS
from hypothesis import given
from hypothesis import strategies as st

import bulk
from bulk.run.characters import Characters, shown
from bulk.text.segments import is_unusual, parts, plain_form, written_plainly


def plan(tmp_path: Path, texts: list[str]) -> Any:
    message = {"ContentType": "text/plain", "Content": "{{ text }}"}
    request = {**SMS, "InitialSystemMessage": message}
    campaign = bulk.Campaign(name="c", channel="sms", request=request, folder=tmp_path)
    phones = [f"+1415555{row:04}" for row in range(len(texts))]
    return asyncio.run(bulk.check(campaign, contacts=pl.DataFrame({"phone": phones, "text": texts})))


def test_the_characters_are_named_with_their_rows_and_what_plain_ones_save(tmp_path: Path) -> None:
    long = "x" * 100
    found = plan(tmp_path, [f"Ann’s {long}", f"Ann’s – {long}", "plain", "short’"])
    said = "3 messages hold characters that plain SMS lack: ’ (in 3), – (in 1)"
    coded = "they go out as UCS-2, 70 characters in a part instead of 160"
    assert found.notes == [f"{said}; {coded}; written plainly (’ as ', – as -) they would take 2 parts less"]


def test_nothing_is_said_where_all_is_plain(tmp_path: Path) -> None:
    assert plan(tmp_path, ["Grüße von Ann €", "é"]).notes == []


def test_characters_that_have_no_plain_form_are_named_all_the_same(tmp_path: Path) -> None:
    (note,) = plan(tmp_path, ["Привет " * 20]).notes
    assert " and 1 more; it goes out as UCS-2" in note
    assert note.endswith("; plain characters would save no parts")


def test_a_character_that_nobody_sees_is_called_by_its_name() -> None:
    seen = Characters()
    seen.note("a\u00a0b", 1)
    seen.note("a\u200bb\u0301", 1)
    (said,) = seen.sentences()
    names = {"no-break space (in 1)", "zero width space (in 1)", "combining acute accent (in 1)"}
    assert {*said.partition(": ")[2].partition(";")[0].split(", ")} == names


@pytest.mark.parametrize(
    "texts, named, saved",
    [
        ([("“”‘’…", 1)], "‘ (in 1), ’ (in 1), “ (in 1), ” (in 1), … (in 1)", "plain characters would save no parts"),
        (
            [("…‹“”‘’", 1), ("…ł", 1)],
            "… (in 2), ‘ (in 1), ’ (in 1), “ (in 1), ” (in 1) and 2 more",
            "plain characters would save no parts",
        ),
        (
            [("\u200b’" + "x" * 100, 2), ("’", 1)],
            "’ (in 2), zero width space (in 1)",
            "written plainly (’ as ', zero width space as nothing) they would take 1 part less",
        ),
        (
            [("ł’" + "x" * 1500, 24), ("’" + "x" * 1600, 1), ("’" + "x" * 210_000, 3200)],
            "’ (in 3), ł (in 1)",
            "written plainly (’ as ') they would take 1,828 parts less",
        ),
    ],
    ids=["one", "several", "one part less", "many parts less"],
)
def test_what_is_said_of_them_names_five_and_what_it_would_save(
    texts: list[tuple[str, int]], named: str, saved: str
) -> None:
    seen = Characters()
    for text, took in texts:
        seen.note(text, took)
    many = len(texts) > 1
    who = f"{len(texts)} messages hold" if many else "1 message holds"
    coded = f"{'they go' if many else 'it goes'} out as UCS-2, 70 characters in a part instead of 160"
    assert seen.sentences() == [f"{who} characters that plain SMS lack: {named}; {coded}; {saved}"]


@pytest.mark.parametrize("sign, said", [("\ue000", "u+e000"), ("\u2003", "em space"), ("😀", "😀"), ("ä", "ä")])
def test_a_character_is_shown_where_it_can_be_seen(sign: str, said: str) -> None:
    assert shown(sign) == said


PLAIN = [("’", "'"), ("”", '"'), ("—", "-"), ("…", "..."), ("\u00a0", " "), ("\u200b", ""), ("ê", "e")]
KEPT = [("ł", "ł"), ("😀", "😀"), ("½", "½")]


@pytest.mark.parametrize("character, plain", [*PLAIN, *KEPT])
def test_a_plain_form_is_what_a_person_would_type(character: str, plain: str) -> None:
    assert plain_form(character) == plain


@given(st.text("ab ’–…\u00a0\u200bêŁ€^я😀", max_size=400))
def test_writing_plainly_never_leaves_more_of_them(text: str) -> None:
    plain = written_plainly(text)
    assert written_plainly(plain) == plain
    if not is_unusual(text):
        assert plain == text
    assert parts(text) >= 1
