"""In a notebook: results show themselves, errors are a sentence, the stop button ends well, the example runs."""

import asyncio
import inspect
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from cli_runs import campaign

import bulk
from bulk.errors import unwrapped
from bulk.model import Outcome, Status
from bulk.run.plan import Preview
from bulk.run.resolve import UnknownRow

ROOT = Path(__file__).parents[1]
PHONE, SCRIPT = "+14155550123", "<script>alert(1)</script>"
FUNCTIONS = ("check", "iam", "report", "resolve", "results", "send", "send_all", "status", "test", "track")


def test_the_typed_options_are_those_of_a_run() -> None:
    told = {one.name: one.type for one in fields(bulk.Options)}
    assert get_type_hints(bulk.SendOptions) == told == get_type_hints(bulk.Options)
    assert not bulk.SendOptions.__required_keys__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_option_is_completed_for_each_function(name: str) -> None:
    signature = inspect.signature(getattr(bulk, name))
    assert {one.name for one in fields(bulk.Options)} <= signature.parameters.keys()
    assert inspect.iscoroutinefunction(getattr(bulk, name))


def shown(thing: Any) -> str:
    text: str = thing._repr_html_()
    assert SCRIPT not in text
    assert PHONE not in text
    return text


def test_a_plan_shows_itself_escaped_and_masked() -> None:
    preview = Preview(0, PHONE, {"Content": f"{SCRIPT} from {PHONE}"})
    plan = bulk.Plan(f"x{SCRIPT}", "june", "sms", rows=3, sendable=2, notes=[SCRIPT], previews=[preview])
    assert "would be sent" in shown(plan)
    assert "+141…23" in shown(plan)


def test_an_outcome_shows_itself_escaped_and_masked() -> None:
    text = shown(
        Outcome(Status.REJECTED, error_code=SCRIPT, error_message=f"{PHONE} and ann.lee@example.com: {SCRIPT}")
    )
    assert "rejected" in text
    assert "ann.lee" not in text


def test_a_resolution_shows_itself_escaped_and_masked() -> None:
    row = UnknownRow(3, 5, "", SCRIPT, PHONE, in_doubt=True, error_code="unanswered", error_message="", tried_at=None)
    assert "unanswered" in shown(bulk.Resolution("x", SCRIPT, None, 0, [row] * 30))
    assert "and 10 more" in shown(bulk.Resolution("x", "june", None, 0, [row] * 30))


def test_an_error_is_a_sentence_and_its_traceback_comes_on_demand() -> None:
    with pytest.raises(bulk.CampaignError) as raised:
        raise bulk.CampaignError("no such file")
    assert raised.value._render_traceback_() == ["CampaignError: no such file"]
    assert raised.value._render_traceback_()[0] == "Traceback (most recent call last):"


async def test_an_error_of_a_task_leaves_no_group_behind_that_a_notebook_would_show(tmp_path: Path) -> None:
    with pytest.raises(bulk.BulkError), unwrapped():
        raise ExceptionGroup("tasks", [bulk.Halted("so")])
    with pytest.raises(bulk.CampaignError) as raised:
        await bulk.check(tmp_path / "none.toml")
    assert raised.value.__context__ is None


class Kernel:
    """A shell with a kernel, as IPython has one: what is published is kept."""

    kernel = "a kernel"

    def __init__(self) -> None:
        self.display_pub, self.said, self.heard = self, list[dict[str, Any]](), asyncio.Event()

    def get_ipython(self) -> "Kernel":
        return self

    def publish(self, **told: Any) -> None:
        self.said.append(told)
        if ": 0 sent" not in told["data"]["text/plain"]:
            self.heard.set()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", found)
    return found


async def test_the_stop_button_lets_calls_end_and_the_run_goes_on(tmp_path: Path, kernel: Kernel) -> None:
    file = campaign(tmp_path, rows=80)
    task = asyncio.ensure_future(bulk.send(file, sandbox=True, state_dir=tmp_path / "state", rate=40, burst=1))
    await kernel.heard.wait()
    task.cancel()
    with pytest.raises(bulk.Interrupted, match="Run the cell again"):
        await task
    stopped = (await bulk.status(file, state_dir=tmp_path / "state")).summary
    assert 0 < stopped.sent < 80
    assert stopped.unknown == 0
    run = await bulk.send(file, sandbox=True, state_dir=tmp_path / "state", rate=80, burst=1)
    assert kernel.said[-1]["data"]["text/plain"] == "reminders, run default: 80 of 80 rows sent"
    assert (run.summary.sent, run.summary.sent_before) == (80, stopped.sent)
    assert [one["update"] for one in kernel.said[:2]] == [False, True]
    assert "<progress" in kernel.said[0]["data"]["text/html"]


def test_the_example_runs_in_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(ROOT / "input_examples" / "notebook.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    (tmp_path / "sms").mkdir()
    for name in ("campaign.toml", "contacts.csv"):
        (tmp_path / "sms" / name).write_bytes((ROOT / "input_examples" / "sms" / name).read_bytes())
    for name, place in (("IPYTHONDIR", "ipython"), ("JUPYTER_RUNTIME_DIR", "runtime")):
        monkeypatch.setenv(name, str(tmp_path / place))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    for code in ("await bulk.check('none.toml')", "%tb"):
        notebook.cells.append(nbformat.v4.new_code_cell(code, metadata={"tags": ["raises-exception"]}))
    nbclient.NotebookClient(
        notebook, timeout=60, shutdown_kernel="immediate", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    told = [cell["outputs"] for cell in notebook.cells if cell.cell_type == "code"]
    html = "".join(one.get("data", {}).get("text/html", "") for outputs in told for one in outputs)
    assert "would be sent" in html
    assert "REHEARSAL" in html
    assert "sent" in str(told[3])
    assert "+1702" not in str(told), "a notebook keeps what it shows: no destination is in it, in any form"
    (error,) = told[-2]
    assert len(error["traceback"]) == 1
    assert error["traceback"][0].startswith("CampaignError: ")
    assert "Traceback (most recent call last)" in str(told[-1])
