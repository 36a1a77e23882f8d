"""Values that are used in turn, such as the users to whom drafts are assigned: sent rows take the next one.

A row that is refused, skipped or has to wait takes none, so that a pattern in the list (every second row of another
channel) cannot leave all the work to one user. A row in doubt keeps the value that it was tried with: under another
one, the service would take its token for misused. The ledger has no more of that than the digest of the parameters,
which tells the value among the few that there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bulk.model import Parameters, Progress, Recipient, Refusal, digest
from bulk.request import Request

Built = Mapping[str, Parameters] | Refusal


@dataclass(slots=True)
class Rotation:
    """Builds requests, each with the next of the values. `taken` counts the turns of earlier sendings, when asked."""

    request: Request
    taken: Callable[[], int]
    _turn: int | None = field(default=None, init=False)

    def build(self, recipient: Recipient, progress: Progress) -> Built:
        """Build the request of a row, or return why there is none."""
        if self.request.turns == 1:
            return self.request.build(recipient)
        if progress.digest:
            return self._as_tried(recipient, progress.digest)
        if self._turn is None:
            self._turn = self.taken()
        built = self.request.build(recipient, turn=self._turn)
        self._turn += not isinstance(built, Refusal)
        return built

    def _as_tried(self, recipient: Recipient, tried: bytes) -> Built:
        """Build the request that was tried; any, where the row or the campaign has changed since."""
        built: Built = self.request.build(recipient, turn=0)
        for turn in range(1, self.request.turns):
            if isinstance(built, Refusal) or digest(built) == tried:
                break
            built = self.request.build(recipient, turn=turn)
        return built
