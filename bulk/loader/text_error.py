"""The error of a reader that cannot continue with a text."""


class TextError(Exception):
    """The text cannot be read from here on; all before it was given. `line` is where that is, once it is known."""

    line: int | None = None


LONGEST = 1 << 26  # characters without a line end that are still taken for a line


def too_long() -> TextError:
    """Return what is wrong where a line does not end."""
    return TextError(f"the line is longer than {LONGEST:,} characters: this is no list with a row on each line")
