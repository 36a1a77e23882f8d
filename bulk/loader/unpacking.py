"""From a file to its bytes, block by block: through gzip, Zstandard or a zip archive. Nothing is unpacked on disk."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from bulk.errors import ListError
from bulk.loader.broken import Broken
from bulk.loader.zstandard import zstandard

BLOCK = 1 << 19  # bytes read at once: some thousand rows


def unpacked(path: Path) -> Iterator[bytes]:
    """Read a file in blocks, through gzip, Zstandard or a zip archive of one file."""
    with _opened(path) as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic == b"\x28\xb5\x2f\xfd":
            yield from zstandard(path)
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


def _member(raw: IO[bytes], name: str) -> Iterator[bytes]:
    """Read the one file in a zip archive."""
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise ListError(f"{name} is a zip archive cut short or damaged: fetch it again") from error
    names = [member for member in archive.namelist() if not member.endswith("/") and "__MACOSX" not in member]
    if len(names) != 1:
        held = f" ({', '.join(names[:5])})" if names else ""
        raise ListError(f"{name} holds {len(names)} files{held}: unpack it and give one list of it")
    try:
        with archive.open(names[0]) as file:
            yield from _blocks(file, name)
    except (RuntimeError, NotImplementedError) as error:
        raise ListError(f"{name} cannot be unpacked ({error}): give the list itself") from error
