"""Nobody's "no" is overlooked in silence: which rows the list itself leaves out, and what a person is told of it."""

import datetime as dt
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import ContactList, ReadSpec
from bulk.loader.verdicts import objection
from bulk.model import Status

ANN = "ann@club-mail.com"
EMAIL = ReadSpec(kind="email", destination="Email", channel="email")
SMS = ReadSpec(kind="phone", destination="Phone", channel="sms")


def said(cells: list[Any], column: str, wanted: ReadSpec = EMAIL, **more: list[Any]) -> list[str | None]:
    """The codes of rows whose column holds these cells, None for those that are sent."""
    people = {"Email": [ANN] * len(cells), "Phone": ["+14155550123"] * len(cells)}
    contacts = ContactList.open(pl.DataFrame({**people, column: cells, **more}, strict=False))
    found = [recipient.refusal for batch in contacts.batches(wanted) for recipient in batch.recipients]
    return [refusal.code if refusal else None for refusal in found]


TO_CHANGE_THAT = "(to change that: `opt_out_columns` and `consent_columns` under [list])"
TO_USE_IT, TO_USE_THEM = (
    f"(to use {it}: `opt_out_columns` and `consent_columns` under [list])" for it in ("it", "them")
)


def told(columns: dict[str, list[Any]], wanted: ReadSpec = EMAIL) -> list[str]:
    rows = max(map(len, columns.values()))
    people = {"Email": [ANN] * rows, "Phone": ["+14155550123"] * rows}
    return ContactList.open(pl.DataFrame({**people, **columns})).remarks(wanted)


OUT = [
    *(
        "Y",
        "yes",
        "TRUE",
        "true",
        "1",
        "1.0",
        "x",
        "X",
        "checked",
        "Unsubscribed",
        "opted out",
        "opt-out",
        "STOP",
        "DND",
        "ja",
    ),
    *(
        "2024-01-02",
        "2024-01-02T03:04:05Z",
        "03/04/2024",
        "too many mails",
        "maybe",
        "?",
        "\u2713",
        "oui",
        "s\u00ed",
        "unknown",
    ),
    *(True, 1, 1.0, 1704164645, dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)),
]
NOT_OUT = [
    *(
        "",
        " ",
        "\u00a0",
        "\u200b",
        "no",
        "No",
        "N",
        "n",
        "false",
        "FALSE",
        "F",
        "0",
        "0.0",
        "0.00",
        "null",
        "None",
        "nil",
        "-",
        "--",
    ),
    *(
        "n/a",
        "NaN",
        "subscribed",
        "Opted In",
        "opt-in",
        "active",
        "non",
        "nein",
        "Nee",
        "n\u00e3o",
        "faux",
        "falsch",
        "[]",
        "{}",
    ),
    *("not opted out", "no opt-out", "0000-00-00 00:00:00", "unchecked", None, False, 0, 0.0, math.nan),
]
CONSENTED = [
    *(
        "yes",
        "Yes",
        "Y",
        "true",
        "TRUE",
        "1",
        "1.0",
        "on",
        "x",
        "checked",
        "subscribed",
        "SUBSCRIBED",
        "opted_in",
        "Opt-In",
        "granted",
    ),
    *(
        "2024-01-02",
        "2024-01-02 03:04:05",
        "03.04.2024",
        "ja",
        "oui",
        "s\u00ed",
        "sim",
        "\u2714",
        True,
        1,
        1.0,
        dt.date(2024, 1, 2),
    ),
]
NOT_CONSENTED = [
    *(
        "",
        "no",
        "No",
        "N",
        "false",
        "0",
        "null",
        "-",
        "unsubscribed",
        "NEVER_SUBSCRIBED",
        "opted out",
        "maybe",
        "unknown",
        "2",
    ),
    *("nein", "non", "pending", None, False, 0, math.nan, "0000-00-00"),
]


@pytest.mark.parametrize("cell", OUT)
def test_whatever_is_not_a_clear_no_is_an_opt_out(cell: Any) -> None:
    assert said([cell], "Opted Out") == ["opted_out"]


