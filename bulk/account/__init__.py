"""What a campaign needs in its AWS account: its resources, its permissions, and checks of both.

references     what a campaign names: the instance, flows, numbers, addresses, users, templates
permissions    the actions that it takes, and on what
use_permissions  what commands besides `send` take: track, resolve --ask, a state directory in S3
policy         these as an IAM policy
finding        one line of an examination: right, wrong, or not to be told
examination    all the questions to the account, asked one after the other
questions      which they are, for a campaign
question       one of them, and what it means that it was not answered
verdicts       what is right about a flow, a number, a template, a quota
quotas         the codes under which Service Quotas keeps what matters here
"""

from bulk.account.examination import Examination
from bulk.account.finding import Finding, State
from bulk.account.permissions import Permission, to_check, to_send
from bulk.account.policy import policy
from bulk.account.questions import Wanted
from bulk.account.references import ANY, References
from bulk.account.use_permissions import to_ask, to_keep, to_track

__all__ = [
    "ANY",
    "Examination",
    "Finding",
    "Permission",
    "References",
    "State",
    "Wanted",
    "policy",
    "to_ask",
    "to_check",
    "to_keep",
    "to_send",
    "to_track",
]
