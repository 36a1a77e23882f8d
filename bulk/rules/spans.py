"""Spans of time: half-open, sorted, and disjoint. They are combined like sets."""

from collections.abc import Iterable

Span = tuple[float, float]
Spans = tuple[Span, ...]


def joined(spans: Iterable[Span]) -> Spans:
    """Return what any of some spans covers; they may come in any order and overlap."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        else:
            whole.append((start, end))
    return tuple(whole)


def common(some: Spans, others: Spans) -> Spans:
    """Return what both cover."""
    shared: list[Span] = []
    here = there = 0
    while here < len(some) and there < len(others):
        start, end = max(some[here][0], others[there][0]), min(some[here][1], others[there][1])
        if start < end:
            shared.append((start, end))
        if some[here][1] < others[there][1]:
            here += 1
        else:
            there += 1
    return tuple(shared)
