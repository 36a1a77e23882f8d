"""The program: `bulk`, and `python -m bulk`. An interrupt ends it from its first moment on."""

import os
import sys

if sys.platform == "win32":
    sys.stderr.write("bulk: runs on Linux and macOS; on Windows, in WSL or in a container\n")
    sys.exit(2)

try:
    from bulk.cli import process

    process.end_at_once()
    from bulk.cli.main import main
except KeyboardInterrupt:
    os._exit(130)

__all__ = ["main"]

if __name__ == "__main__":
    main()
