"""The results: one row for each row of the list, in its order, with its outcome and the list's own columns.

Rows come and go in batches, so memory does not grow with the list. A results file is complete, or it is the last
complete one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors as cs
from polars.io.plugins import register_io_source

from bulk.errors import CampaignError
from bulk.files.replacement import taking_the_place_of
from bulk.model import Recorded
from bulk.reports.workbook import write_workbook
from bulk.text.columns import path as path_of
from bulk.threads import ahead

Results = Iterable[tuple[pl.DataFrame, pl.DataFrame]]
"""The list, read again in batches: our columns (see `table`), and the list's own for the same rows."""

SCHEMA = pl.Schema(
    {
        "row": pl.Int64(),
        "line": pl.Int64(),
        "key": pl.String(),
        "destination": pl.String(),
        "status": pl.String(),
        "contact_id": pl.String(),
        "attempts": pl.Int64(),
        "error_code": pl.String(),
        "error_message": pl.String(),
        "request_id": pl.String(),
        "finished_at": pl.Datetime("us", "UTC"),
    }
)

_REMEDY = "Make room or choose another place, and write them with `bulk results -o FILE`"
_FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"  # and their full-width forms
_SIGNED = r"^[+-][0-9]+(?:[.,][0-9]+)?$"
_ROW_GROUP = 100_000  # rows of a Parquet file that are in memory together


def table(
    first: int,
    keys: Sequence[str],
    destinations: Sequence[str | None],
    recorded: Sequence[Recorded],
    lines: Sequence[int] | None = None,
) -> pl.DataFrame:
    """Return our columns for some rows of the list, from the row `first` on; `lines` are where a person finds them."""
    rows = range(first, first + len(keys))
    where = [None] * len(keys) if lines is None else list(lines)
    ends = zip(*recorded, strict=True) if recorded else [()] * len(SCHEMA)
    columns = zip(SCHEMA.items(), (rows, where, keys, destinations, *ends), strict=False)
    return pl.DataFrame([_series(name, dtype, values) for (name, dtype), values in columns])


def _series(name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    if not isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, dtype)
    seconds = pl.Series(name, values, pl.Float64)
    return (seconds * 1e6).round().cast(pl.Int64).cast(dtype)


def frame(results: Results, *, outcomes_only: bool = False) -> pl.DataFrame:
    """Return the results as one frame."""
    tables = list(_tables(results, outcomes_only=outcomes_only))
    return pl.concat(tables) if tables else pl.DataFrame(schema=SCHEMA)


def write(
    results: Results, path: Path, *, outcomes_only: bool = False, spreadsheet_safe: bool = False, join: bool = False
) -> Path:
    """Write results as `.csv`, `.parquet`, `.ndjson` or `.xlsx`, readable by their owner alone; return the path.

    `spreadsheet_safe`: no cell of a `.csv` or `.xlsx` is a formula to a spreadsheet (see `harmless`). `join`: the
    list's columns come first, under their own names and in their order, and ours to their right. Raises `CampaignError`
    where the name ends otherwise, or the file cannot be written; what stood there stays.
    """
    writer = _writer(path)
    told = map(_with_text_times, results) if writer in (_write_csv, _write_ndjson) else results
    with taking_the_place_of(path, failed="the results cannot be written", remedy=_REMEDY) as file:
        tables = ahead(_tables(told, outcomes_only=outcomes_only, join=join))
        guarded = spreadsheet_safe and writer in (_write_csv, _write_xlsx)
        writer(map(harmless, tables) if guarded else tables, file)
    return path


def check(path: Path) -> None:
    """Raise `CampaignError` where results cannot be written under this name."""
    _writer(path)


def _tables(results: Results, *, outcomes_only: bool, join: bool = False) -> Iterator[pl.DataFrame]:
    for ours, columns in results:
        if outcomes_only:
            yield ours
        elif join:
            yield columns.hstack(_renamed(ours, columns, prefix="bulk_"))
        else:
            yield ours.hstack(_renamed(columns, ours, prefix="list_"))


