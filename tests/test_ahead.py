"""One item ahead."""

from collections.abc import Iterator
from threading import Event

import pytest

from bulk.ahead import ahead


@pytest.mark.parametrize("items", [[], [None], [0, "", None, 3], range(1000)])
def test_it_gives_what_it_was_given_in_order(items: list[object]) -> None:
    assert list(ahead(items)) == list(items)


def test_the_next_item_is_made_while_one_is_used() -> None:
    """The second item is made before it is asked for, the third is not."""
    made = [Event(), Event(), Event()]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert made[1].wait(10)
    assert not made[2].is_set()
    assert list(coming) == [1, 2]


def test_what_goes_wrong_is_raised_where_the_item_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(coming)


def test_who_stops_asking_leaves_nothing_running() -> None:
    """The items are closed when nobody wants more of them."""
    closed = Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.set()

    coming = ahead(items())
    assert next(coming) == 0
    coming.close()
    del coming
    assert closed.wait(10)
