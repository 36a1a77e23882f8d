"""What was decided, as it is printed and as a notebook shows it."""

from dataclasses import replace
from datetime import UTC, datetime

from bulk.ledger import Decision
from bulk.run.doubt_search import Settlement
from bulk.run.resolve import Resolution, UnknownRow

ROW = UnknownRow(
    row=1,
    line=5,
    file="",
    key="b",
    destination="+120…98",
    in_doubt=False,
    error_code="ConnectionClosed",
    error_message="the line broke",
    tried_at=datetime(2027, 1, 15, 8, 0, 2, tzinfo=UTC),
)


def test_a_resolution_is_printed_with_times_in_iso_8601_and_what_came_of_asking() -> None:
    listed = [ROW, replace(ROW, row=None, line=None, key=None, tried_at=None)]
    row = {"row": 1, "line": 5, "file": "", "key": "b", "destination": "+120…98", "in_doubt": False}
    error = {"error_code": "ConnectionClosed", "error_message": "the line broke"}
    first = {**row, **error, "tried_at": "2027-01-15T08:00:02+00:00"}
    second = {**first, "row": None, "line": None, "key": None, "tried_at": None}
    told = {"campaign": "x", "run": "june", "decision": None, "decided": 3, "unknown": [first, second]}
    assert Resolution("x", "june", None, 3, listed).as_dict() == told
    asked = dict.fromkeys(("absent", "to_settle", "too_soon", "unmarked", "unproven", "queries"), 0) | {"found": 3}
    resolution = Resolution("x", "june", None, 3, listed, Settlement(found=3))
    assert resolution.as_dict() == {**told, "asked": asked}


def test_a_resolution_shows_itself_with_each_column_named() -> None:
    shown = Resolution("x", "june", Decision.GIVE_UP, 3, [ROW])._repr_html_()
    text = shown.replace(" style='text-align:left'", "")
    assert text.startswith("<table><caption>Unknown rows of x, run june</caption>")
    facts = {"decision": "give-up", "rows decided about": "3", "rows still unknown": "1"}
    assert all(f"<tr><th>{name}</th><td>{value}</td></tr>" in text for name, value in facts.items())
    columns = ("row", "line", "key", "destination", "in doubt", "error", "tried at")
    assert f"<thead><tr>{''.join(f'<th>{one}</th>' for one in columns)}</tr></thead>" in text
    assert "<tr><td>1</td><td>5</td><td>b</td>" in text
