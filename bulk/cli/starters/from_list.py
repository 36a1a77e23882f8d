"""A starter campaign for an existing list: its columns are found and put where the campaign needs them."""

import re
from pathlib import Path

from bulk.channels import CHANNELS, Starter
from bulk.cli.starters.columns import ColumnChoice, fitted
from bulk.loader import ContactList, ReadSpec
from bulk.reference.schema import FILE

_HEAD = """\
#:schema {schema}
# {what} to each row of {list}, through Amazon Connect. Made by looking at the list; check what stands here.
#
#   bulk check {file}               read everything, send nothing
#   bulk send  {file} --sandbox     rehearse against a pretend Amazon Connect
#   bulk send  {file}               send; run it again to go on where it stopped

name     = {name}               # a-z, 0-9 and -. Keep it: it is part of what stops a row from being sent twice.
channel  = "{channel}"
contacts = {contacts}

[list]
{table}

# Parameters in AWS's own names; any text may hold {{{{ columns }}}} of the list. Replace the ids by your own.
# Columns: {columns}
[request]
InstanceId = "11111111-1111-4111-8111-111111111111"
"""

_TAIL = """
[pacing]
rate  = 2                           # calls per second: what a new account has
burst = 5                           # calls at once after a pause
"""

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_WORDS = {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None", "row", "loop"}


def starter_for(
    contacts: ContactList,
    channel: str | None = None,
    *,
    path: Path | str | None = None,
    column: str | None = None,
    name: str | None = None,
    file: str | None = None,
) -> str:
    """Return a campaign for a list, as text. `path` is what the campaign calls the list by, its name if left out.

    The `channel` and the `column` of the destinations are found where they are None. The campaign has the list's `name`
    and stands in a `file` of that name unless it is said. Raise `CampaignError`: no such channel, or no column that
    holds destinations.
    """
    found, name = fitted(contacts, channel, column), name or slug(contacts.name)
    starter = CHANNELS[found.channel].STARTER
    head = _HEAD.format(
        schema=FILE,
        what=starter.what,
        list=_comment(contacts.name),
        file=file or f"{name}.toml",
        name=_quoted(name),
        channel=found.channel,
        contacts=_quoted(str(path or contacts.name)),
        table=_table(contacts, found),
        columns=_comment(", ".join(contacts.columns)),
    )
    return head + starter.tables.format(**_texts(contacts, found, starter)) + _TAIL


def _texts(contacts: ContactList, found: ColumnChoice, starter: Starter) -> dict[str, str]:
    """Return what stands in a starter's tables for the columns of a list, as TOML."""
    first_name = f"{{{{ {_reference(found.first_name)} | default('there', true) }}}}" if found.first_name else "there"
    words = starter.text
    text = f"Hi {first_name}, {words}" if found.first_name else words[:1].upper() + words[1:]
    own = {name: _expression(name) if name in contacts.columns else text for name, text in starter.columns.items()}
    texts = {"destination": _expression(found.destination), "first_name": first_name, "text": text, **own}
    return {name: _quoted(text) for name, text in texts.items()}


def _table(contacts: ContactList, found: ColumnChoice) -> str:
    """Return the lines of `[list]`, and beside them what the list was seen to be."""
    lines = [_line("key", found.key, "the column that names a row")]
    if found.kind == "phone":
        where = "where phone numbers without + belong"
        lines += [_line("country_column", found.country, where)] if found.country else []
        lines += ['# country = "US"                  # ' + where]
    lines += [_line("timezone_column", found.time_zone, "where it is day and night")] if found.time_zone else []
    lines += [f"# Recognised: {contacts.meaning.name}."] if contacts.recognised else []
    others = ", ".join(repr(one.column) for one in found.candidates if one.column != found.destination)
    lines += [_comment(f"# Other columns of destinations: {others}.")] if others else []
    consent = contacts.consent(ReadSpec(kind=found.kind, destination=found.destination, channel=found.channel))
    lines += [f"# Left out: rows where {_comment(str(rule))} ({rule.code})." for rule in consent.rules if rule.said]
    return "\n".join([*lines, *(_comment(f"# {note}") for note in consent.warnings)])


def _line(key: str, column: str | None, meaning: str) -> str:
    if column is None:
        return f'# {key} = "…"                     # {meaning}; without it, the destination does'
    return f"{key} = {_quoted(column)}    # {meaning}"


def _expression(column: str) -> str:
    return f"{{{{ {_reference(column)} }}}}"


def _reference(column: str) -> str:
    """Return a column as an expression names it: by its name where that is a name or a path, else out of the row."""
    folded = column if "." in column else re.sub(r"\W+", "_", column).strip("_")
    plain = _NAME.fullmatch(folded) and not _WORDS & set(folded.split("."))
    return folded if plain else f"row[{column!r}]"


def slug(name: str) -> str:
    """Return a list's name as a campaign may have it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().partition(".")[0]).strip("-")[:100].strip("-") or "my-campaign"


def _quoted(text: str) -> str:
    """Write a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in escaped) + '"'


def _comment(text: str) -> str:
    """Keep text within its comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
