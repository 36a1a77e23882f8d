"""Results for reports to be made of, and a reader of the pages that come out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import polars as pl

from bulk.model import Recorded
from bulk.reports import About, Figures, Fold, Report, page
from bulk.reports.results import table

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
ABOUT = About(
    campaign="reminders",
    run="friday",
    channel="sms",
    endpoint="https://connect.us-west-2.amazonaws.com",
    region="us-west-2",
    instance="8f3c",
    operations=("StartOutboundChatContact",),
    started_at=START,
    ended_at=datetime(2026, 11, 20, 10, 30, tzinfo=UTC),
    passes=2,
    calls=1200,
    throttled=30,
)
MADE_AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
VOID = {"meta", "rect", "line", "br"}
INLINE = {"bdi", "code", "span", "strong"}


def end(
    status: str, at: float | None = 0.0, *, attempts: int = 0, code: str | None = None, said: str | None = None
) -> Recorded:
    """Return a row's end, so many seconds after the start."""
    return status, None, attempts, code, said, None, None if at is None else START.timestamp() + at


def results(
    ends: Iterable[Recorded], *, first: int = 0, keys: list[str] | None = None, to: list[str | None] | None = None
) -> pl.DataFrame:
    ends = list(ends)
    rows = range(first, first + len(ends))
    return table(first, keys or [f"k{row}" for row in rows], to or [f"+1206555{row:04}" for row in rows], ends)


def folded(*tables: pl.DataFrame, private: bool = False) -> Figures:
    fold = Fold(private=private)
    for one in tables:
        fold.note(one)
    return fold.figures()


def written(figures: Figures, *, notes: tuple[str, ...] = (), complete: bool = True, **about: Any) -> str:
    return page(Report(replace(ABOUT, **about), figures, MADE_AT, notes, complete))


class Read(HTMLParser):
    """A page as a reader has it: its elements, how deep they end, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "every element ends"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag not in INLINE:
            self.text += " "

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in {"style", "title"}:
            self.text += data

    @property
    def words(self) -> str:
        """The text with one space for any number of them."""
        return " ".join(self.text.split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
