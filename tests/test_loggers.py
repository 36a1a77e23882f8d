"""Whatever the program logs goes to one logger, by whose name a program that uses it turns it on and off."""

import importlib
import re
from pathlib import Path

import pytest

import bulk

LOGGING = """
bulk.aws.connect bulk.aws.credentials bulk.aws.lookups bulk.aws.objects bulk.cli.screen bulk.cluster.members
bulk.cluster.processes bulk.cluster.worker bulk.delivery.call_runner bulk.run.budget bulk.run.consent bulk.run.halt
bulk.run.opt_outs bulk.run.own_list_place bulk.run.places bulk.run.remote_state bulk.run.report bulk.run.results
bulk.run.send bulk.run.send_all bulk.run.send_pass bulk.run.start bulk.run.state_place
bulk.run.track bulk.run.wiring
"""


@pytest.mark.parametrize("name", LOGGING.split())
def test_a_module_logs_under_the_programs_name(name: str) -> None:
    assert importlib.import_module(name).log.name == "bulk"


def test_no_other_module_has_a_logger_of_its_own() -> None:
    home = Path(bulk.__file__).parent
    files = [path for path in home.rglob("*.py") if re.search(r"^log = ", path.read_text(), re.MULTILINE)]
    assert {".".join(path.relative_to(home.parent).with_suffix("").parts) for path in files} == set(LOGGING.split())
