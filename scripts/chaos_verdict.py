"""What the chaos test asks afterwards: the server first, then the results. Nothing here believes the program."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from chaos_figures import Figures
from chaos_trial import ContactList, Kind


def judge(kind: Kind, contacts: ContactList, accepted: list[dict[str, Any]], results: Path) -> tuple[Figures, str]:
    """Compare what the list wanted, what the server accepted, and what the results say; tell what is wrong."""
    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found: list[tuple[str, str]] = []
    firsts = _firsts(contacts, rows, found)
    unknown = {key for key, row in firsts.items() if row["status"] == "unknown"}
    _at_the_server(kind, contacts, accepted, unknown, found)
    _in_the_results(contacts, firsts, _by_key(kind, accepted), found)
    counts = Counter(name for name, _ in found)
    figures = Figures(campaigns=1, rows=len(rows), unknown=len(unknown), **counts)
    return figures, "\n".join(f"{name}: {what}" for name, what in found)


def _firsts(
    contacts: ContactList, rows: list[dict[str, str]], found: list[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """Return the result of the first row of each key; rows and results must stand side by side, repeats as skipped."""
    if [row["key"] for row in rows] != [key for key, *_ in contacts.rows]:
        found.append(("wrong_results", "the results do not have the rows of the list"))
    firsts: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["key"] in firsts and row["status"] != "skipped":
            found.append(("wrong_results", f"row {row['row']} repeats {row['key']} and is {row['status']}"))
        firsts.setdefault(row["key"], row)
    return firsts


def _key(contact: dict[str, Any]) -> str:
    return str(contact["Parameters"]["Attributes"]["id"])


def _by_key(kind: Kind, accepted: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return what reached people: for a mail, the contacts whose mail was accepted."""
    reached: dict[str, list[dict[str, Any]]] = {}
    for contact in accepted:
        if contact["Mailed"] or kind.channel != "email":
            reached.setdefault(_key(contact), []).append(contact)
    return reached


def _at_the_server(
    kind: Kind, contacts: ContactList, accepted: list[dict[str, Any]], unknown: set[str], found: list[tuple[str, str]]
) -> None:
    reached = _by_key(kind, accepted)
    counted = [contact for contact in accepted if contact["Mailed"] or not kind.forgets]  # else drafts are many
    every = Counter(_key(contact) for contact in counted)
    found += [("doubled", f"{key} {count} times") for key, count in every.items() if count > 1]
    for contact in counted:
        key = _key(contact)
        if key not in contacts.wanted or contacts.wanted[key] == "refused":
            found.append(("strangers", f"{contact['ContactId']} of {key}"))
        mail = contact["Message"]
        if mail and mail["EmailMessage"]["RawMessage"]["Subject"] != f"Order {key}":
            found.append(("strangers", f"the draft of {key} got the mail of another row"))
        given_up = kind.tired and contacts.wanted.get(key) == "rejected"  # as may be the stop of its draft
        if key in unknown or given_up or contact["State"] == "ended":
            continue
        if kind.channel == "email" and not contact["Mailed"]:
            found.append(("drafts_left", f"{contact['ContactId']} of {key}"))
        elif kind.stops:
            found.append(("left_open", f"{contact['ContactId']} of {key}"))
    for key, wanted in contacts.wanted.items():
        if wanted == "sent" and key not in reached and key not in unknown:
            found.append(("lost", key))
        if wanted != "sent" and key in reached and key not in unknown:
            found.append(("strangers", f"{key} was to be {wanted}"))


def _in_the_results(
    contacts: ContactList,
    firsts: dict[str, dict[str, str]],
    reached: dict[str, list[dict[str, Any]]],
    found: list[tuple[str, str]],
) -> None:
    """Check the rows: a sent one has the server's contact id; an unknown one was tried; others end as they must."""
    for key, wanted in contacts.wanted.items():
        row = firsts.get(key, {"status": "missing", "contact_id": "", "attempts": "0"})
        ids = [contact["ContactId"] for contact in reached.get(key, [])]
        if row["status"] == "unknown":
            tried = int(row["attempts"]) > 0 or row["error_code"] == "token_expired"  # by a sender that died elsewhere
            right = tried and wanted != "refused"
        else:
            right = row["status"] == wanted and (ids == [row["contact_id"]] if wanted == "sent" else not ids)
        if not right:
            found.append(("wrong_results", f"{key} is {row['status']} {row['contact_id']}, wanted {wanted}, has {ids}"))
