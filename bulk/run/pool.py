"""What the runs of one process share: ledgers, limiters, sandboxes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bulk.ledger import Ledger
from bulk.run.rehearsal import Sandboxes


async def _is_kept() -> None:
    """Wait for nothing: what is on the disk of this machine is kept."""


def _no_lot() -> int:
    """Ask for no more rows than are read together."""
    return 0


@dataclass(slots=True)
class Pool:
    """The ledgers and paces in use. All its runs are opened before the first of them ends.

    `keep` waits until what the ledgers have now outlives this machine, where that is wanted; `lot` tells how many rows
    are then claimed together, at least.
    """

    keep: Callable[[], Awaitable[None]] = _is_kept
    lot: Callable[[], int] = _no_lot

    sandboxes: Sandboxes = field(default_factory=Sandboxes)
    _ledgers: dict[Path, Ledger] = field(default_factory=dict)
    _paces: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def ledger(self, folder: Path, *, now: Callable[[], float], at_once: int) -> Ledger:
        """Open the ledger of a state directory, which has one writer. Raises `LedgerError`."""
        known = self._ledgers.get(folder.resolve())
        if known is not None:
            return known.share(now=now, at_once=at_once)
        ledger = Ledger.open(folder, now=now, at_once=at_once)
        self._ledgers[folder.resolve()] = ledger
        return ledger

    def pace_folder(self, place: tuple[str, ...], folder: Path) -> Path:
        """Return the state directory that keeps the pace of this place: that of the first run that goes there."""
        return self._paces.setdefault(place, folder)
