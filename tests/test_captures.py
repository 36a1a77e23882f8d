"""The page of captures: it …"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = "import sys; sys.path.insert(0, 'scripts'); import make_captures; sys.stdout.write(make_captures.page())"


def test_shows_what_the_program_shows() -> None:
    made = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, check=True)
    assert made.stdout.decode() == (ROOT / "docs/terminal.md").read_text("utf-8")
