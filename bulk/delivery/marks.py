"""The mark of a call: a contact attribute whose value names the call, so that its contact can be found again.

The value is a hash of the call's `ClientToken`, which is a hash itself: it tells nothing of the person or the row.
"""

from dataclasses import replace

from bulk.model import Call, digest


def mark_of(token: str) -> str:
    """Return the value that the attribute has for the call under a token."""
    return digest(["mark", token]).hex()


def marked(call: Call, attribute: str | None, token: str) -> Call:
    """Return a call with its mark among the attributes of the contact; the same call where there is no attribute."""
    if attribute is None:
        return call
    attributes = {**(call.parameters.get("Attributes") or {}), attribute: mark_of(token)}
    return replace(call, parameters={**call.parameters, "Attributes": attributes})
