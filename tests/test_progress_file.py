"""The progress that a sender leaves for whoever asks meanwhile: it …"""

import json
import os
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from sandbox_runs import SMS
from virtual import in_virtual_time

from bulk.campaign import Campaign
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.run.progress_file import leaving, left_by, path_of
from bulk.run.summary import Progress


def ref_of(folder: Path, name: str = "c", run: str = "june") -> RunRef:
    source = Campaign(name=name, channel="sms", request=SMS)
    return RunRef(source, Options(state_dir=folder / "state", run_id=run))


def progress(sent: int) -> Progress:
    return Progress(10, sent, sent, 0, sent, 0, 1.0)


def test_has_a_name_that_a_file_may_have_and_no_other_run_has(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert path_of(ref_of(tmp_path)) == state / "c.june.progress"
    assert path_of(ref_of(tmp_path, "a-b", "x y@z")) == state / "a-b.x%20y%40z.progress"


@in_virtual_time
async def test_is_left_each_second_and_gone_with_its_sender(tmp_path: Path) -> None:
    ref, asked = ref_of(tmp_path), list[float]()

    def told() -> Progress:
        asked.append(anyio.current_time())
        return progress(len(asked))

    with anyio.move_on_after(2.5):
        async with anyio.create_task_group() as group:
            group.start_soon(leaving, ref, told)
            await anyio.sleep(0.5)
            assert left_by(ref) == progress(1)
            assert path_of(ref).stat().st_mode & 0o777 == 0o600
            assert path_of(ref).parent.stat().st_mode & 0o777 == 0o700
            await anyio.sleep(1.0)
            assert left_by(ref) == progress(2)
            await anyio.sleep(5.0)
    assert [round(one, 3) for one in asked] == [0.0, 1.0, 2.0]
    assert (path_of(ref).exists(), list(path_of(ref).parent.iterdir())) == (False, [])


@in_virtual_time
async def test_is_no_reason_to_stop_where_it_cannot_be_written_or_has_gone(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands where the folder would be")
    asked = list[None]()

    def told() -> Progress:
        asked.append(None)
        return progress(0)

    with anyio.move_on_after(1.5):
        await leaving(ref_of(tmp_path), told)
    assert len(asked) == 2
    (tmp_path / "state").unlink()
    with anyio.move_on_after(0.5):
        async with anyio.create_task_group() as group:
            group.start_soon(leaving, ref_of(tmp_path), told)
            await anyio.sleep(0.1)
            path_of(ref_of(tmp_path)).unlink()
            await anyio.sleep(5.0)


@pytest.mark.parametrize("age, tells", [(0, True), (58, True), (63, False), (119, False)])
def test_tells_nothing_any_more_after_a_minute(tmp_path: Path, age: float, *, tells: bool) -> None:
    ref = ref_of(tmp_path)
    path_of(ref).parent.mkdir()
    path_of(ref).write_text(json.dumps(progress(3).as_dict()))
    os.utime(path_of(ref), (time.time() - age, time.time() - age))
    assert left_by(ref) == (progress(3) if tells else None)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"7", b"\xff", b'{"waits": [7], "full": []}'])
def test_tells_nothing_where_it_is_not_there_or_is_no_progress(tmp_path: Path, content: Any) -> None:
    ref = ref_of(tmp_path)
    path_of(ref).parent.mkdir()
    if content is not None:
        path_of(ref).write_bytes(content)
    assert left_by(ref) is None


def test_is_read_up_to_a_megabyte(tmp_path: Path) -> None:
    ref, text = ref_of(tmp_path), json.dumps(progress(3).as_dict())
    path_of(ref).parent.mkdir()
    path_of(ref).write_text(text + " " * (2**20 - len(text)) + "no JSON")
    assert left_by(ref) == progress(3)
