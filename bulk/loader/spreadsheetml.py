"""The sheets of an .xlsx workbook, looked through beside the reader of their cells.

They are as long as the lists, so they are read in pieces of whole rows, and searched, not parsed: for what programs
write, in the order that the standard has it ("Office Open XML", ISO/IEC 29500-1, 18.2 and 18.3). What is written in
another way shows, since fewer rows or columns are then found than the reader has.
"""

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import cast

from bulk.errors import ListError
from bulk.loader.sheets import SheetExtent, blocks, letters_of, place_of

_LONGEST_ROW = 1 << 26
_FEW = 50  # columns that are looked for one by one

_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ROW = re.compile(rb"<row([^>]*)>")
_NUMBER = re.compile(rb' r="(\d+)"')
_HIDDEN = re.compile(rb' hidden="(?:1|true)"| ht="0(?:\.0*)?"')
_COLUMN = re.compile(rb"<col ([^>]*)>")
_RANGE = re.compile(rb'\bmin="(\d+)"[^>]*\bmax="(\d+)"|\bmax="(\d+)"[^>]*\bmin="(\d+)"')
_NO_WIDTH = re.compile(rb'\bhidden="(?:1|true)"|\bwidth="0(?:\.0*)?"')
_LETTERS = re.compile(rb' r="([A-Z]{1,3})\d')
_PREFIX = re.compile(rb"<(\w+:)worksheet[\s>]")

# A cell with its letters, number and what follows in its tag; then what makes it one that is filled in, or is not.
_CELL = rb' r="(%b)(\d{1,7})"([^>]*)(?<!/)>'
_FORMULA = rb"<f(?:[^>]*/>|[^>]*>[^<]*</f>)"
_FILLED = _CELL + rb"(?:(?:" + _FORMULA + rb")?\s*<(?:v>[^<]|v [^>]*>[^<]|is\b)|(?<= t=\"str\">))"
_NO_VALUE = rb"\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
_ANY_FILLED = re.compile(_FILLED % b"[A-Z]{1,3}")
_UNCALCULATED = re.compile(_CELL % b"[A-Z]{1,3}" + _FORMULA + _NO_VALUE)


def document_of(archive: zipfile.ZipFile) -> str:
    """Return the part of an archive that says which sheets there are; an empty one where there is none."""
    if "_rels/.rels" in archive.NameToInfo:
        for tag in _RELATION.findall(_whole(archive, "_rels/.rels")):
            found = _attributes(tag)
            if found.get("Type", "").endswith("/officeDocument"):
                return posixpath.normpath(found.get("Target", "").removeprefix("/"))
    return next((part for part in ("xl/workbook.xml", "xl/workbook.bin") if part in archive.NameToInfo), "")


def parts_of(archive: zipfile.ZipFile, document: str) -> dict[str, tuple[str, bool]]:
    """Return the sheets of a workbook in order: name, and its part in the archive and whether it is shown."""
    targets = targets_of(archive, document)
    sheets = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", _whole(archive, document)):
        found = _attributes(tag)
        part = next((targets[value] for name, value in found.items() if name.endswith(":id") and value in targets), "")
        sheets[found.get("name", "")] = part, found.get("state", "visible") == "visible"
    return sheets


