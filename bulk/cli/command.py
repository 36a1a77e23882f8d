"""How a function becomes a command."""

from collections.abc import Callable
from typing import Any

import click

from bulk.cli.examples import EXAMPLES


def command(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a command of a function, with its examples at the end of its help."""
    return click.command(name, epilog=EXAMPLES[name])
