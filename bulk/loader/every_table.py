"""All tables of a file: the sheets of a workbook, the files of an archive. Any of them may suppress people."""

from pathlib import Path

from bulk.errors import ListError
from bulk.loader.compression import packed_files, packed_table
from bulk.loader.sources import table
from bulk.loader.tables import InMemory, Table
from bulk.loader.workbook import every_sheet, is_workbook


def every_table(path: Path, name: str) -> tuple[list[tuple[str, Table]], list[str]]:
    """Return all tables of a file, and words for a person about what of it is none.

    Each has what tells it from the others, empty where it is alone. Raise `ListError`.
    """
    if path.is_file():
        try:
            found, notes = _of_file(path, name)
        except OSError as error:
            raise ListError(f"{name} cannot be read ({error.strerror or error}): check its permissions") from error
        if found:
            return found, notes
    return [("", table(path, name, "auto"))], []


def _of_file(path: Path, name: str) -> tuple[list[tuple[str, Table]], list[str]]:
    """Return the tables of a workbook or of an archive that is more than one packed text; none of all else."""
    if is_workbook(path):
        sheets, notes = every_sheet(path, name)
        return [(repr(sheet), table) for sheet, table in sheets], notes
    if several := packed_files(path, name):
        files, scratch = several
        found, notes = list[tuple[str, Table]](), list[str]()
        for file in files:
            tables, said = every_table(file, f"{name}: {file.name}")
            found += [(", ".join(filter(None, (file.name, part))), InMemory(table, scratch)) for part, table in tables]
            notes += [f"{file.name}: {one}" for one in said]
        return found, notes
    if packed := packed_table(path, name):
        file, scratch = packed
        tables, notes = every_table(file, f"{name}: {file.name}")
        return [(part, InMemory(table, scratch)) for part, table in tables], notes
    return [], []
