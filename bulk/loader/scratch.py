"""A private folder that goes when whoever holds it does, or with the process."""

import shutil
import tempfile
import weakref
from pathlib import Path


class Scratch:
    """A folder for its owner alone. It is there as long as this object is; `close` removes it at once."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="bulk-"))
        self.close = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
