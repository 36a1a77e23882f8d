"""The sheets of an .ods workbook, looked through beside the reader of their cells ("OpenDocument" 1.3, part 3, 9.1)."""

import re
import zipfile
from collections.abc import Iterator

from bulk.loader.sheets import SheetExtent, blocks

_TAG = re.compile(rb"<table:(table|table-row|table-column|table-cell|covered-table-cell)(?=[\s/>])([^>]*)>")
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d{1,9})"')
_COLLAPSED = re.compile(rb'table:visibility="(?:collapse|filter)"')
_MOST_ROWS = 2_000_000  # that can be hidden together


def seen_in_ods(archive: zipfile.ZipFile) -> list[SheetExtent]:
    """Look through all sheets of a workbook, which its reader reads together."""
    sheets: list[SheetExtent] = []
    first = last = column = 0
    for text in _tags(archive, "content.xml"):
        for kind, attributes in _TAG.findall(text):
            times = int(found[1]) if (found := _REPEATED.search(attributes)) else 1
            if kind == b"table":
                sheets.append(SheetExtent())
                first = last = column = 0
            elif kind == b"table-row":
                first, last, column = last + 1, last + times, 0
                if _COLLAPSED.search(attributes) and last < _MOST_ROWS:
                    sheets[-1].hidden_rows.update(range(first, last + 1))
            else:
                if kind == b"table-column" and _COLLAPSED.search(attributes):
                    sheets[-1].hide_columns(column, column + times)
                elif b"value-type=" in attributes:
                    sheets[-1].fill(first, column, column + times - 1)
                    sheets[-1].fill(last, column, column + times - 1)
                column += times
    return sheets


def _tags(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a text in pieces of whole tags."""
    rest = b""
    for block in blocks(archive, part):
        rest += block
        end = rest.rfind(b">") + 1
        yield rest[:end]
        rest = rest[end:]
