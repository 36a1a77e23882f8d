"""From a contact list to recipients: `ContactList.open(…).batches(…)`.

contacts          the list itself
sources           which kind of list a source is: one file, a folder of them, or a frame
layout            how a person says that a list is to be read
tables            what every kind gives: chunks of rows, as polars frames; Parquet
csv_file          delimited text
ndjson            one JSON object on each line
workbook          one sheet of a workbook, as text
folders           lists in several files
frames            tables that a caller holds
results           results that are read as a list again
compression       from a packed file to its bytes
zstandard         Zstandard, unpacked by polars
memory_limit      a program of its own, with room for so much
text_file         a text file: its encoding, and its lines in blocks
encoding          the encoding of a text that is no UTF-8
dialect           what separates the cells of a delimited text
preamble          what stands above a table
footer            what stands below it
row_lengths       rows that do not have as many cells as the header
text_error        what a reader of a text raises where it cannot go on
book              a workbook: its sheets, and their cells
sheets            what is seen of a sheet beside its cells
sheet_choice      which sheet is the list
sheet_cells       the cells of a sheet as text
spreadsheetml     the sheets of an .xlsx
xlsb              the sheets of an .xlsb
opendocument      the sheets of an .ods
every_table       all sheets of a workbook and all files of an archive
column_names      a name of its own for every column
headers           columns, found whatever their case and separators
exports           whose export a list is, by its headers (`exports.toml`)
consent           which columns say who is not to be written to, and of which rows
roles             what the name of a column says about that (`consent.toml`)
verdicts          what a cell of such a column says
values            cells as Python values
structs           nested tables made flat
lines             from a row to the line in which it stands, and back
rows              from a frame's rows to recipients
destinations      which columns hold destinations
cell_text         what a cell holds besides a destination
phones            phone numbers brought to E.164
e164              a quick yes for numbers already in E.164
ambiguity         numbers that can be read in two ways
addresses         email addresses brought to one spelling
countries         countries as people write them (`countries.csv`)
locality          where the owner of a number may be
suppression       whom not to write to
own_list          a suppression list of one's own, in the state directory
destination_file  the destinations alone, of a file that says whom not to write to
junk              what systems and programs leave beside lists
scratch           private folders that go when their holder does

A row that cannot be sent to is a recipient with a refusal; a list that cannot be read is a `ListError`. Cells keep what
the list says: those of delimited files and workbooks are text as written (an empty cell is ""), the others Python
values (a missing one is None).
"""

from bulk.loader.addresses import email
from bulk.loader.contacts import Batch, ContactList
from bulk.loader.countries import alpha_2
from bulk.loader.destination_file import DestinationFile, read_destinations
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
    "DestinationFile",
    "Export",
    "HeldTable",
    "Kind",
    "Layout",
    "ReadSpec",
    "Scratch",
    "alpha_2",
    "candidates",
    "email",
    "phone",
    "read_destinations",
]
