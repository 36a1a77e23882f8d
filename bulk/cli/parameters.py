"""What the options take: durations, times, rates, shares."""

import math
import re
import time
from fractions import Fraction
from typing import Any

import click

_SHARE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,20})?(?:/[0-9]{1,9})?|\.[0-9]{1,20}")  # 1e999999999 is work for hours


class Duration(click.ParamType[float]):
    """A number of seconds, or 90s, 2h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
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
            self.fail(f"{value!r} is no rate; write calls per second, above 0, or auto", param, ctx)
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
