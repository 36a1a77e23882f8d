"""Notices at the end of a run: a command that gets the summary, files, and metrics."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulk.cli import screen

if TYPE_CHECKING:
    from bulk.run.summary import Progress

EVERY = 10.0  # seconds between two metrics files of a run under way
PATIENCE = 300.0  # seconds that a command has
WORDS = {"always": "", "success": "0", "failure": "!0"}
_CODES = re.compile(r"\d{1,3}(?:,\d{1,3})*")
_SPLIT = re.compile(r"\s*([\d,]+|always|success|failure)\s*(?::\s*(.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Occasion:
    """At which exit codes a command is run (`codes`, none for all), and which: None for that of --notify-command."""

    when: str = "always"
    command: str | None = None

    @classmethod
    def of(cls, said: str) -> "Occasion":
        """Read `CODES`, `CODES: COMMAND` or `COMMAND`. Codes are numbers, `always`, `success` or `failure`."""
        found = _SPLIT.fullmatch(said)
        if found is None or not (found[1] in WORDS or _CODES.fullmatch(found[1])):
            return cls(command=said)
        return cls(found[1], found[2])

    @property
    def is_typo(self) -> bool:
        """Whether a word was meant that says when, and not a command."""
        from bulk.text.plain import nearest

        word = (self.command or "").strip()
        return bool(word.isalpha() and nearest(word, WORDS) and shutil.which(word) is None)

    def includes(self, code: int) -> bool:
        """Whether an exit code is one of those."""
        if self.when in WORDS:
            return self.when == "always" or (code == 0) == (self.when == "success")
        return str(code) in self.when.split(",")


@dataclass(slots=True)
class Notice:
    """The notice of a sending: `runs` are the summaries of those that took place, `error` why none did."""

    campaigns: Sequence[Path]
    run_id: str
    command: str | None = None
    on_exit: Sequence[str] = ()
    metrics_file: Path | None = None
    emf: bool = False
    otel: bool = False
    runs: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    _standing: dict[str, dict[str, Any]] = field(default_factory=dict)
    _write_at: float = 0.0

    def check(self) -> None:
        """Raise `click.UsageError` where a command would never be run, or is none."""
        for said in self.on_exit:
            one = Occasion.of(said)
            if one.is_typo:
                raise click.UsageError(f"--on-exit {said!r}: write exit codes such as 1,3, or {', '.join(WORDS)}")
            if one.command is None and not self.command:
                raise click.UsageError(
                    f"--on-exit {said} says when --notify-command runs: give that too, or '{said}: COMMAND'"
                )

    def note(self, name: str, progress: "Progress") -> None:
        """Take in where a run stands: the metrics file follows, every few seconds."""
        if self.metrics_file is None:
            return
        statuses = ("sent", "skipped", "refused", "rejected", "unknown")
        about = {"campaign": progress.campaign, "run": progress.run, "calls": progress.calls}
        took = {"throttled": progress.throttled, "seconds": round(progress.seconds, 3)}
        self._standing[name] = about | {status: getattr(progress, status) for status in statuses} | took
        if time.monotonic() >= self._write_at:
            from bulk.reports import metrics

            self.write(metrics.prometheus([*self._standing.values()], time.time()))
            self._write_at = time.monotonic() + EVERY

    def told(self, code: int) -> list[dict[str, Any]]:
        """Return a summary for each campaign, with its exit code; where it could not start, `halted` says why."""
        missing = {"run": self.run_id, "halted": self.error, "exit_code": code}
        return self.runs or [{"campaign": str(one), **missing} for one in self.campaigns]

    def commands(self, code: int) -> Iterator[str]:
        """Yield the commands to be run at an exit code, each once."""
        occasions = [Occasion.of(said) for said in self.on_exit]
        plain = [one for one in occasions if one.command is None]
        if self.command and (not plain or any(one.includes(code) for one in plain)):
            yield self.command
        yield from (one.command for one in occasions if one.command and one.includes(code))

    def give(self, code: int) -> None:
        """Notify everybody. A failure of that is a warning, and changes no exit code."""
        from bulk.reports import metrics

        told, now = self.told(code), time.time()
        if self.metrics_file is not None:
            self.write(metrics.prometheus(told, now))
        if self.emf:
            for run in told:
                sys.stderr.write(f"{metrics.emf(run, now)}\n")
        if self.otel:
            _export(told)
        whole = told[0] if len(told) == 1 else {"runs": told, "exit_code": code}
        for command in dict.fromkeys(self.commands(code)):
            _run(command, json.dumps(whole), code)

    def write(self, text: str) -> None:
        """Write the metrics file, whole: whoever reads meanwhile sees the one before. Everybody may read it."""
        assert self.metrics_file is not None  # noqa: S101 - asked for
        new = self.metrics_file.with_name(f".{self.metrics_file.name}.{os.getpid()}.new")
        try:
            new.write_text(text, "utf-8")
            new.chmod(0o644)
            new.replace(self.metrics_file)
        except OSError as error:
            screen.log.warning("--metrics-file %s cannot be written: %s", self.metrics_file, error.strerror)
            new.unlink(missing_ok=True)


@contextmanager
def given(notice: Notice) -> Iterator[Notice]:
    """Send the notice at the end of the block, however that ends."""
    from bulk.errors import BulkError

    notice.check()
    try:
        yield notice
    except SystemExit as end:
        notice.give(end.code if isinstance(end.code, int) else 1)
        raise
    except BulkError as error:
        notice.error = str(error)
        notice.give(int(error.exit_code))
        raise
    notice.give(0)


def _run(command: str, told: str, code: int) -> None:
    """Run a command in a shell, the summary on its stdin; what it prints goes to stderr."""
    about = {**os.environ, "BULK_EXIT_CODE": str(code)}
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command
            command, shell=True, input=told, text=True, env=about, stdout=sys.stderr, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        screen.log.warning("the command %r could not be run: %s", command, error)
        return
    if done.returncode:
        screen.log.warning("the command %r ended with %d", command, done.returncode)


def _export(told: Sequence[dict[str, Any]]) -> None:
    from bulk.cli.telemetry import export

    export(told)
