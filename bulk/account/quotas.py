"""The codes of the quotas used here in Service Quotas. Source: "Amazon Connect service quotas"."""

from collections.abc import Mapping

SERVICE = "connect"
RATES: Mapping[str, str] = {
    "StartOutboundChatContact": "L-408DD6C6",
    "StopContact": "L-650BD10F",
    "DescribeContact": "L-371095B8",
}
"""Operation → code of its rate. Of the others no code is published: their rates are looked for by name."""

OPEN: Mapping[str, tuple[str, str]] = {
    "StartOutboundChatContact": ("L-D4BA6F6E", "chats"),
    "CreateContact": ("L-B117F12F", "emails"),
    "StartEmailContact": ("L-B117F12F", "emails"),
}
"""Operation that opens a contact → code of how many of its kind an instance may have open, and what they are."""
