"""The files that a run reads, so that no output replaces one of them."""

import glob
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from bulk.files import refuse_overwriting
from bulk.run.context import RunRef


def check_output(ref: RunRef, output: Path) -> None:
    """Raise `CampaignError` where an output would take the place of something that is read, or of the run's own state.

    The names may differ: links of both kinds are followed, and what a folder or a pattern reads is looked at.
    """
    refuse_overwriting(output, inputs(ref, output))


def inputs(ref: RunRef, output: Path) -> Iterator[Path]:
    """Yield the files and folders that a run reads, and its own; `output` too, where a pattern would read that."""
    campaign, options = ref.campaign, ref.options
    yield from campaign.files
    yield from (campaign.folder / name for name in campaign.contact_list.suppress)
    yield ref.own_list.path
    if campaign.budget.prices is not None:
        yield campaign.folder / campaign.budget.prices
    if options.prices is not None:
        yield Path(options.prices)
    if options.ca_bundle is not None:
        yield Path(options.ca_bundle)
    yield from (ref.state_dir / name for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm", "pace"))
    yield from (file for kind in ("*.lock", "*.progress") for file in ref.state_dir.glob(kind))
    source = ref.list_path
    if source is not None:
        yield source
        if _is_pattern(source):
            yield from list_files(source)
            yield from [output] if _would_read(source, output) else []


def list_files(source: Path) -> Iterator[Path]:
    """Yield the files of a list: its own, those of a folder, or those that a pattern finds."""
    if source.is_dir():
        yield from (file for file in source.rglob("*") if file.is_file())
    elif _is_pattern(source):
        yield from (Path(found) for found in glob.iglob(str(source), recursive=True))  # noqa: PTH207 - absolute too
    else:
        yield source


def _is_pattern(source: Path) -> bool:
    return glob.has_magic(str(source)) and not source.exists()


def _would_read(pattern: Path, output: Path) -> bool:
    """Whether a pattern would find the output, were it there."""
    wanted, parts = pattern.absolute().parts, output.resolve().parts
    if "**" in wanted:
        return fnmatchcase("/".join(parts), "/".join(wanted).replace("**/", "*"))
    return len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted))
