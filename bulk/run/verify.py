"""Verifies a rehearsal: compares what the sandbox accepted with what the ledger says was sent.

The sandbox keeps its own record and knows nothing of the ledger. A contact belongs to a row by the `ClientToken` of
the call that made it, or by its id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bulk.aws.connect import is_aws
from bulk.errors import CampaignError
from bulk.ledger import Ledger, RunRecord, Tried
from bulk.ledger.database import FILE
from bulk.model import mask
from bulk.sandbox.acceptances import Accepted, ask_running, read_record, records

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MAY_BE_ACCEPTED = {"sent", "intended", "unknown"}
"""The states of the ledger in which a row may have been accepted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `contact_ids` are the contacts concerned; `row` and `destination` (masked) say whose they are."""

    what: str
    contact_ids: list[str]
    campaign: str | None = None
    run: str | None = None
    row: int | None = None
    state: str | None = None
    destination: str | None = None


@dataclass(slots=True)
class Verification:
    """What was compared, and the differences."""

    accepted: int = 0
    sent: int = 0
    in_doubt_accepted: int = 0
    in_doubt_not_accepted: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the ledger and the sandbox say the same."""
        return not self.findings

    def count(self, what: str) -> int:
        return sum(finding.what == what for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        kinds = {what: self.count(what) for what in (NOT_IN_LEDGER, NEVER_ACCEPTED, DOUBLED)}
        return {**asdict(self), **kinds, "holds": self.holds}


NOT_IN_LEDGER, NEVER_ACCEPTED, DOUBLED = "accepted_not_in_ledger", "sent_never_accepted", "accepted_twice"


def verify(state_dir: Path | str, *, url: str | None = None, token: str | None = None) -> Verification:
    """Compare the ledgers of a state directory with what the sandboxes accepted that they were sent to.

    That is the sandbox's own record, kept in the state directory; where there is none, a running sandbox is asked: the
    one at `url` (`token`: that of its control API), or those on this machine to which the runs went.
    Raises `CampaignError` where there is no ledger or nothing to compare it with, `LedgerError` where a ledger cannot
    be read.
    """
    folder = Path(state_dir)
    homes = [file.parent for file in sorted(folder.rglob(FILE))]
    if not homes:
        raise CampaignError(f"{folder} holds no ledger: nothing was sent from there; --state-dir names another folder")
    told, compared = Verification(), False
    for home in homes:
        try:
            accepted = _accepted(home, url if home == folder else None, token)
        except OSError as trouble:
            raise CampaignError(f"{trouble.filename}: {trouble.strerror}") from None
        if accepted is not None:
            compared = True
            _compare(told, home, accepted)
    if not compared:
        raise CampaignError(
            f"{folder} holds no record of a sandbox: give --state-dir to `bulk send --sandbox` or to `bulk sandbox`, "
            "or --url of a sandbox that runs"
        )
    return told


def _accepted(home: Path, url: str | None, token: str | None) -> list[Accepted] | None:
    """Return what was accepted of the runs of a state directory; None where nobody knows. Raises `OSError`."""
    files = records(home)
    urls = [url] if url is not None else [] if files else _endpoints(home)
    if not files and not urls:
        return None
    found = [one for file in files for one in read_record(file)]
    return found + [one for asked in urls for one in ask_running(asked, token)]


def _endpoints(home: Path) -> list[str]:
    """Return the endpoints on this machine to which runs went."""
    with _ledger(home) as ledger:
        known = {record.facts.identity.endpoint for record in _runs(ledger)}
    return sorted(one for one in known if urlsplit(one).hostname in LOOPBACK)


def _compare(told: Verification, folder: Path, accepted: list[Accepted]) -> None:
    """Add what one state directory has to tell."""
    told.accepted += len(accepted)
    by_token = {token: one for one in accepted for token in one.tokens}
    by_id = {one.contact_id: one for one in accepted}
    owners: dict[str, list[tuple[RunRecord, Tried]]] = defaultdict(list)
    with _ledger(folder) as ledger:
        for record in _runs(ledger):
            for tried in record.tried():
                found = {one.contact_id: one for one in _of(tried, by_token, by_id)}
                _judge(told, record, tried, list(found))
                for contact_id in found:
                    owners[contact_id].append((record, tried))
    told.findings += _unowned(accepted, owners)


def _ledger(folder: Path) -> Ledger:
    ledger = Ledger.read(folder)
    if ledger is None:
        raise CampaignError(f"{folder}: the ledger has gone meanwhile")
    return ledger


def _runs(ledger: Ledger) -> Iterator[RunRecord]:
    """Yield the runs that went to a sandbox: to no endpoint of AWS."""
    for facts in ledger.runs():
        record = ledger.find(facts.identity.campaign, facts.identity.run)
        if record is not None and not is_aws(facts.identity.endpoint):
            yield record


def _of(tried: Tried, by_token: dict[str, Accepted], by_id: dict[str, Accepted]) -> Iterator[Accepted]:
    """Yield what was accepted of a row."""
    yield from (by_token[token] for token in tried.tokens if token in by_token)
    if tried.contact_id in by_id:
        yield by_id[tried.contact_id]


def _judge(told: Verification, record: RunRecord, tried: Tried, found: list[str]) -> None:
    told.sent += tried.state == "sent"
    in_doubt = tried.state in MAY_BE_ACCEPTED - {"sent"}
    told.in_doubt_accepted += in_doubt and bool(found)
    told.in_doubt_not_accepted += in_doubt and not found
    if tried.state == "sent" and not found:
        told.findings.append(_finding(NEVER_ACCEPTED, [tried.contact_id or ""], record, tried))
    if found and tried.state not in MAY_BE_ACCEPTED:
        told.findings.append(_finding(NOT_IN_LEDGER, found, record, tried))
    if len(found) > 1:
        told.findings.append(_finding(DOUBLED, found, record, tried))


def _unowned(accepted: Iterable[Accepted], owners: dict[str, list[tuple[RunRecord, Tried]]]) -> Iterator[Finding]:
    """Yield the contacts that no row of the ledger has, or that several have."""
    for one in accepted:
        rows = owners.get(one.contact_id, [])
        if not rows:
            yield Finding(NOT_IN_LEDGER, [one.contact_id], destination=mask(one.destination))
        for record, tried in rows[1:]:
            yield _finding(DOUBLED, [one.contact_id], record, tried)


def _finding(what: str, contact_ids: list[str], record: RunRecord, tried: Tried) -> Finding:
    identity = record.facts.identity
    return Finding(
        what,
        contact_ids,
        campaign=identity.campaign,
        run=identity.run,
        row=tried.row,
        state=tried.state,
        destination=tried.destination,
    )