def targets_of(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """Return which parts the names of relations in a part stand for."""
    folder, _, file = part.rpartition("/")
    targets = {}
    for tag in _RELATION.findall(_whole(archive, f"{folder}/_rels/{file}.rels".lstrip("/"))):
        found = _attributes(tag)
        targets[found.get("Id", "")] = posixpath.join("/", folder, found.get("Target", ""))
    return {name: posixpath.normpath(target).lstrip("/") for name, target in targets.items()}


def seen_in_xlsx(archive: zipfile.ZipFile, part: str) -> SheetExtent:
    """Look through a sheet of a workbook."""
    seen = SheetExtent()
    if part not in archive.NameToInfo:
        return seen
    row = 0
    for text in _rows(archive, part):
        if row == 0:
            for columns in _COLUMN.finditer(text):
                _hide_columns(seen, columns[1])
        starts = [found.start() for found in _ROW.finditer(text)]
        if starts and text.count(b'<row r="') == len(starts) and b"<c>" not in text:
            row = _look_at_rows(seen, text, starts)
        else:  # rows or cells that do not say where they are stand below and beside each other
            for start, end in pairwise([*starts, len(text)]):
                row = _look_at_row(seen, row + 1, text[start:end])
        if b"<f" in text:
            _note_formulas(seen, text)
    return seen


def _look_at_rows(seen: SheetExtent, text: bytes, starts: Sequence[int]) -> int:
    """Look at rows together, and return the number of the last: one by one they would take longer than to read them."""
    if b" hidden=" in text or b' ht="0' in text:
        seen.hidden_rows.update(_number(tag[1]) for tag in _ROW.finditer(text) if _HIDDEN.search(tag[1]))
    first = _ANY_FILLED.search(text)
    if first is not None:
        columns = _outermost(text)
        seen.fill(int(first[2]), *columns)
        backwards = pairwise(reversed([*starts, len(text)]))
        seen.fill(
            next(_number(text[start:]) for end, start in backwards if _ANY_FILLED.search(text, start, end)), *columns
        )
    return _number(text[starts[-1] :])


def _outermost(text: bytes) -> tuple[int, int]:
    """Return the first and the last column in which cells are filled in."""
    columns = sorted(map(place_of, set(_LETTERS.findall(text))))
    if len(columns) > _FEW:
        columns = sorted({place_of(found[0]) for found in _ANY_FILLED.findall(text)})
        return columns[0], columns[-1]
    first = next(place for place in columns if _filled(place).search(text))
    return first, next(place for place in reversed(columns) if _filled(place).search(text))


def _look_at_row(seen: SheetExtent, row: int, text: bytes) -> int:
    """Look at the text of a row; `row` is its number if it does not say it itself."""
    tag = cast("re.Match[bytes]", _ROW.match(text))[1]
    row = _number(tag) if _NUMBER.search(tag) else row
    if _HIDDEN.search(tag):
        seen.hidden_rows.add(row)
    places = [place_of(found[0]) for found in _ANY_FILLED.findall(text)]
    if places:
        seen.fill(row, min(places), max(places))
    elif b"<c>" in text or b"<c t=" in text:
        seen.fill(row, 0, text.count(b"<c>") + text.count(b"<c ") - 1)
    return row


def _note_formulas(seen: SheetExtent, text: bytes) -> None:
    for letters, number, attributes in _UNCALCULATED.findall(text):
        if b't="str"' not in attributes:
            one, count = seen.uncalculated.get(place_of(letters), (f"{letters.decode()}{number.decode()}", 0))
            seen.uncalculated[place_of(letters)] = one, count + 1


def _hide_columns(seen: SheetExtent, tag: bytes) -> None:
    found = _RANGE.search(tag)
    if found and _NO_WIDTH.search(tag):
        seen.hide_columns(int(found[1] or found[4]) - 1, int(found[2] or found[3]))


@cache
def _filled(place: int) -> re.Pattern[bytes]:
    """Match cells of a column that are filled in."""
    return re.compile(_FILLED % letters_of(place).encode())


def _number(tag: bytes) -> int:
    return int(cast("re.Match[bytes]", _NUMBER.search(tag))[1])


def _rows(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a sheet's text in pieces of whole rows, names without the prefix of their namespace."""
    rest, prefix = b"", None
    for block in blocks(archive, part):
        rest += block
        if prefix is None:
            found = _PREFIX.search(rest)
            prefix = found[1] if found else b""
        end = rest.rfind(b"</" + prefix + b"row>")
        if end >= 0:
            yield _without(prefix, rest[:end])
            rest = rest[end:]
        elif len(rest) > _LONGEST_ROW:
            raise ListError(f"a row of its sheet is longer than {_LONGEST_ROW:,} bytes: save the sheet as 'CSV UTF-8'")
    yield _without(prefix or b"", rest)


def _without(prefix: bytes, text: bytes) -> bytes:
    return text.replace(b"<" + prefix, b"<").replace(b"</" + prefix, b"</") if prefix else text


def _whole(archive: zipfile.ZipFile, part: str) -> bytes:
    with archive.open(part) as file:
        return file.read(_LONGEST_ROW)


def _attributes(tag: bytes) -> Mapping[str, str]:
    pairs = re.findall(r"""(?<![\w:])([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag.decode("utf-8", "replace"))
    return {name: html.unescape(one or other) for name, one, other in pairs}