@pytest.mark.parametrize("cell", NOT_OUT)
def test_a_clear_no_is_no_opt_out(cell: Any) -> None:
    assert said([cell], "Opted Out") == [None]


@pytest.mark.parametrize("cell", CONSENTED)
def test_a_clear_yes_is_a_consent(cell: Any) -> None:
    assert said([cell], "Accepts Marketing") == [None]


@pytest.mark.parametrize("cell", NOT_CONSENTED)
def test_whatever_is_not_a_clear_yes_is_no_consent(cell: Any) -> None:
    assert said([cell], "Accepts Marketing") == ["opted_out"]


@given(st.text(max_size=20))
def test_no_cell_is_both_an_opt_out_and_none(cell: str) -> None:
    kept = objection(cell, "opt_out", kind="email") is None
    assert (
        objection(f" {cell.upper()}\u200b ", "opt_out", kind="email") is None
        or not kept
        or cell.upper().lower() != cell
    )
    if kept and cell.strip():
        assert cell not in {"x", "yes"}


@pytest.mark.parametrize(
    "column, sms, email",
    [
        ("Unsubscribed", "opted_out", "opted_out"),
        ("Do Not Contact", "opted_out", "opted_out"),
        ("Do Not Text", "opted_out", None),
        ("Do Not Call", "opted_out", None),
        ("Email Opt Out", None, "opted_out"),
        ("sms_opt_out", "opted_out", None),
        ("SMS and Email Opt Out", "opted_out", "opted_out"),
        ("WhatsApp Opt Out", None, None),
        ("Fax Opt Out", None, None),
    ],
)
def test_a_column_binds_the_channel_that_it_names(column: str, sms: str | None, email: str | None) -> None:
    assert (said(["yes"], column, SMS), said(["yes"], column, EMAIL)) == ([sms], [email])


def test_a_channel_of_its_own_is_bound_by_its_own_columns() -> None:
    assert said(["yes"], "WhatsApp Opt Out", ReadSpec(kind="phone", destination="Phone", channel="whatsapp")) == [
        "opted_out"
    ]


@pytest.mark.parametrize(
    "word", ["unsubscribed", "Blocklisted", "blacklisted", "opted-out", "DO NOT CONTACT", "never_subscribed"]
)
def test_a_column_of_states_leaves_out_what_is_an_opt_out(word: str) -> None:
    states = [word, "active", "shipped", "", "Past due", "unknown"]
    assert said(states, "status") == ["opted_out", None, None, None, None, None]


@pytest.mark.parametrize(
    "cells, used", [(["yes", "no", ""], True), (["Gold", "Silver", "no"], False), (["", "", ""], False)]
)
def test_a_doubtful_name_counts_where_the_cells_bear_it_out(cells: list[str], used: bool) -> None:
    codes = said(cells, "Newsletter")
    assert codes == ([None, "opted_out", "opted_out"] if used else [None] * 3)
    assert ("not used" in " ".join(told({"Newsletter": cells}))) != used


def test_a_consent_may_list_its_channels() -> None:
    cells = ["['email', 'web']", "sms", "email, sms", "[]", "fax"]
    assert said(cells, "consent", EMAIL) == [None, "opted_out", None, "opted_out", "opted_out"]
    assert said(cells, "consent", SMS) == ["opted_out", None, None, "opted_out", "opted_out"]
    assert said([["email"], ["sms"], []], "consent", EMAIL) == [None, "opted_out", "opted_out"]


def test_members_of_structs_tell_too() -> None:
    assert said([{"opted_out": True, "n": 1}, {"opted_out": False, "n": 2}, None], "user") == ["opted_out", None, None]
    assert said([{"sms": {"consent": "no"}}, {"sms": {"consent": "yes"}}], "preferences", SMS) == ["opted_out", None]
    assert told({"user": [{"opted_out": True}]}) == [
        f"rows are left out where 'user.opted_out' is neither empty nor a clear no {TO_CHANGE_THAT}"
    ]


