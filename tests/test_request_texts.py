"""Texts as a person gets them: blank ones are refused, other programs' placeholders pointed out."""

from typing import Any

import pytest
from compiled_requests import RAW, SMS, recipient
from hypothesis import given
from hypothesis import strategies as st

from bulk.channels import email, sms
from bulk.errors import CampaignError
from bulk.model import Refusal
from bulk.request import Request
from bulk.request.blank import is_blank

COLUMNS = ["phone", "First Name", "email", "subject", "date", "kind"]


def texting(content: str) -> Request:
    message = {"ContentType": "text/plain", "Content": content}
    tables = {"request": {**SMS, "InitialSystemMessage": message}}
    return Request.compile(tables, sms.OPERATIONS, columns=COLUMNS, destination=sms.DESTINATION, texts=sms.TEXTS)


def mailing(**raw: str) -> Request:
    message = {"Subject": "S", "Body": "B", "ContentType": "text/plain", **raw}
    tables = {"request": {**RAW, "EmailMessage": {"RawMessage": message}}}
    return Request.compile(
        tables,
        {"request": "StartOutboundEmailContact"},
        columns=COLUMNS,
        destination=email.DESTINATION,
        supplied=email.SUPPLIED,
        texts=email.TEXTS,
    )


def end(request: Request, to: str = "+14155550123", **cells: Any) -> Any:
    return request.build(recipient({**dict.fromkeys(COLUMNS, ""), **cells}, destination=to))


# Blank


@pytest.mark.parametrize("cell", [" ", "\u00a0\n", "\u200b", "\ufeff \u2060", "\u3164"])
def test_a_row_whose_message_would_be_blank_is_refused(cell: str) -> None:
    found = end(texting("{{ first_name }} {{ date }}"), **{"First Name": cell})
    assert isinstance(found, Refusal)
    why = "nothing of it would be seen. Fill in First Name, date, or write words beside it."
    assert found.code == "blank_message"
    assert found.message == f"[request] InitialSystemMessage.Content: is blank: {why}"


def test_a_message_of_one_sign_is_none() -> None:
    assert not isinstance(end(texting(" {{ date }}"), date="?"), Refusal)


@pytest.mark.parametrize(
    "body, cell, blank",
    [
        ("<p>{{ date }}</p>", "", True),
        ("<html><body>&nbsp;{{ date }}<br></body></html>", " ", True),
        ("<p><img src='x'>{{ date }}</p>", "", False),
        ("<p>{{ date }}</p>", "x", False),
        ("<p>{{ date }}</p>", "<", False),
    ],
)
def test_markup_alone_is_no_message(body: str, cell: str, *, blank: bool) -> None:
    for kind, cells in (("text/html", {}), ("{{ kind }}", {"kind": "text/html"})):
        found = end(mailing(Body=body, ContentType=kind), "a@x.org", date=cell, **cells)
        assert isinstance(found, Refusal) == blank


def test_a_blank_subject_is_refused_as_well() -> None:
    found = end(mailing(Subject=" {{ subject }}"), "a@x.org", subject="\t")
    assert isinstance(found, Refusal)
    assert found.message.startswith("[request] EmailMessage.RawMessage.Subject: is blank")


def test_a_text_that_is_blank_in_every_row_is_an_error_of_the_campaign() -> None:
    with pytest.raises(CampaignError, match=r"^\[request\] InitialSystemMessage.Content: is blank: whoever gets it"):
        texting(" \u200b")
    with pytest.raises(CampaignError, match=r"RawMessage.Body: is blank"):
        mailing(Body="<p></p>", ContentType="text/html")


@given(st.text(max_size=30))
def test_what_a_letter_or_digit_stands_in_is_not_blank(text: str) -> None:
    assert not is_blank(f"{text}a")


# Placeholders of other programs


@pytest.mark.parametrize(
    "written",
    [
        *(
            "{first_name}",
            "{{ '{' }}{First Name}",
            "{ first name }",
            "{$first_name}",
            "${first_name}",
            "*|FIRST_NAME|*",
        ),
        *("((first name))", "((First Name))", "%FIRSTNAME%", "%First Name%", "%%first_name%%", "<<first_name>>"),
        *("<< First Name >>", "[First Name]", "[FIRSTNAME]", "[[first_name]]", "«First_Name»"),
    ],
)
def test_a_placeholder_of_another_program_is_answered_with_ours(written: str) -> None:
    (note,) = texting(f"Hi {written}, hello").texts.notes
    assert note.startswith("[request] InitialSystemMessage.Content holds ")
    assert note.endswith(", which goes out as it stands; the column is put in by {{ first_name }}")


@pytest.mark.parametrize(
    "written, remedy",
    [
        ("*|FNAME|*", "did you mean {{ first_name }}?"),
        ("%CITY%", "a column is put in as {{ name }}"),
        ("[FNAME]", "did you mean {{ first_name }}?"),
        ("{voornaam}", "a column is put in as {{ name }}"),
        ("{first_nam}", "did you mean {{ first_name }}?"),
    ],
)
def test_one_that_names_no_column_is_pointed_out_too(written: str, remedy: str) -> None:
    (note,) = texting(f"Hi {written}").texts.notes
    assert note == f"[request] InitialSystemMessage.Content holds {written}, which goes out as it stands; {remedy}"


@pytest.mark.parametrize(
    "text",
    [
        "Hi {{ first_name }}, 10 % off, 20 % more (see [1]) ((soon)) $5 <3 {{ date }}",
        "Save 50% or 60% today",
        "[link] (call us) « bonjour »",
        '{"name": "{{ first_name }}", "on": "{{ date }}"}',
        "p { color: red } a{b:c}",
        "{% raw %}{{ first_name }} {x}{% endraw %}",
        "{% if date %}{{ date }}{% endif %}",
        "https://x.org/?a=%20b%20&c=%3A%2F&d=%D0%9F%D1%80%E2%80%99",
        "[URGENT] [OK] [call us]",
    ],
)
def test_what_is_no_placeholder_is_left_alone(text: str) -> None:
    notes = [note for note in texting(text).texts.notes if "((soon))" not in note]
    assert notes == []


@pytest.mark.parametrize("text", ["Hi {first_name", "Hi {{ date }}}", "Hi first_name}}"])
def test_a_brace_without_its_fellow_is_pointed_out(text: str) -> None:
    (note,) = texting(text).texts.notes
    assert "holds a brace without its fellow" in note


def test_subjects_and_bodies_are_looked_at_and_no_more_than_five_of_each_are_told() -> None:
    request = mailing(Subject="%DATE%", Body=" ".join(f"{{x{n}}}" for n in range(9)))
    assert [note.split(" holds ")[0].rpartition(".")[2] for note in request.texts.notes] == ["Subject", *["Body"] * 5]
