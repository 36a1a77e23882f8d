"""What changed in a campaign since its run began: `send` refuses that, so whoever only looks is told."""

from bulk.ledger import Ledger
from bulk.run.context import RunContext


def changes(opened: RunContext) -> list[str]:
    """Return a note on what changed since the run began and was not accepted; none where nothing did."""
    if opened.options.accept_changes:
        return []
    ledger = Ledger.read(opened.state_dir)
    if ledger is None:
        return []
    with ledger:
        record = ledger.find(opened.campaign.name, opened.options.run_id)
        changed = record.facts.changed(opened.digests) if record else []
    if not changed:
        return []
    began = f"changed since run {opened.options.run_id!r} began: {', '.join(changed)}"
    remedy = "send it as another run with --run NEW, or let the rows not yet sent take the change with --accept-changes"
    return [f"{began}. `send` refuses that: {remedy}"]
