"""What kind of text a list is: its encoding, its line ends, its separator.

Nothing is unpacked or transcoded on disk: bytes become text block by block, so memory does not grow with the
file. A list with no byte order mark is UTF-8. Where it is not, and held nothing but ASCII until then, it is
cp1252, as spreadsheets write it; a file that mixes the two is damaged, and said to be.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from bulk.errors import ListError
from bulk.loader.unpacking import Broken, unpacked
from bulk.threads import go_on

LONGEST = 1 << 26  # bytes without a line end that are still taken for a line

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BINARY = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")  # beside NUL, which text may hold by some program's mistake
_SEPARATORS = ",;\t|"


def lines(path: Path) -> Iterator[str]:
    """Give a text file in blocks of whole lines, line ends as they are. Raises `Broken` and `ListError`."""
    rest, newline = "", ""
    for text in _decoded(unpacked(path), path.name):
        go_on()
        rest += text
        newline = newline or ("\n" if "\n" in rest else "\r" if "\r" in rest[:-1] else "")
        end = rest.rfind(newline) + 1 if newline else 0
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > LONGEST:
            raise Broken(f"the line is longer than {LONGEST:,} characters: this is no list with a row on each line")
    if rest:
        yield rest


def separator(text: str) -> str:
    """Guess the separator: the one by which most of the first rows have as many cells as the header."""

    def fit(candidate: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=candidate)
        widths = [len(row) for row in islice(rows, 50) if row]
        return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)

    return max(_SEPARATORS, key=fit)


class _Decoder:
    """Bytes to text; what began as UTF-8 may turn out to be cp1252."""

    def __init__(self, encoding: str) -> None:
        self._decode = codecs.getincrementaldecoder(encoding)().decode
        self._undecided = encoding == "utf-8"

    def __call__(self, block: bytes) -> str:
        """Decode the next block; the empty block ends the text. Raises UnicodeDecodeError."""
        try:
            text = self._decode(block, not block)
        except UnicodeDecodeError as error:
            damaged_utf_8 = not error.object.decode("utf-8", "ignore").isascii()
            if not self._undecided or damaged_utf_8:
                raise
            self._decode = codecs.getincrementaldecoder("cp1252")().decode
            text = self._decode(error.object, not block)
        self._undecided = self._undecided and text.isascii()
        return text


def _decoded(blocks: Iterator[bytes], name: str) -> Iterator[str]:
    first = next(blocks, b"")
    encoding = _encoding(first)
    if encoding is None:
        raise ListError(f"{name} is not a text file: give CSV, NDJSON, Parquet or a workbook")
    decode = _Decoder(encoding)
    for block in chain([first] if first else [], blocks, [b""]):
        try:
            yield decode(block)
        except UnicodeDecodeError as error:
            encoding = "cp1252" if error.encoding == "charmap" else error.encoding
            yield error.object[: error.start].decode(encoding)
            trouble = f"the byte 0x{error.object[error.start]:02x} is no {encoding}"
            raise Broken(f"{trouble}: save the list as UTF-8 ('CSV UTF-8')") from error


def _encoding(head: bytes) -> str | None:
    """Tell the encoding by the mark, or by where the zero bytes are; None where it is no text."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" not in head:
        return "utf-8"
    start = head[:4096]
    few = len(start) // 20
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) >= 4 * few and min(even, odd) <= few < max(even, odd):
        return "utf-16-le" if even < odd else "utf-16-be"
    return None if _BINARY.search(start) or 2 * start.count(0) > len(start) else "utf-8"
