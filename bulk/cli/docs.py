"""`bulk docs`: the documentation, offline."""

import sys
import tempfile
import webbrowser
from pathlib import Path

import click

from bulk.cli import screen
from bulk.cli.command import command
from bulk.errors import CampaignError


def _completed(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the pages that begin so: for a shell's Tab key."""
    from bulk.reference import pages

    return [name for name in pages() if name.startswith(incomplete)]


@command("docs")
@click.argument("page", default="README", shell_complete=_completed)
def docs(page: str) -> None:
    """Open the documentation, which needs no network.

    PAGE is its name, such as `campaign`, `codes` or `pacing`. Where stdout is no terminal, its text (Markdown) is
    printed instead: `bulk docs codes | less`.
    """
    from bulk.reference import pages, write_html
    from bulk.text.plain import nearest

    known = pages()
    name = page.removesuffix(".md")
    if name not in known:
        near = nearest(name, known)
        raise CampaignError(
            f"no page {name!r}.{f' Did you mean {near!r}?' if near else ''} There are: {', '.join(known)}"
        )
    if not sys.stdout.isatty():
        click.echo(known[name].read_text("utf-8"), nl=False)
        return
    file = write_html(Path(tempfile.mkdtemp(prefix="bulk-docs-")))[name]
    click.echo(file)
    if not webbrowser.open(file.as_uri()):
        screen.say("no browser was found: open that file in one")
