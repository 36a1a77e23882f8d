"""One ahead: each item is made while the one before it is used.

polars lets go of Python's lock while it reads and writes, so a second thread costs next to nothing and saves the time.
"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """Give the items, made one ahead in a thread of their own. What making one raises is raised here."""
    coming = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as beside:
        making = beside.submit(_next, coming)
        while item := making.result():
            making = beside.submit(_next, coming)
            yield item[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    """Give the next item, None after the last."""
    for item in items:
        return (item,)
    return None
