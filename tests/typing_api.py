"""The public API as a program uses it: never run, only read by mypy, which also finds an ignore that is not needed."""

from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # no stubs
import polars as pl

import bulk


async def sends(frame: pd.DataFrame, table: pl.DataFrame) -> None:
    run: bulk.Run = await bulk.send("campaign.toml", contacts=frame, run_id="june", sandbox=True, rate="auto")
    results: pl.DataFrame = run.results()
    await bulk.send(Path("campaign.toml"), contacts=table, rate=20, at_once=5, lock_wait=10.0)
    runs: list[bulk.Run] = await bulk.send_all(["a.toml", "b.toml"], sandbox=True)
    plan: bulk.Plan = await bulk.check("campaign.toml", account=True, profile="sales")
    path: Path = await bulk.results("campaign.toml", "out.csv", only="failed", join=True, run_id="june")
    page: Path = await bulk.report("campaign.toml", "out.html", by="city", state_dir="state")
    found: bulk.Run = await bulk.status("campaign.toml", run_id="june")
    policy: dict[str, Any] = await bulk.iam("campaign.toml", region="us-west-2")
    resolution: bulk.Resolution = await bulk.resolve("campaign.toml", "resend", rows=[1], run_id="june")
    await bulk.test("campaign.toml", to="+14155550100", row=0, sandbox=True)
    print(results, runs, plan, path, page, found, policy, resolution)  # noqa: T201 - all are used


async def a_wrong_call_is_found() -> None:
    await bulk.send("campaign.toml", sandbx=True)  # type: ignore[call-arg]  # wrong on purpose
    await bulk.send("campaign.toml", limit="ten")  # type: ignore[arg-type]  # wrong on purpose
    await bulk.check("campaign.toml", rate="fast")  # type: ignore[arg-type]  # wrong on purpose
    await bulk.results("campaign.toml", "out.csv", run=1)  # type: ignore[call-arg]  # wrong on purpose


def kept_options() -> bulk.SendOptions:
    return {"run_id": "june", "rate": 20.0}
