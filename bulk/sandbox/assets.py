"""The page at `/`: its files, and the content policy for the browser.

Nothing of the page comes from elsewhere, and no text from outside is ever markup of it. A mail's HTML is shown in a
frame without scripts, with a policy of its own (W3C, Content Security Policy Level 3; WHATWG HTML, `sandbox`).
"""

from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "page"
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
FILES: Mapping[str, Path] = {
    "/" if file.suffix == ".html" else f"/_sandbox/page/{file.name}": file for file in _FOLDER.iterdir()
}
"""Path of the URL → file."""

_APART = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_MAIL_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
PAGE_HEADERS = {**_APART, "Content-Security-Policy": _PAGE_POLICY, "Cross-Origin-Opener-Policy": "same-origin"}
MAIL_HEADERS = {**_APART, "Content-Security-Policy": _MAIL_POLICY}


def read(path: str) -> tuple[bytes, str]:
    """Return the file at a path of `FILES`, and its media type."""
    file = FILES[path]
    return file.read_bytes(), _KINDS[file.suffix]
