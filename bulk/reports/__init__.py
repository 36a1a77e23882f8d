"""A run's report: results → numbers → one page with charts. Each step is a value to the next, and pure.

reasons      why rows ended as they did
intervals    when rows ended, in little memory
aggregate    results, batch by batch → figures
figures      what the page tells
charts       numbers → shapes: where each bar stands
page         numbers and shapes → HTML, through `page.html` and `page.css`
results      the results as a table, with the contact ids
workbook     the results as a sheet of an Excel workbook
"""

from bulk.reports.aggregate import Fold
from bulk.reports.figures import About, Figures, ReasonCount, Report, Row
from bulk.reports.page import page
from bulk.reports.reasons import EXAMPLES, Example, FileOf, Reason, Reasons, in_one_file

__all__ = [
    "EXAMPLES",
    "About",
    "Example",
    "Figures",
    "FileOf",
    "Fold",
    "Reason",
    "ReasonCount",
    "Reasons",
    "Report",
    "Row",
    "in_one_file",
    "page",
]
