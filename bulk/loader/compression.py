"""The bytes of a file in blocks, decompressed from gzip, Zstandard, or zip. No text is unpacked on disk."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from bulk.errors import ListError
from bulk.loader.junk import is_junk
from bulk.loader.scratch import Scratch
from bulk.loader.text_error import TextError
from bulk.loader.zstandard import zstandard
from bulk.text.plain import plain

BLOCK = 1 << 19  # bytes read at once: some thousand rows
MOST_BYTES = 1 << 30  # that are taken out of an archive onto the disk

_ZIP = b"PK\x03\x04", b"PK\x05\x06"  # the second is of an empty one
_FILES = (  # what is read as a file: Parquet, workbooks of both kinds, what is packed once more
    *(b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"),
)


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
        elif magic in _ZIP:
            with (
                _archive(raw, path.name) as archive,
                _opened_in(archive, _member(archive, path.name), path.name) as file,
            ):
                yield from _blocks(file, path.name)
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
        raise TextError(f"{name} is cut short or damaged ({error}): fetch it again") from error


def packed_table(path: Path, name: str) -> tuple[Path, Scratch] | None:
    """Unpack the one file of a zip archive into a private folder where it is no text, None for all else.

    Workbooks and Parquet are not read from their beginning to their end, and so have to be files. Raise `ListError`.
    """
    with _opened(path) as raw:
        if raw.read(4) not in _ZIP:
            return None
        with _archive(raw, name) as archive:
            member = _member(archive, name)
            with _opened_in(archive, member, name) as file:
                if not file.read(8).startswith(_FILES):
                    return None
            scratch = Scratch()
            found = scratch.path / (PurePosixPath(member).name or "list")
            _unpack(archive, member, found, name)
            return found, scratch


def packed_files(path: Path, name: str) -> tuple[list[Path], Scratch] | None:
    """Unpack the files of a zip archive that holds several into a private folder, None for all else.

    Raise `ListError`.
    """
    with _opened(path) as raw:
        if raw.read(4) not in _ZIP:
            return None
        with _archive(raw, name) as archive:
            members = _members(archive)
            if len(members) < 2:
                return None
            scratch, found, size = Scratch(), [], 0
            for number, member in enumerate(members):
                folder = scratch.path / str(number)
                folder.mkdir()
                found.append(folder / (PurePosixPath(member).name or "list"))
                size += _unpack(archive, member, found[-1], name, room=MOST_BYTES - size)
            return found, scratch


def _unpack(archive: zipfile.ZipFile, member: str, path: Path, name: str, room: int = MOST_BYTES) -> int:
    """Write a file of an archive to a path, and return its size. Raise `ListError` where it has more than `room`."""
    size = 0
    try:
        with _opened_in(archive, member, name) as file, path.open("xb") as out:
            for block in _blocks(file, name):
                size += out.write(block)
                if size > room:
                    limit = f"unpacked, it has more than {MOST_BYTES:,} bytes, the most that is taken out of an archive"
                    raise ListError(f"{name}: {limit}: unpack it and give the list itself")
    except TextError as error:
        raise ListError(str(error)) from error
    except OSError as error:
        raise ListError(f"{name} cannot be unpacked ({error.strerror or error}): make room in {path.parent}") from error
    return size


def _archive(raw: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise ListError(f"{name} is a zip archive cut short or damaged: fetch it again") from error


def _member(archive: zipfile.ZipFile, name: str) -> str:
    """Name the one file in an archive. Raise `ListError` where there are several, or none."""
    names = _members(archive)
    if len(names) != 1:
        held = f" ({', '.join(plain(member) for member in names[:5])})" if names else ""
        raise ListError(f"{name} holds {len(names)} files{held}: unpack it and give one list of it")
    return names[0]


def _members(archive: zipfile.ZipFile) -> list[str]:
    """Name the files in an archive, without what systems and programs leave in them."""
    return [member for member in archive.namelist() if not member.endswith("/") and not is_junk(PurePosixPath(member))]


def _opened_in(archive: zipfile.ZipFile, member: str, name: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ListError(f"{name} cannot be unpacked ({error}): give the list itself") from error
