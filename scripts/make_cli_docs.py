#!/usr/bin/env python3
"""Write docs/cli.md from the program's own help: `.venv/bin/python scripts/make_cli_docs.py`, after a change to it."""

from pathlib import Path

import click

from bulk.cli.main import bulk

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """# The command line

The program's own help, written by `scripts/make_cli_docs.py`: change the help, run that, and never edit this page.
A test holds the two equal. The same in Python: [the README](../README.md#the-same-in-python).
"""
WIDTH = 100  # whatever the terminal of who runs this


def section(command: click.Command, parent: click.Context | None) -> str:
    """Write what `--help` says."""
    settings = {**command.context_settings, "terminal_width": WIDTH}
    ctx = click.Context(command, parent, info_name=command.name, **settings)
    text = "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())
    return f"\n## {ctx.command_path}\n\n```text\n{text}\n```\n"


def sections(command: click.Command, parent: click.Context) -> str:
    """Write what `--help` says of a command, and of those below it."""
    inside = click.Context(command, parent, info_name=command.name)
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return section(command, parent) + "".join(sections(one, inside) for one in below)


def page() -> str:
    """Write the page."""
    root = click.Context(bulk, info_name="bulk", **bulk.context_settings)
    return HEAD + section(bulk, None) + "".join(sections(one, root) for one in bulk.commands.values())


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
