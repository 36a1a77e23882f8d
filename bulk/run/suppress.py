"""A suppression list of one's own: nobody on it gets a message from any campaign of the state directory."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bulk.aws.connect import Endpoint
from bulk.aws.objects import objects_of
from bulk.campaign import Campaign, load
from bulk.errors import CampaignError, ListError
from bulk.files import refuse_overwriting
from bulk.files.replacement import taking_the_place_of
from bulk.loader import Kind, Scratch, alpha_2, read_destinations
from bulk.loader.destination_file import NoColumnError
from bulk.loader.own_list import OwnList, Suppressed, readings, write
from bulk.model import mask
from bulk.run.context import RunRef
from bulk.run.environment import endpoint_of
from bulk.run.options import Options
from bulk.run.own_list_place import OwnListPlace
from bulk.threads import in_thread

Action = Literal["add", "remove", "list", "import", "export"]
KINDS: tuple[Kind, ...] = ("phone", "email")


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """The list after an action: where it is, what is in it, and how many entries the action added or removed."""

    path: Path | str
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
    folder `.bulk` beside the `campaign`, else of `.bulk` in the current folder, and may be in S3 as the state directory
    may; numbers without + belong to `country`, else to the campaign's. Raises `CampaignError`, `ListError` and
    `LedgerError`.
    """
    known = await in_thread(_campaign, campaign)
    code = _country(country or (known.contact_list.country if known else None))
    given = [destinations] if isinstance(destinations, str) else list(destinations)
    entries = [Suppressed(one, _now(), " ".join(reason.split())) for text in given for one in _read(text, code)]
    if action in {"add", "remove"} and not entries:
        raise CampaignError(f"suppress {action} takes destinations: a phone number such as +12065550100, or an address")
    if action in {"import", "export"} and file is None:
        raise CampaignError(f"suppress {action} takes a file")
    work: dict[str, Callable[[OwnList], int]] = {
        "add": lambda own: own.add(entries),
        "remove": lambda own: own.remove([one.destination for one in entries]),
        "import": lambda own: _import(own, Path(file or ""), code, reason),
        "export": lambda own: _export(own, Path(file or "")),
        "list": lambda _: 0,
    }
    if action not in work:
        raise CampaignError(f"suppress takes {', '.join(work)}, not {action!r}")
    async with _opened(state_dir, known) as place:
        changed, there = await place.change(lambda own: (work[action](own), tuple(own.entries().values())))
        return SuppressionList(place.name, there, changed)


@asynccontextmanager
async def _opened(state_dir: Path | str | None, campaign: Campaign | None) -> AsyncIterator[OwnListPlace]:
    """Open the list that is meant: of the state directory, else beside the campaign, else in the current folder."""
    asked = Options(state_dir=state_dir)
    if (url := asked.state_url) is None:
        home = campaign.folder if campaign else Path()
        yield OwnListPlace(OwnList(Path(state_dir) if state_dir is not None else home / ".bulk"))
        return
    endpoint = endpoint_of(RunRef(campaign, asked)) if campaign else Endpoint(region=os.environ.get("AWS_REGION"))
    scratch = Scratch()
    try:
        async with objects_of(url, endpoint) as objects:
            yield OwnListPlace(OwnList(scratch.path), objects)
    finally:
        scratch.close()


def _campaign(path: Path | str | None) -> Campaign | None:
    return load(Path(path))[0] if path is not None else None


def _country(said: str | None) -> str | None:
    """Return where numbers without + belong. Raise `CampaignError` where that is no country."""
    code = alpha_2(said) if said else None
    if said and code is None:
        raise CampaignError(f"{said[:40]!r} is no country: write it as US, GB, DE")
    return code


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
    """Yield what a file names; a column of one kind is enough. Raise `ListError`."""
    lacking = []
    for kind in KINDS:
        try:
            yield from read_destinations(file, kind, country)
        except NoColumnError as error:
            lacking.append(error)
    if len(lacking) == len(KINDS):
        raise lacking[0]


def _export(own: OwnList, file: Path) -> int:
    refuse_overwriting(file, [own.path])
    entries = own.entries().values()
    with taking_the_place_of(file, failed="the list cannot be written", remedy="Name another file") as new:
        write(new, entries)
    return 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
