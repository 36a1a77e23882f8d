"""What stands between the braces: columns however they are spelled, the whole row, and what Jinja cannot read."""

from typing import Any

import polars as pl
import pytest
from compiled_requests import SMS, built, refused, sms

from bulk.errors import CampaignError
from bulk.loader import ContactList
from bulk.request import compile_template

WHOLE = "{{ row }} is the whole row and no text: name a column, such as {{ phone }}."


def faults(columns: list[str], **changed: Any) -> list[str]:
    with pytest.raises(CampaignError) as error:
        sms({**SMS, "InitialSystemMessage": {}, **changed}, columns)
    return str(error.value).splitlines()


def text_of(template: str, cells: dict[str, Any]) -> Any:
    message = {"ContentType": "text/plain", "Content": template}
    request = sms({**SMS, "InitialSystemMessage": message}, ["phone", *cells])
    return built(request, {"phone": "1", **cells})["request"]["InitialSystemMessage"]["Content"]


# The whole row


@pytest.mark.parametrize(
    "template",
    ["{{ row }}", "Hi {{ row }}", "{% if phone %}{{ row }}{% endif %}", "{% for x in 'ab' %}{{ row }}{% endfor %}"],
)
def test_the_whole_row_never_becomes_a_text(template: str) -> None:
    message = {"ContentType": "text/plain", "Content": template}
    assert faults(["phone", "name"], InitialSystemMessage=message) == [
        f"[request] InitialSystemMessage.Content: {WHOLE}"
    ]
    assert faults(["phone", "name"], Attributes={"a": template}) == [f"[request] Attributes.a: {WHOLE}"]


@pytest.mark.parametrize("member", ["ContactFlowId", "ChatDurationInMinutes", "ParticipantDetails"])
def test_the_whole_row_is_for_members_that_are_maps(member: str) -> None:
    assert f"[request] {member}: {WHOLE}" in faults(["phone"], **{member: "{{ row }}"})


def test_the_whole_row_is_no_destination_and_no_time() -> None:
    address = {"Type": "TELEPHONE_NUMBER", "Address": "{{ row }}"}
    assert faults(["phone"], DestinationEndpoint=address) == [f"[request] DestinationEndpoint.Address: {WHOLE}"]
    with pytest.raises(CampaignError, match=r"^expires: \{\{ row \}\} is the whole row and no text"):
        compile_template("{{ row }}", ["phone"], where="expires")


@pytest.mark.parametrize(
    "template",
    ["{{ row | string }}", "{{ row ~ '' }}", "{{ [row] }} ", "{{ '%s' | format(row) }}", "{{ row | upper }}"],
)
def test_no_filter_makes_a_text_of_the_whole_row(template: str) -> None:
    request = sms({**SMS, "Attributes": {"a": template}}, ["phone", "first_name"])
    found = refused(request, {"phone": "1", "first_name": "Secret"})
    assert found.code == "template_error"
    assert "`row` is the whole row and no text: name one of its columns" in found.message
    assert "Secret" not in found.message


@pytest.mark.parametrize("header", ["row", "Row", " ROW "])
def test_a_column_called_row_wins_over_the_whole_row(header: str) -> None:
    assert text_of("{{ row }}", {header: "7"}) == "7"
    assert text_of("in row {{ row }}", {header: "7", "first_name": "Ann"}) == "in row 7"
    assert text_of("{{ row.first_name }}{{ row['row'] }}", {header: "7", "first_name": "Ann"}) == "Ann7"
    assert text_of("{{ row.upper() }}", {header: "a7"}) == "A7"


def test_a_column_called_row_may_be_a_map_of_its_own() -> None:
    assert text_of("{{ row.seat }}", {"row": {"seat": "B"}}) == "B"
    assert text_of("{% set n = 'first name' %}{{ row[n] }}", {"row": "7", "first name": "Ann"}) == "Ann"


# What Jinja cannot read


@pytest.mark.parametrize(
    "template, header, said",
    [
        ("{{First Name}}", "first_name", "{{First Name}} does not name a column: write {{ first_name }}."),
        (
            "Hi {{ First Name | upper }}",
            "First Name",
            "{{ First Name | upper }} does not name a column: write {{ first_name }}.",
        ),
        ("{{ first-name }}", "First Name", "{{ first-name }} does not name a column: write {{ first_name }}."),
        (
            "{{ E-mail (work) }}",
            "E-mail (work)",
            "{{ E-mail (work) }} does not name a column: write {{ e_mail_work }}.",
        ),
        ("{{ 2nd name }}", "2nd name", '{{ 2nd name }} does not name a column: write {{ row["2nd name"] }}.'),
        ("{{ Prénom usuel }}", "Prénom usuel", "{{ Prénom usuel }} does not name a column: write {{ prénom_usuel }}."),
        (
            "{{ First Nam }}",
            "first_name",
            "{{ First Nam }} does not name a column: the list has no column 'First Nam'. Did you mean 'first_name'?",
        ),
    ],
)
def test_a_name_with_spaces_is_answered_with_the_one_to_write(template: str, header: str, said: str) -> None:
    assert faults(["phone", header], Attributes={"a": template}) == [f"[request] Attributes.a: {said}"]


@pytest.mark.parametrize(
    "header", ["first_name", "2nd name", "a.b c", "No.", 'say "hi"', "not", "ﬁrst", "Straße 1", "a\\b"]
)
def test_what_is_recommended_names_the_column(header: str) -> None:
    (said,) = faults(["phone", header], Attributes={"a": f"{{{{ {header.replace('.', ' . ')} x y }}}} {{{{ }}}}"})[:1]
    assert said
    from bulk.request.hints import placeholder  # noqa: PLC0415 - likewise
    from bulk.text.columns import Columns  # noqa: PLC0415 - beside what is tested

    written = placeholder(header, Columns(["phone", header]))
    assert compile_template(written, ["phone", header], where="x").column == header


def test_braces_that_do_not_pair_are_said_to() -> None:
    (said,) = faults(["phone", "first_name"], Attributes={"a": "Hi {{ first_name }"})
    assert said == (
        "[request] Attributes.a: line 1 of the template: unexpected '}'. "
        "{{ and }} stand in pairs around a name, as in {{ first_name }}."
    )


def test_a_frame_whose_header_has_a_wide_dot_is_read_by_its_path() -> None:
    contacts = ContactList.open(pl.DataFrame({"a．b": ["Ann"], "phone": ["1"]}))
    assert compile_template("{{ a.b }}", contacts.columns, where="x").column == "a．b"
