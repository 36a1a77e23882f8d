"""Which kind of list a source is: told by what the file holds, not by its name."""

import difflib
import re
from pathlib import Path

import polars as pl

from bulk.delimited import Delimited
from bulk.dialect import Broken, lines
from bulk.errors import ListError
from bulk.ndjson import Ndjson
from bulk.tables import Frame, Parquet, Query, Table

FORMATS = ("auto", "csv", "ndjson", "parquet")

_PARQUET = b"PAR1"
_MARKUP = re.compile(r"\s*<[!?a-zA-Z]")
_JSON_ARRAY = re.compile(r"\s*\[\s*(?:\Z|[\[{\"\]\d])")
_JSON_OBJECT = re.compile(r"\s*\{\s*(?:\Z|\"|\})")


def table(source: Path | str | pl.DataFrame | pl.LazyFrame, name: str, form: str) -> Table:
    """Open a source as a table. Raises `ListError`: no such file, no list, not of this format."""
    if form not in FORMATS:
        near = difflib.get_close_matches(form, FORMATS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"take one of {', '.join(FORMATS)}"
        raise ListError(f"{name}: there is no list format {form!r}: {hint}")
    if isinstance(source, pl.DataFrame):
        return Frame(source)
    if isinstance(source, pl.LazyFrame):
        return Query(source, name)
    try:
        return _file(_checked(source), name, form)
    except OSError as error:
        remedy = "check the file and its permissions"
        raise ListError(f"{name} cannot be read ({error.strerror or error}): {remedy}") from error


def _checked(source: Path | str) -> Path:
    if str(source).startswith("s3:/"):
        raise ListError(f"{source}: lists are read from local files: copy it here first")
    path = Path(source)
    if path.is_dir():
        raise ListError(f"{path} is a folder: give one list in it")
    if not path.exists():
        beside = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise ListError(f"there is no list {path}: {hint}")
    if not path.is_file():
        raise ListError(f"{path} is no regular file, and lists are read more than once: save it to a file")
    if not path.stat().st_size:
        raise ListError(f"{path.name} is empty: a list has a header and rows")
    return path


def _file(path: Path, name: str, form: str) -> Table:
    with path.open("rb") as file:
        is_parquet = file.read(4) == _PARQUET
    if is_parquet and form in {"auto", "parquet"}:
        return Parquet(path, name)
    if is_parquet or form == "parquet" or (form == "auto" and path.suffix.lower() == ".parquet"):
        verb = "is" if is_parquet else "is not"
        raise ListError(f"{name} {verb} a Parquet file: set `format` under [list] to what it is, or to auto")
    if form == "auto":
        form = _text_format(path, name)
    return Ndjson(path, name) if form == "ndjson" else Delimited(path, name)


def _text_format(path: Path, name: str) -> str:
    """Tell CSV from NDJSON by the first line, and both from what is no list."""
    try:
        first = next(lines(path), "")
    except Broken as error:
        raise ListError(f"{name}, header: {error}") from error
    line = first.lstrip().partition("\n")[0]
    if not line:
        raise ListError(f"{name} is empty: a list has a header and rows")
    if _MARKUP.match(line):
        raise ListError(f"{name} is HTML or XML: export the list as CSV")
    if _JSON_ARRAY.match(line) or (_JSON_OBJECT.match(line) and not line.rstrip().endswith("}")):
        raise ListError(f"{name} is JSON, but not NDJSON: write one object on each line")
    return "ndjson" if _JSON_OBJECT.match(line) else "csv"
