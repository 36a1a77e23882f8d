"""What to do about rows that were not sent, by status and code: an advice and a command."""

from collections.abc import Callable
from typing import Final

from bulk.model import Status
from bulk.reports.run_facts import Command

Typed = Callable[..., str]
"""Writes a command of this program for the run: its name, then further words."""

_MEND = "Correct these rows in the list or the campaign, then send them."
_OF_CODE: Final = {
    "missing_destination": "Fill in the phone number or address of these rows.",
    "missing_key": "Fill in the key of these rows.",
    "several_destinations": "Leave one number or address in the cell.",
    "invalid_phone": "Correct the numbers; for those without a +, set country under [list].",
    "ambiguous_phone": "Write these numbers with a + and their country.",
    "invalid_email": "Correct the addresses.",
    "country_not_allowed": "If they may be written to, name their country under [list] allow_countries.",
    "fixed_line": "A fixed line takes no SMS: find a mobile number.",
    "excel_number": "A spreadsheet cut these numbers: format the column as text and fill it in again.",
    "ragged_row": "Quote cells that hold the separator, so that each row has as many cells as the header.",
    "blank_message": "Fill in the columns of the text, or write words beside them.",
    "template_error": "Correct the template, or the cells that it reads.",
    "key_of_another": "Give these rows keys of their own, or send the list as another run.",
    "expired": "They came too late: set a later expires, if they are still to go.",
    "duplicate": "Nothing: each of them is sent once.",
    "suppressed": "Nothing: they are not to be written to.",
    "opted_out": "Nothing: they said no.",
    "no_consent": "Nothing, unless they agreed: then say so in the list, and send them.",
    "capped": "Nothing: they have been written to often enough. A later run reaches them.",
    "given_up": "Nothing: somebody gave them up, and they are never sent again.",
    "AccessDeniedException": "Give the credentials the permission for the call.",
    "ResourceNotFoundException": "See that the flow, the number and the template are in this instance and Region.",
    "ServiceQuotaExceededException": "Ask AWS for a higher quota, or set [hold] open_contacts.",
    "InvalidRequestException": "See what the service says of them, correct it, then send them.",
}
_FINAL: Final = {"duplicate", "suppressed", "opted_out", "capped", "given_up"}


def remedy(status: Status, code: str | None, typed: Typed) -> Command:
    """Return what to do about the rows of a reason."""
    said = _OF_CODE.get(code or "")
    if status is Status.UNKNOWN:
        return _of_unknown(code, typed)
    if status is Status.PENDING or status is Status.SENT or code in _FINAL:
        return Command(said or "Nothing.")
    if status is Status.SKIPPED:
        return Command(
            said or "Left out on purpose. If that was wrong, fix it and send them.", typed("send", "--only", "skipped")
        )
    return Command(said or _MEND, typed("send", "--only", status.value))


def _of_unknown(code: str | None, typed: Typed) -> Command:
    if code == "unanswered":
        return Command("Send again: that settles them, and makes no second message.", typed("send"))
    return Command("Decide: send them again, count them as sent, or give them up.", typed("resolve"))
