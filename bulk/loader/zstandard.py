"""Text compressed with Zstandard, read by polars, because Python supports it only from 3.14 on. It must be UTF-8.

polars keeps a line as a whole, however long, and where there is no more memory it ends the process. How long the text
is at most is told by its blocks, which need not be unpacked for that (RFC 8878, 3.1.1): where a line cannot be too
long, it is read here, and else by a process of its own. Line ends come as LF.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from bulk.loader.memory_limit import Ended, confined
from bulk.loader.text_error import LONGEST, TextError, too_long

_FRAME = 0xFD2FB528
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_BLOCK = 1 << 17  # bytes, and no more, become of one that is compressed
_ROWS = 1000
_REMEDY = "fetch it again, or unpack it if it is not UTF-8"

_PROGRAM = f"""
import polars as pl
for frame in pl.scan_lines(sys.argv[2], glob=False).collect_batches(chunk_size={_ROWS}, maintain_order=True, lazy=True):
    sys.stdout.buffer.write("".join(line + chr(10) for line in frame["line"]).encode())
"""


def zstandard(path: Path) -> Iterator[bytes]:
    """Yield the text of a file in blocks. Raise `TextError`."""
    try:
        if _length(path) > LONGEST:
            yield from confined(_PROGRAM, str(path))
            return
        frames = pl.scan_lines(path, glob=False).collect_batches(chunk_size=_ROWS, maintain_order=True, lazy=True)
        for frame in frames:
            yield "".join(f"{line}\n" for line in frame["line"]).encode()
    except Ended as error:
        if error.of_memory:
            raise too_long() from error
        raise TextError(f"{path.name} is cut short, damaged or not UTF-8 ({error}): {_REMEDY}") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise TextError(f"{path.name} is cut short, damaged or not UTF-8 ({error}): {_REMEDY}") from error


def _length(path: Path) -> int:
    """Return what the text is no longer than, or more than is of interest. What is no Zstandard ends it."""
    length = 0
    with path.open("rb") as file:
        while length <= LONGEST:
            magic = int.from_bytes(file.read(4), "little")
            if magic in _SKIPPABLE:
                file.seek(int.from_bytes(file.read(4), "little"), 1)
            elif magic == _FRAME:
                length += _length_of_frame(file, LONGEST - length)
            else:
                break
    return length


def _length_of_frame(file: IO[bytes], enough: int) -> int:
    descriptor = int.from_bytes(file.read(1), "little")
    single, flag, dictionary = descriptor >> 5 & 1, descriptor >> 6, descriptor & 3
    size = (1 if single else 0, 2, 4, 8)[flag]
    file.seek((0 if single else 1) + (0, 1, 2, 4)[dictionary] + size, 1)
    length = 0
    while length <= enough:
        header = file.read(3)
        block = int.from_bytes(header, "little")
        kind, held = block >> 1 & 3, block >> 3
        length += held if kind < 2 else _BLOCK
        file.seek(1 if kind == 1 else held, 1)
        if block & 1 or len(header) < 3:
            file.seek(4 if descriptor >> 2 & 1 else 0, 1)
            return length
    return length
