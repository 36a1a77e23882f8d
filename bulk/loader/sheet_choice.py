"""Which sheet of a workbook is the list: the requested one, otherwise the first visible one with a list."""

from collections.abc import Sequence

from bulk.errors import ListError
from bulk.loader.book import Book, Grid
from bulk.loader.exports import export_of
from bulk.loader.layout import Layout
from bulk.loader.preamble import HEAD, looks_like_a_destination, preamble


def chosen(book: Book, layout: Layout) -> tuple[str, Grid, list[str]]:
    """Return the sheet that is read, its cells, and words for a person about the choice. Raise `ListError`."""
    if layout.sheet is not None:
        sheet = _asked_for(book, layout.sheet)
        return sheet, book.grid(sheet), [] if book.is_shown(sheet) else [f"the sheet {sheet!r} is hidden"]
    passed: list[str] = []
    first: tuple[str, Grid] | None = None
    for sheet in filter(book.is_shown, book.sheets):
        grid = book.grid(sheet)
        if _holds_a_list(grid, layout.header_row):
            return sheet, grid, _said(book, sheet, passed)
        passed.append(sheet)
        first = first or ((sheet, grid) if grid.lines else None)
    if first is None:
        trouble = "a sheet that is shown needs a header and rows"
        raise ListError(f"{book.name} is empty: {trouble}{_named(book.sheets)}")
    return *first, _said(book, first[0], [])


def _asked_for(book: Book, wanted: str | int) -> str:
    trouble = f"{book.name}: [list] sheet is {wanted!r}"
    if isinstance(wanted, str):
        found = [sheet for sheet in book.sheets if sheet.strip().casefold() == wanted.strip().casefold()]
        exact = [sheet for sheet in book.sheets if sheet == wanted]
        if len(exact or found) == 1:
            return (exact or found)[0]
        raise ListError(f"{trouble}, and there is no such sheet{_named(book.sheets)}")
    if wanted > len(book.sheets):
        raise ListError(f"{trouble}, and there are {len(book.sheets)}{_named(book.sheets)}")
    shown = [*filter(book.is_shown, book.sheets)]
    if wanted <= len(shown) and shown[wanted - 1] != book.sheets[wanted - 1]:
        trouble += f", which is {shown[wanted - 1]!r} of those that are shown and {book.sheets[wanted - 1]!r} of all"
        raise ListError(f"{trouble}: give the sheet's name")
    return book.sheets[wanted - 1]


def _holds_a_list(grid: Grid, header_row: int | None) -> bool:
    """Whether a sheet has a header with a name known for destinations, or destinations in a column below one."""
    rows = grid.rows(0, HEAD)
    try:
        found = preamble(rows, "", header_row, "row") if rows else None
    except ListError:
        return False
    body = rows[found.place + 1 :] if found else []
    if found is None or not body:
        return False
    meaning = export_of(found.names)
    if meaning.phone is not None or meaning.email is not None:
        return True
    columns = [[row.cells[place].strip() for row in body] for place in range(len(found.names))]
    return any(_are_destinations([cell for cell in column if cell]) for column in columns)


def _are_destinations(cells: Sequence[str]) -> bool:
    return bool(cells) and 2 * sum(map(looks_like_a_destination, cells)) >= len(cells)


def _said(book: Book, sheet: str, passed: Sequence[str]) -> list[str]:
    if len(book.sheets) == 1:
        return []
    place, remedy = book.sheets.index(sheet), "(to read another: `sheet` under [list])"
    if not place:
        return [f"read the sheet {sheet!r}, the first of {len(book.sheets)} {remedy}"]
    others = [f"{one!r} {'holds no list' if one in passed else 'is hidden'}" for one in book.sheets[:place]]
    return [f"read the sheet {sheet!r}, {place + 1} of {len(book.sheets)}: {', '.join(others)} {remedy}"]


def _named(sheets: Sequence[str]) -> str:
    return f"; the workbook has {', '.join(map(repr, sheets[:20]))}{', …' if len(sheets) > 20 else ''}"
