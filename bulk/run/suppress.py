"""A suppression list of one's own: whom no campaign of a state directory writes to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from bulk.campaign import load
from bulk.errors import CampaignError, ListError
from bulk.files import refuse_overwriting
from bulk.files.replacement import taking_the_place_of
from bulk.loader import Kind, alpha_2, read_destinations
from bulk.loader.own_list import OwnList, Suppressed, readings, write
from bulk.model import mask
from bulk.threads import in_thread

Action = Literal["add", "remove", "list", "import", "export"]
KINDS: tuple[Kind, ...] = ("phone", "email")


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """The list after an action: where it is, what is in it, and how many entries the action added or removed."""

    path: Path
    entries: tuple[Suppressed, ...]
    changed: int = 0

    def as_dict(self, *, show: bool = False) -> dict[str, Any]:
        """Return it for JSON; destinations are masked unless they are to be shown."""
        entries = [
            {"destination": shown(one, show=show), "added_at": one.added_at, "reason": one.reason}
            for one in self.entries
        ]
        return {"list": str(self.path), "destinations": len(entries), "changed": self.changed, "entries": entries}


def shown(entry: Suppressed, *, show: bool = False) -> str:
    """Return the destination of an entry, masked unless it is to be shown."""
    return entry.destination if show else mask(entry.destination)


async def suppress(  # noqa: PLR0913 - as many as the command has options
    action: Action,
    destinations: str | Iterable[str] = (),
    *,
    file: Path | str | None = None,
    state_dir: Path | str | None = None,
    campaign: Path | str | None = None,
    country: str | None = None,
    reason: str = "",
) -> SuppressionList:
    """Change or read the suppression list of a state directory, and return it as it is then.

    `add` and `remove` take destinations, `import` and `export` a `file`. The list is that of `state_dir`, else of the
    folder `.bulk` beside the `campaign`, else of `.bulk` in the current folder; numbers without + belong to `country`,
    else to the campaign's. Raises `CampaignError`, `ListError` and `LedgerError`.
    """
    own, code = await in_thread(_place, state_dir, campaign, country)
    given = [destinations] if isinstance(destinations, str) else list(destinations)
    entries = [Suppressed(one, _now(), " ".join(reason.split())) for text in given for one in _read(text, code)]
    if action in {"add", "remove"} and not entries:
        raise CampaignError(f"suppress {action} takes destinations: a phone number such as +12065550100, or an address")
    if action in {"import", "export"} and file is None:
        raise CampaignError(f"suppress {action} takes a file")
    work: dict[str, Callable[[], int]] = {
        "add": partial(own.add, entries),
        "remove": partial(own.remove, [one.destination for one in entries]),
        "import": partial(_import, own, Path(file or ""), code, reason),
        "export": partial(_export, own, Path(file or "")),
        "list": lambda: 0,
    }
    if action not in work:
        raise CampaignError(f"suppress takes {', '.join(work)}, not {action!r}")
    changed = await in_thread(work[action])
    return SuppressionList(own.path, tuple((await in_thread(own.entries)).values()), changed)


def _place(
    state_dir: Path | str | None, campaign: Path | str | None, country: str | None
) -> tuple[OwnList, str | None]:
    """Return the list that is meant, and where numbers without + belong."""
    if state_dir is not None and str(state_dir).startswith(("s3:/", "s3://")):
        raise CampaignError(
            "a suppression list of one's own is kept in a folder only, not in S3: with --state-dir s3://…, name a file "
            "under `suppress` in [list]"
        )
    known = load(Path(campaign))[0] if campaign is not None else None
    home = known.folder if known else Path()
    said = country or (known.contact_list.country if known else None)
    code = alpha_2(said) if said else None
    if said and code is None:
        raise CampaignError(f"{said[:40]!r} is no country: write it as US, GB, DE")
    return OwnList(Path(state_dir) if state_dir is not None else home / ".bulk"), code


def _read(text: str, country: str | None) -> list[str]:
    if found := readings(text, country):
        return found
    raise CampaignError(
        f"{mask(text.strip()[:60])!r} is no phone number and no email address: write numbers as +12065550100, or name "
        "their country with --country. Nothing was changed"
    )


def _import(own: OwnList, file: Path, country: str | None, reason: str) -> int:
    """Add what a file names, of either kind. Raise `ListError` where that is nobody."""
    why = " ".join(reason.split()) or f"imported from {file.name}"
    found = [Suppressed(one, _now(), why) for one in _destinations(file, country)]
    if not found:
        raise ListError(f"{file}: no phone numbers and no email addresses, so nobody was added: is it the right file?")
    return own.add(found)


def _destinations(file: Path, country: str | None) -> Iterator[str]:
    for kind in KINDS:
        yield from read_destinations(file, kind, country)


def _export(own: OwnList, file: Path) -> int:
    refuse_overwriting(file, [own.path])
    entries = own.entries().values()
    with taking_the_place_of(file, failed="the list cannot be written", remedy="Name another file") as new:
        write(new, entries)
    return 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
