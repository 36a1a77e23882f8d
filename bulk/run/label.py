"""Which of several campaigns is current: the log puts its name before each message."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

label: ContextVar[str | None] = ContextVar("label", default=None)
"""The name of the campaign at work, None where there is only one."""


@contextmanager
def labelled(name: str) -> Iterator[None]:
    """Name the campaign that the block, and what it starts, works for."""
    before = label.set(name)
    try:
        yield
    finally:
        label.reset(before)
