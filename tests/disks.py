"""A disk of one's own, to be filled or made read-only: the fixture is in `conftest`."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mount(*words: str | Path) -> int:
    """Mount, or mount anew; 0 where that worked."""
    try:
        return subprocess.run(["mount", *words], check=False, stderr=subprocess.DEVNULL).returncode
    except OSError:
        return 1


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of that size on a new folder; skips the test where only root may."""
    folder.mkdir()
    if mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder):
        pytest.skip("only root may mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
