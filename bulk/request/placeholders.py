"""Placeholders of other programs: here they are plain text and would be sent unchanged."""

import re
from collections.abc import Iterator

from bulk.request.hints import found, placeholder
from bulk.text.columns import Columns

MOST = 5  # of one text that are pointed out

_TOKEN = re.compile(r"[\d.$-]{0,40}[^\W\d][\w.$-]{0,40}")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9_]+[A-Z0-9]")  # three at least: %D0% is a letter of an address
_USUAL = re.compile(
    r"(?:(?:first|last|full|user|nick|customer|company|f|l)[ _-]?)?name|(?:order|customer)[ _-]?(?:id|number)"
    r"|e-?mail|phone|mobile",
    re.IGNORECASE,
)
_FORMS = (
    (re.compile(r"\*\|([^|*\n]{1,40})\|\*"), _TOKEN),  # Mailchimp, Mandrill
    (re.compile(r"\$\{([^{}\n]{1,40})\}"), _TOKEN),  # JavaScript, Java, shells
    (re.compile(r"\{\$?([^{}:;\n]{1,40})\}"), _TOKEN),  # Python, ActiveCampaign, Smarty
    (re.compile(r"\(\(([^()\n]{1,40})\)\)"), _TOKEN),  # GOV.UK Notify
    (re.compile(r"<<([^<>\n]{1,40})>>"), _TOKEN),  # mail merges
    (re.compile(r"«([^«»\n]{1,40})»"), None),  # Word; also a quotation in French
    (re.compile(r"%%?([^%\n]{1,40})%%?"), _CAPITALS),  # ActiveCampaign, Salesforce
    (re.compile(r"\[\[?([^\[\]\n]{1,40})\]\]?"), _USUAL),  # Word, Mailjet; also [a link], [URGENT]
)
"""How each looks, and what stands in it where it is taken for one though no column is called so."""


def notes(text: str, columns: Columns) -> Iterator[str]:
    """Yield what is to be said of a text, given without what templates make of it."""
    left, said = text, 0
    for form, plausible in _FORMS:
        for match in dict.fromkeys(one.group() for one in form.finditer(left)):
            name = re.sub(r"^\W+|\W+$", "", match)
            column = found(name, columns)
            if column is None and not (plausible is not None and plausible.fullmatch(name)):
                continue
            said += 1
            if said <= MOST:
                yield f"holds {match}, which goes out as it stands; {_remedy(name, column, columns)}"
            left = left.replace(match, " ")
    if left.count("{") != left.count("}"):
        yield "holds a brace without its fellow, { or }, which goes out as it stands; a column is put in as {{ name }}"


def _remedy(name: str, column: str | None, columns: Columns) -> str:
    likely = column or columns.nearest(name)
    if column is None and likely is not None:
        return f"did you mean {placeholder(likely, columns)}?"
    return f"the column is put in by {placeholder(column, columns)}" if column else "a column is put in as {{ name }}"
