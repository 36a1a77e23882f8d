"""A pretend Amazon Connect on the loopback interface, for rehearsals and tests.

sandbox       started, looked into, changed and ended
server        the port
connection    plain calls over HTTP
web           everything else over HTTP
guard         who may ask
control       /_sandbox/…
assets        the files of the page at /
listing       contacts looked through: pages, search, filters
messages      what a person would have received
segments      the segments of an SMS
live          what happens, as it happens
refusals      the latest calls that were refused
account       the order in which a call meets all that follows
routes        from what stands in a request to a call
identity      whose a call is: account and Region
signature     who signed it, when, and what
calls         counts of calls, by operation
api           the operations, from botocore's model
shapes        botocore's shapes, compiled into checks
checks        what the documentation asks besides
references    which references a contact may have
quotas        rates and bursts
handlers      what each operation does to the contacts
attributes    attributes and tags, read and changed
search        SearchContacts
search_index  what it looks up
letter_case   texts without their case
templates     message templates: a folder of them, served and filled in
handlebars    their language
contact       a contact, and the request before it
state         contacts, tokens, open contacts
storage       all that on disk
seen_tokens   which tokens need not be looked for there
effects       what is to happen to one call
simulator     recipients whose address chooses it
faults        rules that choose it, seeded
fault_config  reading such rules
directory     what the account has besides contacts, as declared
services      the other services, which tell of that
protocols     how they are asked and answer
clock         its clock, where it is to be moved
wire          a request to them, and the answer
inquiry       a question to one of them
instance      what Amazon Connect tells of an instance
reads         what is told, and which permission that takes
objects       lists in S3
policies      who may do what
admission     whether a call may be made in the account as declared
fault_file    a file of them, and its lines
fault_presets bad days that need no file
errors        the service's no

It imports nothing else of this program: the judge is not related to the judged.
"""

from bulk.sandbox.sandbox import OPEN_CONTACTS, Sandbox, serve

__all__ = ["OPEN_CONTACTS", "Sandbox", "serve"]
