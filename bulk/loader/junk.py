"""Files of systems and programs beside lists: locks, thumbnails, folder settings. None of them is a list."""

from pathlib import PurePath

_NAMES = {"desktop.ini", "thumbs.db", "ehthumbs.db", "icon\r", "$recycle.bin", "system volume information", "__macosx"}


def is_junk(path: PurePath) -> bool:
    """Whether a file, by its name or that of a folder that it is in, is none that a person means."""
    return any(part.startswith((".", "~$")) or part.casefold() in _NAMES for part in path.parts)
