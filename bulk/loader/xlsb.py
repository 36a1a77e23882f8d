"""The sheets of an .xlsb workbook, looked through beside the reader of their cells ([MS-XLSB], 2.1.4 and 2.4)."""

import struct
import zipfile
from collections.abc import Iterator

from bulk.loader.sheets import SheetExtent
from bulk.loader.spreadsheetml import targets_of

_ROW, _COLUMNS, _SHEET = 0, 60, 156  # BrtRowHdr, BrtColInfo, BrtBundleSh
_CELLS = range(2, 12)  # from BrtCellRk to BrtFmlaError, each with the column first; 1 is a cell without a value

Damaged = (struct.error, IndexError)
"""What is raised where the records do not go together."""


def binary_parts_of(archive: zipfile.ZipFile, document: str) -> dict[str, tuple[str, bool]]:
    """Return the sheets of a workbook in order: name, and its part in the archive and whether it is shown."""
    targets = targets_of(archive, document)
    sheets = {}
    data = archive.read(document)
    for kind, start in _records(data):
        if kind == _SHEET:
            relation, end = _text(data, start + 8)
            name, _ = _text(data, end)
            sheets[name] = targets.get(relation, ""), struct.unpack_from("<I", data, start)[0] == 0
    return sheets


def seen_in_xlsb(archive: zipfile.ZipFile, part: str) -> SheetExtent:
    """Look through a sheet of a workbook."""
    seen = SheetExtent()
    data = archive.read(part) if part in archive.NameToInfo else b""
    row, first, last = 0, -1, -1
    for kind, start in _records(data):
        if kind == _ROW:
            if last >= 0:
                seen.fill(row, first, last)
            row, first, last = struct.unpack_from("<I", data, start)[0] + 1, -1, -1
            if data[start + 11] & 0x10:
                seen.hidden_rows.add(row)
        elif kind in _CELLS:
            column = struct.unpack_from("<I", data, start)[0]
            first, last = column if first < 0 else min(first, column), max(last, column)
        elif kind == _COLUMNS:
            begin, end, _, _, flags = struct.unpack_from("<IIIIH", data, start)
            if flags & 1:
                seen.hide_columns(begin, end + 1)
    if last >= 0:
        seen.fill(row, first, last)
    return seen


def _records(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield of each record its kind, and where what it holds begins."""
    place, end = 0, len(data)
    while place < end:
        kind = data[place]
        place += 1
        if kind & 0x80:
            kind = kind & 0x7F | (data[place] & 0x7F) << 7
            place += 1
        size = shift = 0
        while True:
            byte = data[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift == 28:
                break
        yield kind, place
        place += size


def _text(data: bytes, start: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", data, start)[0]
    end = start + 4 + 2 * length
    return data[start + 4 : end].decode("utf-16-le", "replace"), end
