"""`bulk help`: what a key of a campaign, or a code in the results, means."""

import sys

import click

from bulk.cli import screen
from bulk.cli.command import command
from bulk.errors import ExitCode


def _completed(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the commands, keys and codes that begin so: for a shell's Tab key."""
    from bulk.reference import names

    group = ctx.parent.command if ctx.parent is not None else None
    commands = group.list_commands(ctx) if isinstance(group, click.Group) else []
    return [name for name in [*commands, *names()] if name.startswith(incomplete)]


@command("help")
@click.argument("words", nargs=-1, metavar="KEY", shell_complete=_completed)
@click.pass_context
def explain(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a key of the campaign file, or a code in the results.

    KEY is a key (`dedupe`), one of a table (`list.key`), a table (`pacing`), an error code (`expired`), or a command.
    Without KEY, the commands are listed.
    """
    from bulk.reference import entries_of, names

    group = ctx.parent.command if ctx.parent is not None else None
    word = " ".join(words)
    known = group.get_command(ctx, word) if isinstance(group, click.Group) else None
    if not word or known is not None:
        sub = click.Context(known, ctx.parent, info_name=word) if known is not None else ctx.parent
        click.echo(sub.get_help() if sub is not None else "")
        return
    found, near = entries_of(word)
    if not found:
        hint = f" Did you mean {near!r}?" if near else f" There are {len(names())} names in `bulk docs campaign`."
        screen.complain(f"no key and no code {word!r}.{hint}")
        sys.exit(ExitCode.NOT_STARTED)
    for entry in found:
        click.echo(f"{entry.full_name}    ({entry.page}.md, {entry.section.replace('`', '')})")
        for head, cell in entry.cells.items():
            if head not in {"Key", "Code"} and cell not in {"", "–"}:
                click.echo(f"    {head.lower()}: {cell.replace('`', '')}")
