"""The kind of a list, by the content of its file and not by its name."""

import re
from dataclasses import fields
from pathlib import Path

import polars as pl

from bulk.errors import ListError
from bulk.loader.compression import packed_table
from bulk.loader.csv_file import Delimited
from bulk.loader.folders import Part, Parts, files, is_pattern, said
from bulk.loader.frames import HeldTable, frame_of
from bulk.loader.layout import EVERY_ROW, Layout
from bulk.loader.ndjson import Ndjson
from bulk.loader.structs import Flat
from bulk.loader.tables import Frame, InMemory, Parquet, Query, Table
from bulk.loader.text_error import TextError
from bulk.loader.text_file import TextFile
from bulk.loader.workbook import Sheet, is_workbook, workbook
from bulk.text.plain import nearest

FORMATS = ("auto", "csv", "ndjson", "parquet", "xlsx")

_LAYOUT = {field.name for field in fields(Layout)}
_NAMES = {"parquet": "a Parquet file", "xlsx": "a workbook"}
_PARQUET = b"PAR1"
_MARKUP = re.compile(r"\s*<[!?a-zA-Z]")
_JSON_ARRAY = re.compile(r"\s*\[\s*(?:\Z|[\[{\"\]\d])")
_JSON_OBJECT = re.compile(r"\s*\{\s*(?:\Z|\"|\})")


def table(source: Path | str | HeldTable, name: str, form: str, layout: Layout = EVERY_ROW) -> Table:
    """Open a source as a table. Raise `ListError`: no such file, no list, not of this format."""
    if form not in FORMATS:
        near = nearest(form, FORMATS)
        hint = f"did you mean {near!r}?" if near else f"take one of {', '.join(FORMATS)}"
        raise ListError(f"{name}: there is no list format {form!r}: {hint}")
    if not isinstance(source, Path | str):
        frame = frame_of(source, name)
        return Frame(frame) if isinstance(frame, pl.DataFrame) else Query(frame, name)
    path = Path(source)
    try:
        if not str(source).startswith("s3:/") and (path.is_dir() or is_pattern(path)):
            return _parts(path, form, layout)
        return _file(_checked(source), name, form, layout)
    except OSError as error:
        remedy = "check the file and its permissions"
        raise ListError(f"{name} cannot be read ({error.strerror or error}): {remedy}") from error


def unused(table: Table, layout: Layout) -> list[str]:
    """Return which keys of [list] have no meaning for this kind of list, though they are set."""
    said = {name for name in _LAYOUT if getattr(layout, name) not in {None, "read"}}  # all rows of these are read
    names = sorted(said - _used(table))
    return [f"not used for this kind of list: {', '.join(f'`{name}`' for name in names)} under [list]"] if names else []


def files_of(table: Table) -> list[str]:
    """Name the files of a list that is in several; none where it is in one."""
    match table:
        case Parts():
            return table.names
        case InMemory() | Flat():
            return files_of(table.table)
    return []


def _used(table: Table) -> set[str]:
    match table:
        case Parts():
            return set().union(*map(_used, table.tables))
        case InMemory() | Flat():
            return _used(table.table)
        case Delimited():
            return {"encoding", "header_row"}
        case Ndjson():
            return {"encoding"}
        case Sheet():
            return _LAYOUT - {"encoding"}
    return set()


def _parts(source: Path, form: str, layout: Layout) -> Table:
    """Open a list in several files."""
    root, found = files(source)
    found = [path for path in found if path.stat().st_size]
    if not found:
        raise ListError(f"there is no list in {source}: check the path")
    names = [str(path.relative_to(root)) for path in found]
    parts = zip(names, found, strict=True)
    return Parts([Part(name, _file(path, name, form, layout), said(path, root)) for name, path in parts])


def _checked(source: Path | str) -> Path:
    if str(source).startswith("s3:/"):
        raise ListError(f"{source}: a list in S3 is named s3://BUCKET/KEY, in Python as a str; or copy it here first")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", str(source)):
        raise ListError(f"{source}: only files and s3:// are read: download it first")
    path = Path(source)
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        near = nearest(path.name, beside)
        hint = f"did you mean {near!r}?" if near else "check the path"
        raise ListError(f"there is no list {path}: {hint}")
    if not path.is_file():
        raise ListError(f"{path} is no regular file, and lists are read more than once: save it to a file")
    if not path.stat().st_size:
        raise ListError(f"{path.name} is empty: a list has a header and rows")
    return path


def _file(path: Path, name: str, form: str, layout: Layout, *, unpack: bool = True) -> Table:
    """Open one file. What it holds decides; a format that was asked for, or that its name claims, has to agree."""
    if unpack and not is_workbook(path) and (packed := packed_table(path, name)):
        found, scratch = packed
        table = _file(found, f"{name}: {found.name}" if found.name != name else name, form, layout, unpack=False)
        return InMemory(table, scratch)
    kind = _binary_kind(path)
    claimed = {".parquet": "parquet", ".xlsx": "xlsx"}.get(path.suffix.lower()) if form == "auto" else form
    claimed = claimed if claimed in _NAMES else None
    if (claimed or kind) != kind or (kind and form not in {"auto", kind}):
        told = f"is not {_NAMES[claimed]}" if claimed else f"is {_NAMES[str(kind)]}"
        raise ListError(f"{name} {told}: set `format` under [list] to what it is, or to auto")
    if kind == "parquet":
        return Parquet(path, name)
    if kind == "xlsx":
        return workbook(path, name, layout)
    file = TextFile.open(path, name, layout.encoding)
    form = _text_format(file) if form == "auto" else form
    return Ndjson(file) if form == "ndjson" else Delimited(file, layout.header_row)


def _binary_kind(path: Path) -> str | None:
    """Return what is no text by how it begins."""
    with path.open("rb") as file:
        if file.read(4) == _PARQUET:
            return "parquet"
    return "xlsx" if is_workbook(path) else None


def _text_format(file: TextFile) -> str:
    """Return CSV from NDJSON by the first line, and both from what is no list."""
    name = file.name
    try:
        _, first = next(file.blocks(), (1, ""))
    except TextError as error:
        raise ListError(f"{name}, header: {error}") from error
    line = first.lstrip().partition("\n")[0]
    if not line:
        raise ListError(f"{name} is empty: a list has a header and rows")
    if _MARKUP.match(line):
        raise ListError(f"{name} is HTML or XML: export the list as CSV")
    if _JSON_ARRAY.match(line) or (_JSON_OBJECT.match(line) and not line.rstrip().endswith("}")):
        raise ListError(f"{name} is JSON, but not NDJSON: write one object on each line")
    return "ndjson" if _JSON_OBJECT.match(line) else "csv"
