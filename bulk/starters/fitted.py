"""A starter campaign for a list that somebody has: its columns are found, and named where the campaign needs them."""

import re
from pathlib import Path

from bulk.loader import ContactList, Kind, Wanted
from bulk.starters.choice import Fitted, fitted

_HEAD = """\
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

_SMS = """\
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
DestinationEndpoint.Address = {destination}
InitialSystemMessage.Content = {text}
ChatDurationInMinutes = 60          # an open chat counts against the instance's limit until this is over
"""

_EMAIL = """\
FromEmailAddress.EmailAddress = "shop@example.com"      # of the instance
DestinationEmailAddress.EmailAddress = {destination}

[request.EmailMessage.RawMessage]
ContentType = "text/plain"          # or text/html
Subject     = "A word from us"
Body        = {text}

# CreateContact. Amazon Connect wants a user for each outgoing email; a list of users is taken in turn.
[create_contact]
UserInfo.UserId = "66666666-6666-4666-8666-666666666666"

# StopContact once the email is accepted. Leave the line out to keep the contact open.
[stop_contact]
"""

_INBOUND = """\
ContactFlowId = "22222222-2222-4222-8222-222222222222"   # the flow that routes the message
DestinationEmailAddress = "service@example.com"          # an address of the instance
FromEmailAddress.EmailAddress = {destination}

[request.EmailMessage.RawMessage]
ContentType = "text/plain"
Subject     = "A word from a customer"
Body        = {text}
"""

_TAIL = """
[pacing]
rate  = 2                           # calls per second: what a new account has
burst = 5                           # calls at once after a pause
"""

_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_WORDS = {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None", "row", "loop"}

_CHANNELS: dict[str, tuple[Kind, str, str, str]] = {
    "sms": ("phone", "An SMS", _SMS, "see you soon. Reply STOP to opt out."),
    "email": ("email", "An email", _EMAIL, "see you soon."),
    "inbound-email": ("email", "An inbound email contact", _INBOUND, "please get in touch."),
}


def starter_for(
    contacts: ContactList, channel: str | None = None, *, path: Path | str | None = None, column: str | None = None
) -> str:
    """Return a campaign for a list, as text. `path` is what the campaign calls the list by, its name if left out.

    The `channel` and the `column` of the destinations are found where they are None. Raise `CampaignError`: no such
    channel, or no column that holds destinations.
    """
    found = fitted(contacts, channel, column)
    _, what, body, words = _CHANNELS[found.channel]
    head = _HEAD.format(
        what=what,
        list=_comment(contacts.name),
        file=f"{slug(contacts.name)}.toml",
        name=_quoted(slug(contacts.name)),
        channel=found.channel,
        contacts=_quoted(str(path or contacts.name)),
        table=_table(contacts, found),
        columns=_comment(", ".join(contacts.columns)),
    )
    name = contacts.meaning.first_name
    text = f"Hi {_expression(name)}, {words}" if name else words[0].upper() + words[1:]
    return head + body.format(destination=_quoted(_expression(found.destination)), text=_quoted(text)) + _TAIL


def _table(contacts: ContactList, found: Fitted) -> str:
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
    consent = contacts.consent(Wanted(kind=found.kind, destination=found.destination, channel=found.channel))
    lines += [f"# Left out: rows where {_comment(str(rule))} ({rule.code})." for rule in consent.rules if rule.said]
    return "\n".join([*lines, *(_comment(f"# {note}") for note in consent.warnings)])


def _line(key: str, column: str | None, meaning: str) -> str:
    if column is None:
        return f'# {key} = "…"                     # {meaning}; without it, the destination does'
    return f"{key} = {_quoted(column)}    # {meaning}"


def _expression(column: str) -> str:
    """Write a column as a template does: by its own name where that is a name or a path, else out of the row."""
    folded = column if "." in column else re.sub(r"\W+", "_", column).strip("_")
    plain = _NAME.fullmatch(folded) and not _WORDS & set(folded.split("."))
    return f"{{{{ {folded} }}}}" if plain else f"{{{{ row[{column!r}] }}}}"


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
