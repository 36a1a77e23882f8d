"""The campaign file: TOML, with the request in it or in a separate file of the AWS CLI."""

import json
import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from bulk.campaign.bounds import check_aliases, check_keys, check_values, text_of
from bulk.campaign.locations import placed
from bulk.campaign.schema import Campaign
from bulk.errors import CampaignError
from bulk.text.outside import outside_text

_LISTS = frozenset(
    [".csv", ".tsv", ".psv", ".tab", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".ndjson", ".jsonl"]
)
_A_LIST = (
    "{path}: a contact list, and no campaign. `bulk init --from {quoted}` writes a campaign for it; "
    "for a campaign that is there, give the list with --contacts {quoted}"
)


def load(path: Path | str) -> tuple[Campaign, str]:
    """Read a campaign file: the campaign, and the text it was read from.

    Raises `CampaignError` naming file, line, key and remedy.
    """
    path = Path(path)
    try:
        text = text_of(path)
        data = _parsed(_toml, text, path, "TOML")
    except CampaignError:
        if path.is_file() and _LISTS & {suffix.lower() for suffix in path.suffixes}:
            raise CampaignError(_A_LIST.format(path=path, quoted=shlex.quote(str(path)))) from None
        raise
    for name in ("folder", "files", "further"):
        if name in data:
            raise CampaignError(placed(f"{name}: no such key; paths are relative to the campaign file", path, text))
    files = [path]
    if isinstance(data.get("request"), str):
        files.append(path.parent / data["request"])
        data["request"] = _request(files[-1])
    try:
        return Campaign(**{**data, "folder": path.parent, "files": tuple(files)}), text
    except CampaignError as error:
        raise CampaignError(placed(str(error), path, text)) from None


def _request(path: Path) -> Mapping[str, Any]:
    """Read the file that the AWS CLI takes with --cli-input-json or --cli-input-yaml."""
    text = text_of(path)
    data = _parsed(json.loads, text, path, "JSON") if path.suffix == ".json" else _parsed(_yaml, text, path, "YAML")
    if not isinstance(data, dict):
        raise CampaignError(f"{path}: holds no parameters; `aws connect … --generate-cli-skeleton` shows the shape")
    return data


def _parsed(parse: Callable[[str], Any], text: str, path: Path, kind: str) -> Any:
    """Parse a text. Whatever a parser makes of what it was not made for becomes a sentence."""
    try:
        data = parse(text)
        check_values(data)
    except (ValueError, yaml.YAMLError) as error:
        raise CampaignError(f"{path}: not {kind}: {outside_text(error)}") from None
    except (RecursionError, MemoryError, OverflowError):
        raise CampaignError(
            f"{path}: not {kind} that can be read: it is nested too deeply, or holds too much"
        ) from None
    return data


def _toml(text: str) -> dict[str, Any]:
    check_keys(text)
    return tomllib.loads(text)


def _yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        check_aliases(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


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
