"""From campaign and recipient to the parameters of each operation, or the reason why there are none.

request         the compiled tables of a campaign: a row's parameters, or its refusal
table_compiler  a table of the campaign, read once against the columns of the list
table           a table, compiled: how a row's parameters of one operation come about
template        a text of the campaign as a Jinja template
binder          the names in a template, bound to the columns that they read
environment     Jinja as templates get it: strict, and without clock, chance or other templates
placeholders    placeholders as other programs write them
hints           words for templates that Jinja cannot read, or would read otherwise
failures        what a template's failure on a row says, without what stands in the row
texts           what the person will read, refused where it is blank
blank           texts of which a person would see nothing
"""

from bulk.request.request import Request, compile_template
from bulk.request.table import Rendering, TemplateFailed, rendering
from bulk.request.template import Template
from bulk.request.texts import Texts

__all__ = ["Rendering", "Request", "Template", "TemplateFailed", "Texts", "compile_template", "rendering"]
