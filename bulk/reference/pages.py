"""The pages of documentation: Markdown that ships with the program, and the same as HTML."""

import html
import re
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

from bulk.errors import BulkError

HOME = Path(__file__).parent
FOLDERS = HOME / "pages", HOME.parents[1] / "docs"  # as installed from a wheel; in the repository
FIRST = "README.md"

_LINK = re.compile(r'href="(?!https?:|#)(?:\.\./)*(?:docs/)?([^"#]+)\.md(#[^"]*)?"')
_STYLE = (
    "body{max-width:50rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color-scheme:light dark}"
    "pre{overflow:auto;padding:.8rem;background:#8881}code{font-size:.9em}table{border-collapse:collapse;display:block;"
    "overflow:auto}td,th{border:1px solid #8886;padding:.3rem .5rem;text-align:left;vertical-align:top}"
)


def pages() -> dict[str, Path]:
    """Return the pages by name, such as `campaign` or `internals/ledger`, in the order of their names.

    Raises `BulkError` where the program was installed without them.
    """
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    if folder is None:
        raise BulkError("the documentation is not installed beside the program: install bulk again")
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.md")}
    readme = folder.parent / FIRST
    own = {"README": readme} if "README" not in found and readme.is_file() else {}
    return {**own, **dict(sorted(found.items()))}


def write_html(folder: Path) -> dict[str, Path]:
    """Write every page as HTML into a folder, with its images and links; return the files by name of the page."""
    known = pages()
    written: dict[str, Path] = {}
    for name, path in known.items():
        written[name] = folder / _file_of(name)
        written[name].write_text(_page(name, path.read_text("utf-8"), list(known)), "utf-8")
        for image in path.parent.glob("images/*.png"):
            (folder / "images").mkdir(exist_ok=True)
            shutil.copyfile(image, folder / "images" / image.name)
    return written


def _file_of(name: str) -> str:
    return f"{name.replace('/', '-')}.html"


def _page(name: str, text: str, known: list[str]) -> str:
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    by_end = {one.rsplit("/", 1)[-1]: one for one in known}

    def link(found: re.Match[str]) -> str:
        target = by_end.get(found[1].rsplit("/", 1)[-1])
        return f'href="{_file_of(target)}{found[2] or ""}"' if target else found[0]

    menu = " · ".join(f'<a href="{_file_of(one)}">{html.escape(one)}</a>' for one in known)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>bulk: {html.escape(name)}</title><style>{_STYLE}</style><nav>{menu}</nav><main>"
        f"{_LINK.sub(link, _with_anchors(body))}</main></html>\n"
    )


def _with_anchors(body: str) -> str:
    """Return the page with an id on each heading, by which links find it, as GitHub makes them."""

    def anchored(found: re.Match[str]) -> str:
        words = re.sub(r"<[^>]+>", "", found[2]).casefold()
        name = re.sub(r"[^\w\- ]", "", html.unescape(words)).strip().replace(" ", "-")
        return f'<h{found[1]} id="{html.escape(name)}">{found[2]}</h{found[1]}>'

    return re.sub(r"<h([1-6])>(.*?)</h\1>", anchored, body)
