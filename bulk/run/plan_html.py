"""A plan in a notebook: what would be sent and where, what is left out and why, and the first messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bulk.model import mask
from bulk.text.html_table import facts_table, rows_table
from bulk.text.outside import outside_text
from bulk.text.plain import duration

if TYPE_CHECKING:
    from bulk.run.plan import Plan


def plan_html(plan: "Plan") -> str:
    """Return the plan as HTML: escaped, destinations masked, and so what reads like one in a text."""
    facts: dict[str, object] = {"rows": plan.rows, "would be sent": plan.sendable, "message parts": plan.parts or None}
    if target := plan.target:
        facts |= {"instance": target.instance, "Region": target.region, "endpoint": target.endpoint}
        facts |= {"list": target.contacts, "calls a second": dict(target.rates)}
    facts |= {"takes": duration(plan.seconds), "ends": plan.finishes_at, "over the budget": plan.over_budget}
    facts |= {"countries": plan.countries, "warnings": plan.warnings, "notes": plan.notes}
    reasons = [
        (one.status.value, one.code, one.rows, one.examples[0].message if one.examples else None)
        for one in plan.reasons
    ]
    messages = [(one.place, _masked(one.destination), _text(one.texts, one.destination)) for one in plan.previews]
    return (
        facts_table(f"Plan of {plan.campaign}, run {plan.run} ({plan.channel})", facts)
        + rows_table(("status", "reason", "rows", "for example"), reasons)
        + rows_table(("row", "to", "message"), messages)
    )


def _masked(destination: str | None) -> str | None:
    return None if destination is None else mask(destination)


def _text(texts: Mapping[str, Any], destination: str | None) -> str:
    told = " / ".join(map(str, texts.values()))
    return outside_text(told, limit=300, values=[destination] if destination else ())
