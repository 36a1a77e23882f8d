"""Private files, wherever they are made and whoever may write beside them.

private      files and folders that nobody else reads, and that no planted link leads astray
temporary    new files beside those whose place they take, and folders for things of the moment
replacement  a file written whole, which takes its name at the end
state        the state directory: whose it is, and whether locks hold there
outputs      what is read is never overwritten
marks        what changes where a file does
"""

from bulk.files.marks import Mark, mark_of
from bulk.files.outputs import refuse_overwriting
from bulk.files.private import open_private, private_folder, write_new
from bulk.files.state import check_state, hold, remote_kind, state_folder
from bulk.files.temporary import beside, scratch

__all__ = [
    "Mark",
    "beside",
    "check_state",
    "hold",
    "mark_of",
    "open_private",
    "private_folder",
    "refuse_overwriting",
    "remote_kind",
    "scratch",
    "state_folder",
    "write_new",
]
