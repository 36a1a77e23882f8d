"""The progress of a run as a file in the state directory, where `bulk status` reads it.

It is a small private file, replaced every second and gone with its sender. Nothing depends on it: where it cannot be
written, the sending goes on, and where it is missing or old, the ledger tells as much as it knows.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from bulk.files import beside, private_folder
from bulk.pacing.virtual_time import pause
from bulk.run.context import RunRef
from bulk.run.summary import Progress

EVERY = 1.0  # seconds
MOST = 1 << 20  # bytes that are read
STALE = 60.0  # seconds after which it tells nothing any more


def path_of(ref: RunRef) -> Path:
    """Return where it is."""
    name = f"{quote(ref.campaign.name, safe='')}.{quote(ref.options.run_id, safe='')}.progress"
    return ref.state_dir / name


async def leaving(ref: RunRef, progress: Callable[[], Progress]) -> None:
    """Leave the progress every second, until cancelled."""
    path = path_of(ref)
    try:
        while True:
            with suppress(OSError):
                _write(path, json.dumps(progress().as_dict()).encode())
            await pause(EVERY)
    finally:
        with suppress(OSError):
            path.unlink()


def left_by(ref: RunRef) -> Progress | None:
    """Return what the sender of a run has left, None where that tells nothing."""
    path = path_of(ref)
    try:
        if time.time() - path.stat().st_mtime > STALE:
            return None
        with path.open("rb") as file:
            return Progress.of(json.loads(file.read(MOST)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(path: Path, content: bytes) -> None:
    private_folder(path.parent)
    with beside(path) as new:
        new.write_bytes(content)
        new.replace(path)
