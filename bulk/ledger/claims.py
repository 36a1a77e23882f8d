"""Each batch of the list is claimed before it is sent: a claim says what to do with each row.

    NEW          not tried, or tried and known not to be accepted: to be sent
    UNSETTLED    tried, and not at its end: a call that nothing answered is to be settled under the same token
    FINAL        nothing to do in this pass
    DUPLICATE    its key stands further up in this list
    STRANGER     its key is that of a row which may have reached somebody else

One reading of the list is one `Reading`. What it has met is known by a byte per row, so the ledger is only written
where something is new, moved, or refused: a list that did not change is claimed without a write.
"""

import enum
from typing import NamedTuple

from bulk.model import Progress, Status

_UNTRIED = Progress()

Content = tuple[str, str]
"""How a row's destination is spelled, and the text of what else it needs."""


class ClaimKind(enum.Enum):
    """What is to be done with a row."""

    NEW = enum.auto()
    UNSETTLED = enum.auto()
    FINAL = enum.auto()
    DUPLICATE = enum.auto()
    STRANGER = enum.auto()


class Claim(NamedTuple):
    """One row of the list, as the ledger knows it.

    `id` is its row in the ledger (0 where there is nothing to send). `status` is what the ledger holds now, `fresh`
    tells whether this claim recorded it. `first_row` is the row that a duplicate repeats. `decisions` counts how
    often somebody had the row sent again: a call after a decision needs a token of its own. `reopens`: the row ended
    so, and is sent again by a decision of this pass, which is recorded with its first call. `occurrence` tells rows of
    one name apart.
    """

    kind: ClaimKind
    id: int = 0
    progress: Progress = _UNTRIED
    status: Status = Status.PENDING
    fresh: bool = False
    first_row: int | None = None
    decisions: int = 0
    reopens: Status | None = None
    occurrence: int = 0
