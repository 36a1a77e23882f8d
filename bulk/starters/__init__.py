"""What `bulk init` writes: a campaign and a list for each channel, that run as they are against the sandbox."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from bulk.errors import CampaignError

CHANNELS = sorted(entry.name for entry in files(__name__).iterdir() if entry.is_dir() and entry.name[0] not in "._")


def write(channel: str, folder: Path) -> Iterator[Path]:
    """Write the starter of a channel into a folder, and name each file. Nothing that is there is overwritten."""
    if channel not in CHANNELS:
        raise CampaignError(f"no channel {channel!r}; there are {', '.join(CHANNELS)}")
    for source in sorted(files(__name__).joinpath(channel).iterdir(), key=lambda entry: entry.name):
        path = folder / source.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(source.read_bytes())
        except FileExistsError:
            raise CampaignError(f"{path} is there already; name another folder") from None
        except OSError as error:
            raise CampaignError(f"{path} cannot be written: {error.strerror}") from None
        yield path
