"""A plan as a notebook shows it, all of it."""

import re

from bulk.model import Status
from bulk.reports import Example, Reason
from bulk.run.plan import Plan, Preview
from bulk.run.target import Target

PHONE = "+14155550123"


def words(page: str) -> list[list[str]]:
    """Return the cells of a page row by row, as HTML has them; a caption is a row of its own."""
    rows = re.findall(r"<(?:caption|tr)[^>]*>.*?</(?:caption|tr)>", page)
    return [re.findall(r"<(?:th|td|caption)[^>]*>(.*?)</(?:th|td|caption)>", row) for row in rows]


def test_a_plan_is_shown_with_where_it_goes_what_is_left_out_and_what_it_looks_like() -> None:
    target = Target(
        instance="i-1",
        region="us-west-2",
        endpoint="https://connect.example",
        sender=None,
        flow=None,
        contacts="june.csv",
        rates={"CreateContact": 2.5},
    )
    plan = Plan(
        "offer",
        "june",
        "sms",
        rows=2000,
        sendable=1999,
        parts=2100,
        seconds=83.0,
        finishes_at="2027-01-15T17:00:03+00:00",
        countries={"US": 1999},
        zones={"America/Denver": 1999},
        notes=["a note"],
        warnings=["a warning"],
        target=target,
        reasons=[
            Reason(Status.PENDING, None, 1999),
            Reason(Status.REFUSED, "invalid_phone", 1, [Example(7, "k", "too short", 8), Example(9, "l", "other")]),
        ],
        previews=[
            Preview(0, PHONE, {"Subject": f"<b> {PHONE}", "Body": "Hi"}, 2, "june.csv"),
            Preview(1, None, {"Content": "x" * 400}),
        ],
        over_budget="it comes to more",
    )
    assert words(plan._repr_html_()) == [
        ["Plan of offer, run june (sms)"],
        ["rows", "2,000"],
        ["would be sent", "1,999"],
        ["message parts", "2,100"],
        ["instance", "i-1"],
        ["Region", "us-west-2"],
        ["endpoint", "https://connect.example"],
        ["list", "june.csv"],
        ["calls a second", "CreateContact: 2.5"],
        ["takes", "83 s"],
        ["ends", "2027-01-15T17:00:03+00:00"],
        ["over the budget", "it comes to more"],
        ["countries", "US: 1,999"],
        ["warnings", "a warning"],
        ["notes", "a note"],
        ["status", "reason", "rows", "for example"],
        ["pending", "", "1,999", ""],
        ["refused", "invalid_phone", "1", "too short"],
        ["row", "to", "message"],
        ["line 2 of june.csv", "+141…23", "&lt;b&gt; +141…23 / Hi"],
        ["row 1", "", f"{'x' * 299}…"],
    ]


def test_a_plan_of_nothing_shows_what_it_knows() -> None:
    assert words(Plan("offer", "june", "sms")._repr_html_()) == [
        ["Plan of offer, run june (sms)"],
        ["rows", "0"],
        ["would be sent", "0"],
        ["takes", "0.0 s"],
    ]
