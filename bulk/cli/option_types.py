"""The types of options that are neither text nor number: durations, rates, shares, quotas."""

import math
import re
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(file_okay=False, path_type=Path)

_SHARE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,20})?(?:/[0-9]{1,9})?|\.[0-9]{1,20}")  # 1e999999999 is work for hours
_QUOTA = re.compile(r"([^=\s]+)=(inf|[0-9]{1,9}(?:\.[0-9]{1,9})?)[/,]([0-9]{1,9})")


class Duration(click.ParamType[float]):
    """A number of seconds, or 90s, 2h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):  # what click was given for a default
            return value
        from bulk.campaign import seconds

        try:
            return seconds(float(value) if str(value).replace(".", "", 1).isdigit() else value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[str]):
    """A time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from bulk.errors import CampaignError
        from bulk.run.start import moment

        try:
            moment(value, time.time())
        except CampaignError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class Rate(click.ParamType[float | str]):
    """Calls a second, or `auto`."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        try:
            rate = value if value == "auto" else float(value)
        except ValueError:
            rate = 0.0
        if rate != "auto" and not 0 < rate < math.inf:
            self.fail(f"{value!r} is no rate; write a number of calls per second, above 0, or auto", param, ctx)
        return rate


class Share(click.ParamType[float]):
    """A part of the whole: 1/3, 0.5."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            share = float(Fraction(str(value))) if _SHARE.fullmatch(str(value)) else 0.0
        except (ValueError, ZeroDivisionError):
            share = 0.0
        if not 0 < share <= 1:
            self.fail(f"{value!r} is no share; write one above 0 and up to 1, such as 1/3", param, ctx)
        return share


class Part(click.ParamType[float]):
    """A part of the whole, perhaps none of it: 0, 0.2, 1."""

    name = "part"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            part = float(value)
        except ValueError:
            part = -1.0
        if not 0 <= part <= 1:
            self.fail(f"{value!r} is no part of a whole; write a number from 0 to 1, such as 0.2", param, ctx)
        return part


class Quota(click.ParamType[tuple[str, tuple[float, int]]]):
    """OPERATION=RATE/BURST, perhaps with ACCOUNT/ and REGION/ before the operation."""

    name = "operation=rate/burst"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = _QUOTA.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no quota; write CreateContact=10/15, or us-west-2/CreateContact=10/15", param, ctx)
        return found[1], (math.inf if found[2] == "inf" else float(found[2]), int(found[3]))


class Count(click.ParamType[tuple[str, int]]):
    """KIND=N."""

    name = "kind=n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = re.fullmatch(r"([a-z]+)=([0-9]{1,9})", str(value))
        if found is None:
            self.fail(f"{value!r} is no limit; write chat=500, email=1000, task=2500 or voice=10", param, ctx)
        return found[1], int(found[2])


class Lasting(click.ParamType[tuple[str, float]]):
    """KIND=DURATION."""

    name = "kind=duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        kind, equals, after = str(value).partition("=")
        if not (kind and equals):
            self.fail(f"{value!r} is no expiry; write chat=60m or email=14d", param, ctx)
        return kind, Duration().convert(after, param, ctx)


class Account(click.ParamType[tuple[str, str]]):
    """KEY=ACCOUNT."""

    name = "key=account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        key, equals, account = str(value).partition("=")
        if not (key and equals):
            self.fail(f"{value!r} names no account; write AKIDEXAMPLE=123456789012, or *=123456789012", param, ctx)
        return key, account


class StateDirectory(click.ParamType[Path | str]):
    """A folder, or s3://BUCKET/PREFIX."""

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        return str(value) if "://" in str(value) else Path(str(FOLDER.convert(value, param, ctx)))
