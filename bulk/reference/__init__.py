"""The documentation inside the program: its pages, what they say about a word, the schema of a campaign.

pages          the pages that ship with the program, and as HTML
entries        what the pages of reference say of each key and each code
schema         the JSON Schema of a campaign file
"""

from bulk.reference.entries import Entry, entries_of, names
from bulk.reference.pages import pages, write_html

__all__ = ["Entry", "entries_of", "names", "pages", "write_html"]
