"""Which rows of the results are wanted: by a status, or by a word for several of them."""

from collections.abc import Collection, Iterator
from typing import Final

import polars as pl

from bulk.errors import CampaignError
from bulk.model import Status
from bulk.reports.results import Results
from bulk.text.plain import nearest

FAILED: Final = "failed"
WORDS: Final = {FAILED: (Status.REFUSED, Status.REJECTED, Status.UNKNOWN), **{one.value: (one,) for one in Status}}
"""What `--only` takes: each status, and `failed` for those that need a look."""


def statuses_of(words: str | Collection[str] | None) -> frozenset[Status] | None:
    """Return the statuses that some words mean; None where nothing is said. Raise `CampaignError` on a wrong one."""
    given = [words] if isinstance(words, str) else list(words or ())
    named = [part.strip() for word in given for part in str(word).split(",")]
    for word in named:
        if word not in WORDS:
            near = nearest(word.lower(), WORDS)
            asked = f"; did you mean {near!r}?" if near else ";"
            raise CampaignError(f"--only {word!r} is no status{asked} there are {', '.join(WORDS)}")
    return frozenset(status for word in named for status in WORDS[word]) if named else None


def selected(results: Results, statuses: Collection[Status] | None) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the rows that ended so, in the list's order; all of them where `statuses` is None."""
    for ours, columns in results:
        if statuses is None:
            yield ours, columns
        else:
            wanted = ours["status"].is_in(list(statuses))
            yield ours.filter(wanted), columns.filter(wanted)
