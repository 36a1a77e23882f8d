"""Who sends: the user's name, the machine, and the version of this program."""

import getpass
import os
import socket

from bulk import __version__
from bulk.ledger import Origin


def origin() -> Origin:
    """Return who sends, as the ledger keeps it. A user without a name is told by number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    return Origin(f"{user}@{socket.gethostname() or 'unknown'}", __version__)
