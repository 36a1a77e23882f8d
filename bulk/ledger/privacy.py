"""What the ledger must not keep: destinations in the text of an error."""

import re

from bulk.model import mask

_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+\.[^\s<>\"'(),;:@]+")
_NUMBER = re.compile(r"\+\d(?:[ .()-]{0,2}\d){6,14}|(?<![\w/:.-])\d{9,15}(?![\w-])")


def scrub(text: str | None, destination: str | None = None) -> str | None:
    """Mask `destination` wherever it stands in the text, and whatever else reads like a phone number or an address."""
    if text is None:
        return None
    if destination:
        text = text.replace(destination, mask(destination))
    return _NUMBER.sub(_masked, _ADDRESS.sub(_masked, text))


def _masked(match: re.Match[str]) -> str:
    return mask(match[0])
