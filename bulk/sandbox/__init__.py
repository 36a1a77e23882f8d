"""A pretend Amazon Connect on the loopback interface, for rehearsals and tests.

sandbox       started, looked into, changed and ended
server        HTTP
guard         who may ask
control       /_sandbox/…
account       the order in which a call meets all that follows
api           the operations, from botocore's model
shapes        botocore's shapes, compiled into checks
checks        what the documentation asks besides
quotas        rates and bursts
handlers      what each operation does to the contacts
contact       a contact, and the request before it
state         contacts, tokens, open contacts
storage       all that on disk
effects       what is to happen to one call
simulator     recipients whose address chooses it
faults        rules that choose it, seeded
fault_config  reading such rules
directory     what the account has besides contacts, as declared
services      the other services, which tell of that
protocols     how they are asked and answer
wire          a request to them, and the answer
inquiry       a question to one of them
instance      what Amazon Connect tells of an instance
reads         what is told, and which permission that takes
objects       lists in S3
policies      who may do what
admission     whether a call may be made in the account as declared
errors        the service's no

It imports nothing else of this program: the judge is not related to the judged.
"""

from bulk.sandbox.sandbox import OPEN_CONTACTS, Sandbox, serve

__all__ = ["OPEN_CONTACTS", "Sandbox", "serve"]