def test_what_leaves_rows_out_and_what_looks_alike_is_told() -> None:
    columns = {
        "Opted Out": ["x"],
        "DND": [""],
        "Accepts Marketing": ["yes"],
        "consent_id": ["7"],
        "sms_opt_out": ["yes"],
        "Plan": ["A"],
    }
    used = "'Opted Out' or 'DND' is neither empty nor a clear no, or 'Accepts Marketing' is not a clear yes"
    assert told(columns) == [
        f"rows are left out where {used} {TO_CHANGE_THAT}",
        "'sms_opt_out' is about another channel, and not used here",
        f"'consent_id' looks like a column of opt-outs or consents, and is not used {TO_USE_IT}",
    ]
    assert told({"Plan": ["A"], "status": ["shipped"]}) == []


def test_a_row_says_why_it_is_left_out_and_shows_no_words_of_its_own() -> None:
    frame = pl.DataFrame(
        {"Email": [ANN] * 4, "Opted Out": ["Y", "Ann hates us", "", ""], "Consent": ["yes", "yes", "", "Ann says"]}
    )
    found = [r.refusal for batch in ContactList.open(frame).batches(EMAIL) for r in batch.recipients]
    assert [(refusal.status, refusal.message) for refusal in found if refusal] == [
        (Status.SKIPPED, "the list says so: Opted Out is Y"),
        (Status.SKIPPED, "the list says so: Opted Out is filled in, and not with 'no'"),
        (Status.SKIPPED, "the list has no consent: Consent is empty"),
        (Status.SKIPPED, "the list has no consent: Consent is not a clear yes"),
    ]


def named(opt_out: tuple[str, ...] | None = None, consent: tuple[str, ...] | None = None) -> ReadSpec:
    return ReadSpec(
        kind="email", destination="Email", channel="email", opt_out_columns=opt_out, consent_columns=consent
    )


def test_the_campaign_may_name_the_columns_outright() -> None:
    more = {"Code": ["A", "", ""], "Fine": ["yes", "yes", "no"]}
    assert said(["yes", "", "yes"], "Opted Out", named(("code",), ("fine",)), **more) == [
        "opted_out",
        None,
        "opted_out",
    ]
    assert said(["yes", "", ""], "Opted Out", named(consent=("Fine",)), **more) == ["opted_out", None, "opted_out"]
    assert said(["yes", "no", ""], "subscribed_at", named(("subscribed_at",))) == ["opted_out", None, None]


def test_an_empty_list_of_columns_turns_finding_off_and_says_what_is_not_used() -> None:
    columns = {"Opted Out": ["yes"], "Consent": ["no"]}
    assert said(["yes"], "Opted Out", named(())) == [None]
    assert said(["no"], "Consent", named((), ())) == [None]
    assert said(["no"], "Consent", named(())) == ["opted_out"]
    assert told(columns, named((), ())) == [
        f"'Opted Out', 'Consent' look like columns of opt-outs or consents, and are not used {TO_USE_THEM}"
    ]


def test_an_unknown_column_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ListError, match=r"^frame has no column 'opted_outt': did you mean 'Opted Out'\?$"):
        said(["yes"], "Opted Out", named(("opted_outt",)))
    with pytest.raises(ListError, match=r"^\[list\] 'Opted Out' stands in opt_out_columns and in consent_columns"):
        said(["yes"], "Opted Out", named(("Opted Out",), ("opted_out",)))


def test_destination_and_key_are_no_opt_outs_whatever_they_are_called() -> None:
    frame = pl.DataFrame({"unsubscribed": [ANN], "opt_out": ["7"]})
    wanted = ReadSpec(kind="email", destination="unsubscribed", key="opt_out")
    assert [r.refusal for batch in ContactList.open(frame).batches(wanted) for r in batch.recipients] == [None]


def test_thousands_of_columns_are_looked_at_at_once(tmp_path: Path) -> None:
    names = [f"field number {place}" for place in range(5000)]
    (tmp_path / "wide.csv").write_text(f"Email,{','.join(names)},opted_out\n{ANN},{',' * 5000}yes\n")
    contacts = ContactList.open(tmp_path / "wide.csv")
    assert [r.refusal and r.refusal.code for b in contacts.batches(EMAIL) for r in b.recipients] == ["opted_out"]
