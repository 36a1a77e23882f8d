"""The report of a run: results → numbers → one page with charts. Each step is a pure function of the one before.

reasons      why rows ended as they did
intervals    when rows ended, in little memory
aggregate    results, batch by batch → figures
breakdown    rows by country, zone or a column, with what became of them
run_facts    what the page tells of the sending: what, by whom, how fast, what is left
figures      what the page tells of the rows
remedies     what to do about rows that were not sent
data         all of it as `--json` has it
charts       numbers → shapes: where each bar stands
rate_chart   the same for calls a second
page         numbers and shapes → HTML, through `page.html` and `page.css`
results      the results as a table, with the contact ids
workbook     the results as a sheet of an Excel workbook
"""

from bulk.reports.aggregate import Fold
from bulk.reports.data import as_dict
from bulk.reports.figures import About, Breakdown, Figures, Group, ReasonCount, Report, Row
from bulk.reports.page import page
from bulk.reports.reasons import EXAMPLES, Example, FileOf, Reason, Reasons, in_one_file
from bulk.reports.remedies import remedy
from bulk.reports.run_facts import Command, Latency, Left, Message, Outcomes, Pass, Wire, WireBar

__all__ = [
    "EXAMPLES",
    "About",
    "Breakdown",
    "Command",
    "Example",
    "Figures",
    "FileOf",
    "Fold",
    "Group",
    "Latency",
    "Left",
    "Message",
    "Outcomes",
    "Pass",
    "Reason",
    "ReasonCount",
    "Reasons",
    "Report",
    "Row",
    "Wire",
    "WireBar",
    "as_dict",
    "in_one_file",
    "page",
    "remedy",
]
