"""Names of columns, matched by one function wherever they are read."""

import asyncio
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bulk
from bulk.errors import CampaignError, ListError
from bulk.loader import ContactList
from bulk.reports.results import SCHEMA
from bulk.request import compile_template
from bulk.text.columns import Ambiguous, Columns, path

LIKE = st.sampled_from(["a", "A", "B", ".", "．", "․", " ", "_", "-", "é", "É", "１", "1", "ﬁ", "ß"])
NAMES = st.lists(LIKE, min_size=1, max_size=5).map("".join)


@pytest.mark.parametrize("header", ["a．b", "a.b", "A . B", "a․b", "a﹒b", "Ａ.ｂ"])
def test_a_dot_of_any_width_is_a_dot_in_keys_and_in_templates(header: str) -> None:
    contacts = ContactList.open(pl.DataFrame({header: ["1"]}))
    assert contacts.resolve("a.b") == header
    assert compile_template("{{ a.b }}", contacts.columns, where="x").render({header: "1"}) == "1"


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), NAMES)
def test_a_key_and_a_template_find_the_same_column(headers: list[str], name: str) -> None:
    contacts = ContactList.open(pl.DataFrame({header: [place] for place, header in enumerate(headers)}))
    text = f"{{{{ row['{name}'] }}}}"
    try:
        column = contacts.resolve(name)
    except ListError as error:
        if not Columns(headers).below(name):
            several = "may be any of" in str(error)
            with pytest.raises(CampaignError, match="could be any of" if several else "no column"):
                compile_template(text, headers, where="x")
    else:
        assert compile_template(text, headers, where="x").column == column


def test_the_columns_below_a_name_of_wide_dots_are_a_map() -> None:
    assert Columns(["user．city", "user.name"]).below("user") == {"city": "user．city", "name": "user.name"}


def test_names_that_fit_several_columns_are_ambiguous() -> None:
    with pytest.raises(Ambiguous, match=r"'NAME' could be any of 2 columns: 'Name', 'name'"):
        Columns(["Name", "name"]).find("NAME")
    assert Columns(["Name", "name"]).find("name") == "name"


def test_a_name_of_separators_alone_fits_nothing() -> None:
    assert Columns(["---", "a"]).find("___") is None
    assert path("_._") == ()


def test_results_rename_the_columns_that_a_reader_would_take_for_theirs(tmp_path: Path) -> None:
    frame = pl.DataFrame({"phone": ["+14155550123"], "Ｓｔａｔｕｓ": ["x"], "contact.id": ["7"]})
    campaign = bulk.Campaign(
        name="c",
        channel="sms",
        request={
            "InstanceId": "8f3c",
            "ContactFlowId": "846ec553",
            "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b"},
            "InitialSystemMessage": {"Content": "Hi"},
        },
        folder=tmp_path,
    )
    run = asyncio.run(bulk.send(campaign, contacts=frame, sandbox=True))
    assert run.results().columns == [*SCHEMA, "phone", "list_Ｓｔａｔｕｓ", "contact.id"]
