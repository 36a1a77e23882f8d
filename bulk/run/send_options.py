"""The options of a run for type checkers and editors: the fields of `Options`, none of them required.

`**options: Unpack[SendOptions]` is read by type checkers (PEP 692). Editors and notebooks that look at a signature
instead are shown the same names by `public`.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import fields
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, cast

from bulk.errors import BulkError
from bulk.loader import HeldTable
from bulk.model import Status
from bulk.run.options import Options

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class _Common(TypedDict, total=False):
    """The keyword arguments that every function takes."""

    contacts: Path | str | HeldTable | None
    run_id: str
    results: Path | str | None
    outcomes_only: bool
    spreadsheet_safe: bool
    limit: int | None
    dry_run: bool
    sandbox: bool
    faults: Path | str | None
    templates: Path | str | None
    rate: float | Literal["auto"] | None
    burst: int | None
    at_once: int | None
    rate_share: float
    state_dir: Path | str | None
    lease: float
    endpoint_url: str | None
    region: str | None
    profile: str | None
    ca_bundle: Path | str | None
    connect_timeout: float
    read_timeout: float
    allow_http: bool
    max_duration: float | None
    no_wait: bool
    accept_changes: bool
    start_at: datetime | str | None
    lock_wait: float | None
    prices: Path | str | None
    cluster: str | None
    virtual_time: bool


class RunOptions(_Common, total=False):
    """Those of `bulk.results`, where `only` means more."""

    ask: bool


class AskedOptions(_Common, total=False):
    """Those of `bulk.resolve`, where `ask` means another question."""

    only: Status | None


class SendOptions(RunOptions, total=False):
    """The keyword arguments that the functions take: what they mean, `bulk.Options` says."""

    only: Status | None


def public(function: F) -> F:
    """Return a function of the front door: its signature has each option, and its errors are ready to be shown.

    IPython shows the whole traceback of an error in whose `__context__` a group of errors is; `__cause__` keeps it.
    """

    @wraps(function)
    async def called(*args: Any, **options: Any) -> Any:
        try:
            return await function(*args, **options)
        except BulkError as error:
            error.__context__ = None
            raise

    vars(called)["__signature__"] = _with_options(inspect.signature(function))
    return cast("F", called)


def _with_options(signature: inspect.Signature) -> inspect.Signature:
    *own, rest = signature.parameters.values()
    options = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(Options)
        if one.name not in signature.parameters
    ]
    return signature.replace(parameters=[*own, *options, rest])
