"""A private folder that goes when whoever holds it does, or with the process."""

import weakref

from bulk.files import scratch


class Scratch:
    """A folder for its owner alone. It is there as long as this object is; `close` removes it at once."""

    def __init__(self) -> None:
        self.path, remove = scratch()
        self.close = weakref.finalize(self, remove)
