"""A campaign that changed under its run: whoever only looks is told what `send` refuses."""

from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Ended, Service, at, bulk, campaign

TEXT = "request.InitialSystemMessage.Content"
NOTE = f"changed since run 'default' began: {TEXT}. `send` refuses that"


@pytest.fixture
def begun(tmp_path: Path, sandbox: Service) -> dict[str, str]:
    """The environment of somebody who sent to one person of three, and then changed the text."""
    campaign(tmp_path)
    env = at(sandbox.url)
    assert bulk("send", "campaign.toml", "--limit", "1", cwd=tmp_path, **env).code == 4
    (tmp_path / "campaign.toml").write_text(CAMPAIGN.replace("Hi {{", "Hello {{"))
    return env


def said(ended: Ended) -> str:
    return " ".join((ended.out + ended.err).split())


@pytest.mark.parametrize("words", [("check",), ("send", "--dry-run")])
def test_whoever_looks_is_told_what_send_refuses(tmp_path: Path, begun: dict[str, str], words: tuple[str, ...]) -> None:
    command, *options = words
    looked = bulk(command, "campaign.toml", *options, cwd=tmp_path, **begun)
    assert NOTE in said(looked)
    refused = bulk("send", "campaign.toml", cwd=tmp_path, **begun)
    assert (refused.code, TEXT in refused.err) == (2, True)


def test_looking_accepts_no_change(tmp_path: Path, begun: dict[str, str], sandbox: Service) -> None:
    for _ in range(2):
        bulk("check", "campaign.toml", cwd=tmp_path, **begun)
        bulk("send", "campaign.toml", "--dry-run", cwd=tmp_path, **begun)
    assert NOTE in said(bulk("check", "campaign.toml", cwd=tmp_path, **begun))
    assert bulk("send", "campaign.toml", cwd=tmp_path, **begun).code == 2
    assert sandbox.received() == 1


def test_what_is_accepted_or_belongs_to_another_run_is_not_told(tmp_path: Path, begun: dict[str, str]) -> None:
    accepted = bulk("send", "campaign.toml", "--dry-run", "--accept-changes", cwd=tmp_path, **begun)
    assert "changed since" not in said(accepted)
    assert "changed since" not in said(bulk("check", "campaign.toml", "--run", "another", cwd=tmp_path, **begun))
    assert "changed since" not in said(bulk("check", "campaign.toml", "--sandbox", cwd=tmp_path, **begun))
    assert bulk("send", "campaign.toml", "--accept-changes", cwd=tmp_path, **begun).code == 0
    assert "changed since" not in said(bulk("check", "campaign.toml", cwd=tmp_path, **begun))


@pytest.mark.parametrize(
    "before, after",
    [("", "opt_out_columns = []"), ('opt_out_columns = ["date"]', ""), ("", 'consent_columns = ["date"]')],
)
def test_a_change_of_which_columns_say_no_is_refused_until_it_is_accepted(
    tmp_path: Path, sandbox: Service, before: str, after: str
) -> None:
    env = at(sandbox.url)
    campaign(tmp_path, text=CAMPAIGN.replace('key = "id"', f'key = "id"\n{before}'))
    bulk("send", "campaign.toml", "--limit", "1", cwd=tmp_path, **env)
    assert bulk("send", "campaign.toml", "--limit", "1", cwd=tmp_path, **env).code in {0, 4}
    (tmp_path / "campaign.toml").write_text(CAMPAIGN.replace('key = "id"', f'key = "id"\n{after}'))
    path = f"list.{(before or after).partition(' ')[0]}"
    refused = bulk("send", "campaign.toml", cwd=tmp_path, **env)
    assert (refused.code, path in refused.err, "--accept-changes" in refused.err) == (2, True, True)
    assert path in said(bulk("check", "campaign.toml", cwd=tmp_path, **env))
    assert bulk("send", "campaign.toml", "--accept-changes", cwd=tmp_path, **env).code == 0
