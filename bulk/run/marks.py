"""The marks of a contact list's files, which show that a list changed during its run."""

from pathlib import Path

from bulk.files import Mark, mark_of
from bulk.run.context import RunRef
from bulk.run.inputs import list_files

Marks = dict[Path, Mark | None]


def marks_of(ref: RunRef) -> Marks:
    """Return the marks of the files that a list consists of as they are now: none for frames and lists elsewhere."""
    path = ref.list_path
    return {} if path is None else {file: mark_of(file) for file in list_files(path)}
