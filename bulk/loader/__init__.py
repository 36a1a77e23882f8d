"""The way from a contact list to recipients: `ContactList.open(…).batches(…)`.

    sources      which kind of list a source is: one file, a folder of them, or a frame
    tables       what every kind gives: chunks of rows, as polars frames
    delimited, ndjson, workbook, folders        the kinds; Parquet and frames are in `tables`
    unpacking, text_file, encoding              from bytes to text
    layout       how a person says that a list is to be read
    dialect, preamble, footer, ragged           where the table is in a text or a sheet, and what its cells are
    column_names a name of its own for every column
    values       cells as Python values
    headers      columns, found whatever their case and separators
    exports      whose export a list is, told by its headers (`exports.toml`)
    roles, verdicts, consent     which columns say who is not to be written to, and of which rows (`consent.toml`)
    contacts     the list itself
    lines        from a row to the line in which it stands, and back
    rows         from a frame's rows to recipients
    cells, phones, ambiguity, numbering, addresses, countries     destinations brought to form
    destinations which columns hold destinations
    locality     where the owner of a number may be
    scratch      private folders that go when their holder does
    every_table  all sheets of a workbook and all files of an archive
    listed       the destinations alone, of a file that says whom not to write to

A row that cannot be sent to is a recipient with a refusal; a list that cannot be read is a `ListError`. Cells keep what
the list says: those of delimited files and workbooks are text as written (an empty cell is ""), the others Python
values (a missing one is None).
"""

from bulk.loader.addresses import email
from bulk.loader.contacts import Batch, ContactList
from bulk.loader.countries import alpha_2
from bulk.loader.destination_file import Listed, listed
from bulk.loader.destinations import Candidate, candidates
from bulk.loader.exports import Export, Kind
from bulk.loader.frames import HeldTable
from bulk.loader.layout import Layout
from bulk.loader.phones import phone
from bulk.loader.rows import ReadSpec
from bulk.loader.scratch import Scratch

__all__ = [
    "Batch",
    "Candidate",
    "ContactList",
    "Export",
    "HeldTable",
    "Kind",
    "Layout",
    "Listed",
    "ReadSpec",
    "Scratch",
    "alpha_2",
    "candidates",
    "email",
    "listed",
    "phone",
]
