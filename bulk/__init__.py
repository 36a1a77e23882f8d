"""A bulk sender for Amazon Connect.

The way of a row, and the packages it passes:

    list ─ loader ─▶ Recipient ─ request ─▶ Delivery ─ channels ─▶ Call ─ pacing ─▶ aws ─▶ Reply
               └───────────────────┴──▶ ledger ──▶ reports

`CONTRIBUTING.md` has the map. What may be imported from here is in `__all__`; each name is loaded when it is first
used, so that `bulk --help` need not wait for the rest. So it is with what this file needs itself: until it has been
read, an interrupt of the program still ends in a traceback.
"""

TYPE_CHECKING = False  # type checkers take it for `typing`'s

__version__ = "0.1.0"

_HOMES = {
    "Campaign": "bulk.campaign",
    "BulkError": "bulk.errors",
    "CampaignError": "bulk.errors",
    "Halted": "bulk.errors",
    "Interrupted": "bulk.errors",
    "LedgerError": "bulk.errors",
    "ListError": "bulk.errors",
    "RunBusy": "bulk.errors",
    "Status": "bulk.model",
    "Options": "bulk.run.options",
    "Plan": "bulk.run.plan",
    "Progress": "bulk.run.summary",
    "Resolution": "bulk.run.resolve",
    "Run": "bulk.run.send",
    "SendOptions": "bulk.run.send_options",
    "Summary": "bulk.run.summary",
    "Tracking": "bulk.run.track_summary",
    "UnknownRow": "bulk.run.resolve",
    "check": "bulk.run.check",
    "consent": "bulk.run.consent",
    "iam": "bulk.run.iam",
    "report": "bulk.run.report",
    "resolve": "bulk.run.resolve",
    "results": "bulk.run.results",
    "send": "bulk.run.send",
    "send_all": "bulk.run.send_all",
    "status": "bulk.run.status",
    "suppress": "bulk.run.suppress",
    "test": "bulk.run.test_message",
    "track": "bulk.run.track",
    "Sandbox": "bulk.sandbox",
    "Stop": "bulk.stop",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - derived from the one list

if TYPE_CHECKING:
    from bulk.campaign import Campaign as Campaign
    from bulk.errors import BulkError as BulkError
    from bulk.errors import CampaignError as CampaignError
    from bulk.errors import Halted as Halted
    from bulk.errors import Interrupted as Interrupted
    from bulk.errors import LedgerError as LedgerError
    from bulk.errors import ListError as ListError
    from bulk.errors import RunBusy as RunBusy
    from bulk.model import Status as Status
    from bulk.run.check import check as check
    from bulk.run.consent import consent as consent
    from bulk.run.iam import iam as iam
    from bulk.run.options import Options as Options
    from bulk.run.plan import Plan as Plan
    from bulk.run.report import report as report
    from bulk.run.resolve import Resolution as Resolution
    from bulk.run.resolve import UnknownRow as UnknownRow
    from bulk.run.resolve import resolve as resolve
    from bulk.run.results import results as results
    from bulk.run.send import Run as Run
    from bulk.run.send import send as send
    from bulk.run.send_all import send_all as send_all
    from bulk.run.send_options import SendOptions as SendOptions
    from bulk.run.status import status as status
    from bulk.run.summary import Progress as Progress
    from bulk.run.summary import Summary as Summary
    from bulk.run.suppress import suppress as suppress
    from bulk.run.test_message import test as test
    from bulk.run.track import track as track
    from bulk.run.track_summary import Tracking as Tracking
    from bulk.sandbox import Sandbox as Sandbox
    from bulk.stop import Stop as Stop


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'bulk' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
