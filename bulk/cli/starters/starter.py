"""Writes the files of a starter. Existing files are not overwritten."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bulk.channels import CHANNELS
from bulk.errors import CampaignError
from bulk.files import write_new


@dataclass(frozen=True, slots=True)
class ListStarter:
    """A campaign made for a list: where it is, and what was seen of the list, in sentences."""

    path: Path
    seen: list[str]


def write(channel: str, folder: Path) -> Iterator[Path]:
    """Write a list and a campaign for it into a folder, and yield each file. Nothing that is there is overwritten."""
    from bulk.cli.starters.columns import check_channel
    from bulk.cli.starters.from_list import starter_for
    from bulk.loader import ContactList

    check_channel(channel)
    campaign, contacts = folder / "campaign.toml", folder / "contacts.csv"
    for path in (campaign, contacts):
        if path.exists():
            raise _is_there(path)
    _put(contacts, CHANNELS[channel].STARTER.contacts.encode())
    text = starter_for(ContactList.open(contacts), channel, name=f"my-{channel}", file=campaign.name)
    _put_schema(folder)
    yield _put(campaign, text.encode())
    yield contacts


def write_for(source: str, channel: str | None, folder: Path | None, *, column: str | None = None) -> ListStarter:
    """Write a campaign for a list that somebody has, which stays where it is. Nothing that is there is overwritten.

    It is called by the list's name. A channel that is none names the folder, where no folder is given. `column` is that
    of the destinations, None to find it. Raise `CampaignError` and `ListError`.
    """
    from bulk.cli.starters.columns import fitted
    from bulk.cli.starters.from_list import slug, starter_for
    from bulk.loader import ContactList, Layout

    if channel is not None and channel not in CHANNELS and folder is None:
        folder, channel = Path(channel), None
    contacts = ContactList.open(source, layout=Layout(hidden_rows="read"))  # its campaign will ask
    found = fitted(contacts, channel, column)
    folder = folder or Path(found.channel)
    text = starter_for(contacts, found.channel, path=_seen_from(folder, source), column=found.destination)
    path = _put(folder / f"{slug(contacts.name)}.toml", text.encode())
    _put_schema(folder)
    seen = [*contacts.notes, f"{contacts.name}: a campaign of {found.channel}; columns: {found}"]
    return ListStarter(path, [*seen, *([found.others] if found.others else [])])


def _seen_from(folder: Path, source: str) -> str:
    """Return the path of a list as a campaign in a folder names it: what is relative here is relative there."""
    return source if Path(source).is_absolute() else os.path.relpath(Path(source).absolute(), folder.resolve())


def _put(path: Path, content: bytes) -> Path:
    try:
        write_new(path, content)
    except FileExistsError:
        raise _is_there(path) from None
    except OSError as error:
        raise CampaignError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _put_schema(folder: Path) -> None:
    """Write the schema that a starter names in its first line, for editors; one that is there stays."""
    from bulk.reference.schema import FILE, campaign_schema

    path = folder / FILE
    if not path.exists():
        _put(path, (json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n").encode())


def _is_there(path: Path) -> CampaignError:
    return CampaignError(f"{path} is there already; name another folder")
