"""A list in S3, from the command line: whatever is done with it, it is fetched, read, and leaves nothing behind."""

from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, phone

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-west-2"}


@pytest.mark.parametrize(
    "words", [("check",), ("send", "--dry-run"), ("send", "--sandbox"), ("send", "--sandbox", "--limit", "1")]
)
def test_a_list_in_s3_is_read_whatever_is_done_with_it(words: tuple[str, ...], s3: str, tmp_path: Path) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace("contacts.csv", "s3://campaigns/today.csv"))
    (tmp_path / "scratch").mkdir()
    command, *options = words
    env = {**KEYS, "AWS_ENDPOINT_URL_S3": s3, "TMPDIR": str(tmp_path / "scratch")}
    ended = bulk(command, path.name, *options, "--json", cwd=tmp_path, **env)
    assert ended.code in {0, 4}, ended.err
    assert ended.json["rows"] == 3
    assert not any((tmp_path / "scratch").iterdir())


def test_a_list_in_s3_that_cannot_be_opened_leaves_nothing_behind(s3: str, tmp_path: Path) -> None:
    text = CAMPAIGN.replace("contacts.csv", "s3://campaigns/today.csv").replace("{{ name }}", "{{ nme }}")
    path = campaign(tmp_path, text=text)
    (tmp_path / "scratch").mkdir()
    env = {**KEYS, "AWS_ENDPOINT_URL_S3": s3, "TMPDIR": str(tmp_path / "scratch")}
    ended = bulk("check", path.name, cwd=tmp_path, **env)
    assert (ended.code, "'name'" in ended.err) == (2, True), ended.err
    assert not any((tmp_path / "scratch").iterdir())


def test_the_unknown_rows_of_a_list_in_s3_are_named_as_they_stand_in_it(
    s3: str, sandbox: Service, tmp_path: Path
) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace("contacts.csv", "s3://campaigns/today.csv"))
    sandbox.faults({"fault": "drop_after", "destinations": [phone(1)]})
    env = {**at(sandbox.url), "AWS_ENDPOINT_URL_S3": s3, "TMPDIR": str(tmp_path / "scratch")}
    (tmp_path / "scratch").mkdir()
    assert bulk("send", path.name, cwd=tmp_path, **env).code == 1
    listed = bulk("resolve", path.name, "--json", cwd=tmp_path, **env)
    assert [(one["row"], one["line"], one["key"]) for one in listed.json["unknown"]] == [(1, 3, "0001")], listed.err
    decided = bulk("resolve", path.name, "--mark-sent", "--line", "3", "--json", cwd=tmp_path, **env)
    assert (decided.code, decided.json["decided"], decided.json["unknown"]) == (0, 1, []), decided.err
    assert not any((tmp_path / "scratch").iterdir())
