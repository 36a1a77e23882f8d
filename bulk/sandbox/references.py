"""References of a contact: their kinds, and their values.

Sources: API Reference, "CreateContact", "StartEmailContact", "Reference".
"""

import re
from collections.abc import Mapping
from typing import Any

from bulk.sandbox.errors import refuse

_EPOCH = re.compile(r"-?[0-9]{1,13}")
INBOUND = frozenset({"URL", "NUMBER", "STRING", "DATE"})
_TASK = INBOUND | {"EMAIL", "ATTACHMENT"}
_MAIL_KINDS = (
    "EMAIL_MESSAGE",
    "EMAIL_MESSAGE_PLAIN_TEXT",
    "EMAIL_MESSAGE_PLAIN_TEXT_REDACTED",
    "EMAIL_MESSAGE_REDACTED",
)
_VOICE_KINDS = tuple(f"VOICEMAIL_{kind}{end}" for kind in ("RECORDING", "ANALYSIS") for end in ("", "_REDACTED"))
BY_CHANNEL = {
    "TASK": _TASK,
    "EMAIL": _TASK.union(_MAIL_KINDS),
    "VOICE": _TASK.union(_VOICE_KINDS),
}


def check_references(parameters: Mapping[str, Any], kinds: frozenset[str]) -> None:
    references = parameters.get("References") or {}
    for name, reference in references.items():
        if reference["Type"] not in kinds:
            refuse(f"References.{name}.Type", f"must be one of {', '.join(sorted(kinds))}")
        if reference["Type"] == "DATE" and not _EPOCH.fullmatch(reference.get("Value") or ""):
            refuse(f"References.{name}.Value", "must be an epoch timestamp, in digits, for a DATE")
    if sum(size_of(name) + size_of(one.get("Value") or "") for name, one in references.items()) > 4096:
        refuse("References", "must have at most 4,096 UTF-8 bytes over all names and values")


def size_of(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
