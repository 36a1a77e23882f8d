"""How the user says a list is to be read: `[list]` of a campaign."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Layout:
    """What is said of a list's form; None where it is to be found out.

    `header_row` is the line of a file, or the row of a sheet, that names the columns, from 1. `sheet` is one's name or
    number, from 1. `hidden_rows` says what becomes of the rows and columns of a sheet that are hidden.
    """

    encoding: str | None = None
    header_row: int | None = None
    sheet: str | int | None = None
    hidden_rows: Literal["skip", "read"] | None = None


EVERY_ROW = Layout(hidden_rows="read")
"""For lists of whom not to write to: whoever is in them counts, hidden or not."""