def _renamed(table: pl.DataFrame, beside: pl.DataFrame, *, prefix: str) -> pl.DataFrame:
    """Rename what would clash with the columns beside it: `prefix` before the name, as often as it takes.

    Names clash where a list's reader would take one for the other, so `Contact ID` clashes with `contact_id`.
    """
    theirs = {path_of(name) for name in beside.columns}
    taken = {*table.columns, *beside.columns}
    names = {}
    for name in table.columns:
        if path_of(name) in theirs:
            names[name] = _free(f"{prefix}{name}", taken, prefix)
            taken.add(names[name])
    return table.rename(names)


def _free(name: str, taken: set[str], prefix: str) -> str:
    return _free(f"{prefix}{name}", taken, prefix) if name in taken else name


def _writer(path: Path) -> Callable[[Iterator[pl.DataFrame], Path], None]:
    try:
        return _WRITERS[path.suffix.lower()]
    except KeyError:
        raise CampaignError(
            f"{path}: results are written as {', '.join(_WRITERS)}: its name has to end with one of these"
        ) from None


def _write_csv(tables: Iterator[pl.DataFrame], path: Path) -> None:
    with path.open("wb") as file:
        header = True
        for table in chain(tables, [pl.DataFrame(schema=SCHEMA)]):  # the last for the header of an empty list
            if header or table.height:
                _for_csv(table).write_csv(file, include_header=header)
            header = False


def _write_ndjson(tables: Iterator[pl.DataFrame], path: Path) -> None:
    with path.open("wb") as file:
        for table in tables:
            _for_ndjson(table).write_ndjson(file)


def _write_parquet(tables: Iterator[pl.DataFrame], path: Path) -> None:
    first = next(tables, pl.DataFrame(schema=SCHEMA))

    def source(*_: object) -> Iterator[pl.DataFrame]:
        return chain([first], tables)

    register_io_source(source, schema=dict(first.schema)).sink_parquet(path, row_group_size=_ROW_GROUP)


def _write_xlsx(tables: Iterator[pl.DataFrame], path: Path) -> None:
    write_workbook(map(_for_csv, chain(tables, [pl.DataFrame(schema=SCHEMA)])), path)


_WRITERS = {".csv": _write_csv, ".parquet": _write_parquet, ".ndjson": _write_ndjson, ".xlsx": _write_xlsx}


def _for_csv(table: pl.DataFrame) -> pl.DataFrame:
    """Write as text what CSV has no form for: structs, lists and arrays as JSON, durations in ISO 8601."""
    nested = [_as_json(name) for name in cs.expand_selector(table, cs.nested())]
    return _for_ndjson(table).with_columns(cs.duration().dt.to_string("iso"), *nested)


def harmless(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would take for a formula, in cells and headers alike.

    A spreadsheet runs what begins with = + - @, a tab or a line end. A number with its sign is not touched, be it one
    of a phone: it computes nothing, and without it a results file would be no contact list any more.
    """
    texts = cs.expand_selector(table, cs.string() | cs.categorical() | cs.enum())
    names = pl.Series(table.columns, dtype=pl.String)
    headers = {name: f"'{name}" for name in names.filter(names.str.contains(_FORMULA))}
    return table.with_columns(_harmless(name) for name in texts).rename(headers)


def _harmless(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    formula = text.str.contains(_FORMULA) & ~text.str.contains(_SIGNED)
    return pl.when(formula).then(pl.lit("'") + text).otherwise(text).alias(name)


def _for_ndjson(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(cs.binary().bin.encode("base64"))


def _with_text_times(of: tuple[pl.DataFrame, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Write when rows ended as text, in ISO 8601."""
    ours, columns = of
    return ours.with_columns(cs.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")), columns


def _as_json(name: str) -> pl.Expr:
    json = pl.struct(x=name).struct.json_encode().str.slice(len('{"x":')).str.head(-len("}"))
    return pl.when(pl.col(name).is_not_null()).then(json).alias(name)
