"""What kind of text file a list is: its compression, its encoding, its line ends, its separator.

Nothing is unpacked or transcoded on disk: bytes become text block by block, so memory does not grow with the
file. A list with no byte order mark is UTF-8. Where it is not, and held nothing but ASCII until then, it is
cp1252, as spreadsheets write it; a file that mixes the two is damaged, and said to be.
"""

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, cast

import polars as pl

from bulk.errors import ListError

BLOCK = 1 << 19  # bytes read at once: some thousand rows
LONGEST = 1 << 26  # bytes without a line end that are still taken for a line

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEPARATORS = ",;\t|"


class Broken(Exception):
    """The text cannot be read from here on; all before it was given. Whoever counts rows adds the row."""


def lines(path: Path) -> Iterator[str]:
    """Give a text file in blocks of whole lines, line ends as they are. Raises `Broken` and `ListError`."""
    rest, newline = "", ""
    for text in _decoded(_unpacked(path), path.name):
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


def _unpacked(path: Path) -> Iterator[bytes]:
    """Read a file in blocks, through gzip, Zstandard or a zip archive of one file."""
    with _opened(path) as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic == b"\x28\xb5\x2f\xfd":
            yield from _zstandard(path)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as file:
                yield from _blocks(cast("IO[bytes]", file), path.name)
        elif magic == b"PK\x03\x04":
            yield from _member(raw, path.name)
        else:
            yield from _blocks(raw, path.name)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ListError(f"{path.name} cannot be read ({error.strerror}): check the file and its permissions") from error


def _blocks(file: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        while block := file.read(BLOCK):
            yield block
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Broken(f"{name} is cut short or damaged ({error}): fetch it again") from error


def _zstandard(path: Path) -> Iterator[bytes]:
    """Unpack by way of polars, since Python reads Zstandard from 3.14 on only. Line ends come as LF."""
    frames = pl.scan_lines(path, glob=False).collect_batches(chunk_size=5000, maintain_order=True, lazy=True)
    try:
        for frame in frames:
            yield "".join(f"{line}\n" for line in frame["line"]).encode()
    except (OSError, pl.exceptions.PolarsError) as error:
        remedy = "fetch it again, or unpack it if it is not UTF-8"
        raise Broken(f"{path.name} is cut short, damaged or not UTF-8 ({error}): {remedy}") from error


def _member(raw: IO[bytes], name: str) -> Iterator[bytes]:
    """Read the one file in a zip archive."""
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise ListError(f"{name} is a zip archive cut short or damaged: fetch it again") from error
    names = [member for member in archive.namelist() if not member.endswith("/") and "__MACOSX" not in member]
    if "[Content_Types].xml" in names:
        raise ListError(f"{name} is a workbook: save the sheet as 'CSV UTF-8' and give that file")
    if len(names) != 1:
        raise ListError(f"{name} holds {len(names)} files: give one list, not an archive of several")
    try:
        with archive.open(names[0]) as file:
            yield from _blocks(file, name)
    except (RuntimeError, NotImplementedError) as error:
        raise ListError(f"{name} cannot be unpacked ({error}): give the list itself") from error


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
        raise ListError(f"{name} is not a text file: give a CSV, NDJSON or Parquet file")
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
    few = len(head[:4096]) // 20
    even, odd = head[:4096:2].count(0), head[1:4096:2].count(0)
    if max(even, odd) < 4 * few or min(even, odd) > few:
        return None
    return "utf-16-le" if even < odd else "utf-16-be"
