"""What changed in a campaign since its run began. `send` refuses that, and other commands report it."""

from collections.abc import Mapping

from bulk.ledger import Ledger
from bulk.run.context import RunRef


def changes(ref: RunRef, digests: Mapping[str, str]) -> list[str]:
    """Return a note on what changed since the run began and was not accepted; none where nothing did."""
    if ref.options.accept_changes:
        return []
    ledger = Ledger.read(ref.state_dir)
    if ledger is None:
        return []
    with ledger:
        record = ledger.find(ref.campaign.name, ref.options.run_id)
        changed = record.facts.changed(digests) if record else []
    if not changed:
        return []
    began = f"changed since run {ref.options.run_id!r} began: {', '.join(changed)}"
    remedy = "send it as another run with --run NEW, or let the rows not yet sent take the change with --accept-changes"
    return [f"{began}. `send` refuses that: {remedy}"]
