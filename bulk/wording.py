"""How text and spans of time are shown to people, on a terminal and on a page."""

_JOINERS = "\u200c\u200d"  # of scripts and emoji; invisible, and harmless


def plain(text: str) -> str:
    """Take out what would do something to a terminal, or to the text around it, instead of showing."""
    return "".join(sign if sign.isprintable() or sign in _JOINERS else "\N{REPLACEMENT CHARACTER}" for sign in text)


def duration(seconds: float) -> str:
    """Write a duration as people say it: `83 s`, `1 h 23 min`."""
    whole = round(seconds)
    if whole < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
