"""A private folder that is removed with the object that owns it, or at the end of the process."""

import weakref

from bulk.files import scratch


class Scratch:
    """A folder for its owner alone. It is there as long as this object is; `close` removes it at once."""

    def __init__(self) -> None:
        self.path, remove = scratch()
        self.close = weakref.finalize(self, remove)
