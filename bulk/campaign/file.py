"""The campaign file: TOML, with the request in it or in a file of the AWS CLI beside it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bulk.campaign.tables import Campaign
from bulk.campaign.whereabouts import placed
from bulk.errors import CampaignError


def load(path: Path | str) -> tuple[Campaign, str]:
    """Read a campaign file: the campaign, and the text it was read from.

    Raises `CampaignError` naming file, line, key and remedy.
    """
    path = Path(path)
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"{path}: not TOML: {error}") from None
    if "folder" in data:
        raise CampaignError(placed("folder: no such key; paths are relative to the campaign file", path, text))
    if isinstance(data.get("request"), str):
        data["request"] = _request(path.parent / data["request"])
    try:
        return Campaign(**{**data, "folder": path.parent}), text
    except CampaignError as error:
        raise CampaignError(placed(str(error), path, text)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CampaignError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise CampaignError(f"{path}: cannot be read: {error.strerror}") from None


def _request(path: Path) -> Mapping[str, Any]:
    """Read the file that the AWS CLI takes with --cli-input-json or --cli-input-yaml."""
    text = _text(path)
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (ValueError, yaml.YAMLError) as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        raise CampaignError(f"{path}: not {kind}: {error}") from None
    if not isinstance(data, dict):
        raise CampaignError(f"{path}: holds no parameters; `aws connect … --generate-cli-skeleton` shows the shape")
    return data


class _Loader(yaml.SafeLoader):
    """YAML whose plain words stay the text they are wherever a number would lose of it: dates, `+1415…`, `007`, `no`.

    The AWS CLI reads YAML 1.2, where dates, `no` and `12:30` are text; PyYAML reads 1.1.
    """


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", [*"tTfF"]),
    ("int", r"-?(?:0|[1-9][0-9]*)\Z", [*"-0123456789"]),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z", [*"-0123456789"]),
    ("merge", r"<<\Z", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
