"""The options of a run besides the campaign, with the same names on the command line and in Python."""

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from bulk.campaign import HIGHEST, LONGEST, brief
from bulk.cluster.address import address
from bulk.errors import CampaignError
from bulk.loader import HeldTable
from bulk.model import Status
from bulk.run.run_name import dated
from bulk.text.plain import nearest

_RUN_ID = re.compile(r"\w(?:[\w.+:@ -]{0,98}[\w+-])?")
_MOST = {
    "limit": 10**12,
    "rate": HIGHEST,
    "burst": HIGHEST,
    "at_once": HIGHEST,
    "rate_share": 1,
    "connect_timeout": LONGEST,
    "read_timeout": LONGEST,
    "max_duration": LONGEST,
    "lease": 24 * 3600,
    "lock_wait": LONGEST,
}
_SHORTEST_LEASE = 2.0
Contacts = Path | str | HeldTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run. Times in seconds; `rate` in calls per second and operation.

    `only` sends again just the rows that ended so; `accept_changes` lets unsent rows take a changed campaign. `no_wait`
    ends a run where sending hours are closed, instead of waiting for the next window.
    `virtual_time`: the clock of a rehearsal jumps over the time in which nothing happens.
    `faults` and `templates` are those of a rehearsal's sandbox; `ask` lets a check ask AWS about message templates.
    `state_dir` is a folder, or `s3://bucket/prefix`, which is claimed for `lease` seconds at a time.
    `spreadsheet_safe`: results in `.csv` hold no formula. `start_at` is when sending begins (`run.start.moment`),
    `lock_wait` for how long to wait while another process sends the run. `{date}` in `run_id` stands for today's date.
    `prices` is a file of prices, instead of the campaign's. `cluster` are the workers that make the calls: `local:2`,
    `tcp://scheduler:8786`.
    """

    contacts: Contacts | None = None
    run_id: str = "default"
    results: Path | str | None = None
    outcomes_only: bool = False
    spreadsheet_safe: bool = False
    limit: int | None = None
    dry_run: bool = False
    sandbox: bool = False
    virtual_time: bool = False
    faults: Path | str | None = None
    templates: Path | str | None = None
    ask: bool = False
    rate: float | Literal["auto"] | None = None
    burst: int | None = None
    at_once: int | None = None
    rate_share: float = 1.0
    state_dir: Path | str | None = None
    lease: float = 30.0
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    ca_bundle: Path | str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    allow_http: bool = False
    max_duration: float | None = None
    no_wait: bool = False
    accept_changes: bool = False
    only: Status | None = None
    start_at: datetime | str | None = None
    lock_wait: float | None = None
    prices: Path | str | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Check the options of a call. Raises `CampaignError` that names the nearest, or what is wrong with one."""
        known = {field.name for field in dataclasses.fields(cls)}
        for name in given.keys() - known:
            near = nearest(name, known)
            raise CampaignError(f"no option {name!r}" + (f"; did you mean {near!r}?" if near else ""))
        options = cls(**given)
        options = dataclasses.replace(options, run_id=dated(options.run_id))
        for name, most in _MOST.items():
            value = getattr(options, name)
            if value is not None and value != "auto" and not 0 < value < math.inf:
                raise CampaignError(f"{name.replace('_', '-')} is {value}, and must be a number above 0")
            if value is not None and value != "auto" and value > most:
                raise CampaignError(f"{name.replace('_', '-')} is {brief(value)}, and must be at most {most:,.0f}")
        if not _RUN_ID.fullmatch(options.run_id):
            raise CampaignError(
                f"run {options.run_id[:40]!r}: files are named after it, so it is made of up to 100 letters, digits, "
                "and . _ - + : @ or spaces between them; {date} stands for today's date"
            )
        if options.cluster is not None:
            address(options.cluster)
        if options.only and options.only not in {Status.REJECTED, Status.REFUSED, Status.SKIPPED, Status.UNKNOWN}:
            raise CampaignError(f"only takes rejected, refused, skipped or unknown, not {options.only}")
        _check_virtual_time(options)
        if options.lease < _SHORTEST_LEASE:
            raise CampaignError(f"lease is {options.lease:g} s, and must be at least {_SHORTEST_LEASE:g} s")
        _check_place(options.state_dir)
        return options

    @property
    def state_url(self) -> str | None:
        """Return where the state directory is in S3, without a `/` at its end; None where it is a folder."""
        place = _place(self.state_dir)
        return place.rstrip("/") if place.startswith("s3://") else None


def _place(state_dir: Path | str | None) -> str:
    """Write a place as it was meant: a `Path` makes one `/` of two."""
    place = "" if state_dir is None else str(state_dir)
    return re.sub(r"^s3:/(?=[^/])", "s3://", place) if isinstance(state_dir, Path) else place


def _check_virtual_time(options: Options) -> None:
    if options.virtual_time and not options.sandbox:
        raise CampaignError("virtual-time is the clock of a rehearsal: it needs sandbox")
    if options.virtual_time and (options.state_url or options.lock_wait):
        raise CampaignError("virtual-time waits for nobody outside: no lock-wait, and no state-dir in S3")


def _check_place(state_dir: Path | str | None) -> None:
    place = _place(state_dir)
    scheme, found, rest = place.partition("://")
    if found and (scheme != "s3" or not rest.strip("/") or rest.startswith("/")):
        raise CampaignError(f"state-dir {brief(place)} is no folder and no s3://BUCKET/PREFIX")
