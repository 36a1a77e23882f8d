"""Refuses outputs that would overwrite what is read."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bulk.errors import CampaignError
from bulk.text.outside import outside_text


def refuse_overwriting(output: Path, inputs: Iterable[Path]) -> None:
    """Raise `CampaignError` where what is to be written would take the place of what is read, by whatever name.

    An input may be a file, or a folder whose files are read: then nothing is written into that.
    """
    for one in inputs:
        if _same(output, one) or (one.is_dir() and one.resolve() in output.resolve().parents):
            what = "is in a folder that is read" if one.is_dir() else "is read by this campaign"
            raise CampaignError(
                f"{outside_text(output)}: {what} ({outside_text(one)}), and writing there would destroy it; "
                "name another place"
            )


def _same(output: Path, given: Path) -> bool:
    with suppress(OSError):
        if output.samefile(given):
            return True
    return output.resolve() == given.resolve()
