"""A text file: its encoding, and its lines in blocks.

Nothing is unpacked or transcoded on disk: bytes become text block by block, so memory does not grow with the file. A
file with no byte order mark is UTF-8 where all of it is. Where it is not, and most of what is not ASCII is no UTF-8,
its encoding is guessed from such lines; a file that is UTF-8 but for a few bytes is damaged, and said to be.
"""

import codecs
import encodings.aliases
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bulk.errors import ListError
from bulk.loader.compression import unpacked
from bulk.loader.encoding import Guess, guess
from bulk.loader.text_error import LONGEST, TextError, too_long
from bulk.text.plain import nearest
from bulk.threads import go_on

SAMPLE = 1 << 16  # bytes, of lines that are not ASCII, from which an encoding is guessed

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WIDER = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "utf-8-sig": "utf-8"}
_BINARY = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")  # beside NUL, which text may hold by some program's mistake
_EXAMPLES = '"utf-8", "cp1252" (Windows, western Europe), "cp1250" (central Europe), "mac_roman" or "shift_jis"'


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file whose encoding is known. `notes` are words for a person about how it was found out."""

    path: Path
    name: str
    encoding: str
    notes: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path, name: str, encoding: str | None = None) -> "TextFile":
        """Return a file with the encoding that it is said to have, or else has. Raise `ListError` where it has none."""
        try:
            head = next(unpacked(path), b"")
            told = None if encoding is None else _codec(encoding)
            wide = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}  # without a mark, Python reads none of them
            known = _marked(head) or (_by_zeros(head) if told is None or told in wide else None)
            if known or told:
                return cls(path, name, known or wide.get(str(told), str(told)))
            if b"\0" in head and _is_binary(head):
                raise ListError(f"{name} is not a text file: give CSV, NDJSON, Parquet or a workbook")
            return cls(path, name, *_found(path, name))
        except TextError as error:
            raise ListError(f"{name}, header: {error}") from error

    def blocks(self) -> Iterator[tuple[int, str]]:
        """Yield the text in blocks of whole lines, line ends as they are, each with the number of its first line.

        Raise `TextError`, with the line, and `ListError`.
        """
        line = 1
        try:
            for block in _lines(_decoded(unpacked(self.path), self.encoding)):
                yield line, block
                line += lines_in(block)
        except TextError as error:
            error.line = line
            raise


def lines_in(text: str) -> int:
    """Count the line ends of a text, whichever they are."""
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _lines(texts: Iterator[str]) -> Iterator[str]:
    """Yield blocks of whole lines. What is not yet one is looked at once, and joined where it ends."""
    parts: list[str] = []
    size, newline = 0, ""
    for text in texts:
        go_on()
        if not newline:
            before = parts[-1][-1:] if parts else ""
            newline = "\n" if "\n" in text else "\r" if "\r" in f"{before}{text}"[:-1] else ""
            text, parts = ("".join([*parts, text]), []) if newline else (text, parts)  # noqa: PLW2901 - all there is
        end = text.rfind(newline) + 1 if newline else 0
        if end:
            yield "".join([*parts, text[:end]])
            parts, size = [], 0
        parts.append(text[end:])
        size += len(text) - end
        if size > LONGEST:
            raise too_long()
    if rest := "".join(parts):
        yield rest


def _decoded(blocks: Iterator[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    for block in chain(blocks, [b""]):
        try:
            yield decoder.decode(block, not block)
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(encoding, "ignore")
            trouble = f"the byte 0x{error.object[error.start]:02x} is not {encoding}"
            remedy = "save the list as UTF-8 ('CSV UTF-8'), or name its `encoding` under [list]"
            raise TextError(f"{trouble}: {remedy}") from error


def _codec(name: str) -> str:
    """Return Python's name of an encoding, or of the wider one that is meant by it. Raise `ListError` for no such."""
    codec = _text_codec(name)
    if codec is not None:
        return _WIDER.get(codec, codec)
    known = {alias for pair in encodings.aliases.aliases.items() for alias in pair if _text_codec(alias)}
    near = nearest(name.replace("-", "_"), sorted(known))
    hint = f"did you mean {near!r}? Others are {_EXAMPLES}" if near else f"write one such as {_EXAMPLES}"
    raise ListError(f"[list] encoding: there is no encoding {name[:40]!r}: {hint}")


def _text_codec(name: str) -> str | None:
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: a zero character in the name
        return None
    is_of_text = codec._is_text_encoding and codec.name not in {"undefined", "punycode", "idna"}  # noqa: SLF001 - codecs tells it in no other way
    return codec.name if is_of_text else None


def _marked(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)


def _by_zeros(head: bytes) -> str | None:
    """Return UTF-16 without a mark by where its zero bytes are."""
    start = head[:4096]
    few = len(start) // 20
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) >= 4 * few and min(even, odd) <= few < max(even, odd):
        return "utf-16-le" if even < odd else "utf-16-be"
    return None


def _is_binary(head: bytes) -> bool:
    start = head[:4096]
    return _BINARY.search(start) is not None or 2 * start.count(0) > len(start)


def _found(path: Path, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the encoding of a file, and what is to be said of it: UTF-8, or the likeliest other one."""
    sample, is_utf_8 = _sample(path)
    text = sample.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    if is_utf_8 or sum(not sign.isascii() for sign in text) >= 2 * broken:
        return "utf-8", ()
    found = guess(sample)
    if found is None:
        remedy = f"save it as UTF-8 ('CSV UTF-8'), or set `encoding` under [list]: {_EXAMPLES}"
        raise ListError(f"{name} is not UTF-8, and its encoding cannot be told: {remedy}")
    return found.encoding, (_said(found),)


def _said(found: Guess) -> str:
    read = f"the list is not UTF-8: read as {found.encoding} ({found.example!r})"
    if found.rival is None:
        return read
    return (
        f"{read}, which is a guess: as {found.rival} it would be {found.rival_example!r}; "
        f"if that is right, set `encoding = {found.rival!r}` under [list], or save the list as 'CSV UTF-8'"
    )


def _sample(path: Path) -> tuple[bytes, bool]:
    """Return lines that are not ASCII, and whether the file is UTF-8: it is read as far as that takes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample, rest, is_utf_8 = b"", b"", True
    for block in chain(unpacked(path), [b""]):
        go_on()
        try:
            decoder.decode(block, not block)
        except UnicodeDecodeError:
            is_utf_8 = False
            decoder.reset()
        if block and rest.isascii() and block.isascii():  # most are: only what may belong to another line is kept
            rest = block.rpartition(b"\n")[2][-SAMPLE:]
            continue
        *lines, rest = (rest + block).split(b"\n") if block else (rest, b"")
        sample += b"".join(line + b"\n" for line in lines if not line.isascii())
        if len(rest) > SAMPLE:
            sample, rest = sample + _whole(rest), b""
        sample = _whole(sample) if len(sample) > SAMPLE else sample
        if not is_utf_8 and len(sample) > SAMPLE // 2:
            break
    return sample, is_utf_8


def _whole(text: bytes) -> bytes:
    """Cut a text to the size of a sample, between two cells: in the middle of a letter it would be none."""
    cut = text[:SAMPLE]
    end = max(map(cut.rfind, (b"\n", b"\r", b",", b";", b"\t", b"|")))
    return cut[: end + 1] if end > 0 else cut
