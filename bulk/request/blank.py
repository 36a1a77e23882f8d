"""Texts that show nothing to a person."""

import re

_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe0f\ufeff\uffa0"
)
_TEXT = re.compile(rf"[\s{_UNSEEN}]*")
_SEEN = "img|svg|video|audio|picture|object|embed|iframe|canvas|input|button|hr|table"
_HTML = re.compile(rf"(?:<(?!(?:{_SEEN})\b)[^<>]*>|&(?:nbsp|#160|#xa0|zwnj|zwj|shy);|[\s{_UNSEEN}])*", re.IGNORECASE)


def is_blank(text: str, *, html: bool = False) -> bool:
    """Whether a text holds nothing to be seen: spaces, characters without a shape, and as `html` empty elements."""
    blank = (_HTML if html else _TEXT).match(text)
    return blank is not None and blank.end() == len(text)
