"""Email addresses in a normal form, or the reason why not. Messages have masked values only."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from bulk.loader.cell_text import addresses_in, cleaned
from bulk.loader.phones import EXCEL_ERROR, excel_error, shown
from bulk.model import Refusal

# Addresses that need no second look: ASCII, unquoted, no hyphens that could be an encoded label (RFC 5321, 4.1.2). All
# others, and those whose last label or local part has a meaning of its own, are left to `email_validator`.
_PLAIN = re.compile(
    r"(?P<local>[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)"
    r"@(?P<domain>(?:[a-z0-9](?:[a-z0-9]|-(?!-)){0,61}(?<!-)\.)+(?P<top>[a-z]{2,63}))",
    re.ASCII | re.IGNORECASE,
)
_SPECIAL_TOPS = frozenset(SPECIAL_USE_DOMAIN_NAMES)


def email(text: str) -> str | Refusal:
    """Bring an email address to one spelling: trimmed, the domain in lower case and in ASCII; or say why it is none.

    What stands around it is left out; of several addresses the first usable is taken. No name server is asked. Amazon
    SES takes ASCII alone before the @ (API Reference, "SendEmail", Destination).
    """
    text = text.strip()
    found = _plain(text) if text[:1] != "'" else None
    if found is not None:
        return found
    text = cleaned(text)
    return _plain(text) or _validated(text) or _first(text, addresses_in(text))


def readings(text: str) -> list[str]:
    """Return every address that a cell holds: for those who are not to be written to.

    `@example.com` and `*@example.com` mean everybody there, and are returned as `everybody_at` spells it.
    """
    text = cleaned(text)
    parts = (f"*{part}" if part[:1] == "@" else part for part in addresses_in(text))
    return [address for part in parts if (address := _plain(part) or _validated(part))]


def everybody_at(destination: str) -> str | None:
    """Return how a list of those who are not to be written to names all of an address's domain; None for a number."""
    _, at, domain = destination.rpartition("@")
    return f"*@{domain}" if at else None


def _plain(text: str) -> str | None:
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    local, domain, top = match.group("local", "domain", "top")
    plain = len(local) <= 64 and len(text) <= 254 and local.lower() not in CASE_INSENSITIVE_MAILBOX_NAMES
    return f"{local}@{domain.lower()}" if plain and top.lower() not in _SPECIAL_TOPS else None


def _first(text: str, parts: list[str]) -> str | Refusal:
    """Take the first address that can be written to, of those in a cell that is not one itself."""
    found = next((address for part in parts if (address := _plain(part) or _validated(part))), None)
    if found is not None:
        return found
    if len(parts) > 1:
        trouble = "holds several addresses, and none that can be written to: correct one, and leave the others out"
        return Refusal("several_destinations", f"{shown(text)} {trouble}")
    return _refused(parts[0])


def _validated(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True).ascii_email
    except EmailNotValidError:
        return None


def _refused(text: str) -> Refusal:
    if not text:
        return Refusal("missing_destination", "the email address is empty: fill it in, or leave the row out")
    if EXCEL_ERROR.fullmatch(text):
        return excel_error(text)
    return Refusal("invalid_email", f"{shown(text)} {_trouble(text)}")


def _trouble(text: str) -> str:
    local, _, domain = text.rpartition("@")
    top = domain.rpartition(".")[2].lower()
    if not local or not domain:
        return "is no email address: write it as name@example.com"
    if not local.isascii():
        return "has letters before the @ that mail systems do not all carry"
    if top in _SPECIAL_TOPS:
        return f"ends in .{top}, where no mail is delivered: correct it"
    return "is no email address: what stands around the @ cannot be right"
