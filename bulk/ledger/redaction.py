"""Removes what the ledger must not store: destinations in the text of an error."""

from bulk.text.outside import outside_text


def redact(text: str | None, destination: str | None = None) -> str | None:
    """Mask `destination` wherever it stands in the text, and whatever else reads like a phone number or an address."""
    return None if text is None else outside_text(text, values=[destination] if destination else ())
