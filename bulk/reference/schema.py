"""The JSON Schema of a campaign file, for editors: its keys, their values, and what the reference says of each.

Draft 2020-12 as pydantic writes it; `[request]` and its sisters get the parameters of the operation that the channel
calls. Their values are left open: any of them may be a template.
"""

from collections.abc import Iterator
from typing import Any

from bulk.campaign import Campaign
from bulk.channels import CHANNELS, Channel
from bulk.operations import operation
from bulk.reference.entries import Entry, entries

FILE = "campaign.schema.json"

_TABLE = "parameters in AWS's own names, or a JSON or YAML file that holds them"


def campaign_schema() -> dict[str, Any]:
    """Return the schema, as a value for `json.dumps`."""
    schema = Campaign.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "A campaign of bulk"
    schema["properties"]["channel"] = {"enum": list(CHANNELS)}
    for table in ("request", *Campaign.gathered()):
        schema["properties"][table] = {"type": ["object", "string"], "description": _TABLE}
    schema["allOf"] = [_of_channel(name, channel) for name, channel in CHANNELS.items()]
    for entry in entries():
        if entry.page == "campaign":
            for key in _keys(schema, entry):
                key["description"] = entry.meaning
    return schema


def _of_channel(name: str, channel: Channel) -> dict[str, Any]:
    """Return what holds for one channel: the parameters that its tables may have."""
    tables = {table: {"properties": _members(called)} for table, called in channel.OPERATIONS.items()}
    return {"if": {"properties": {"channel": {"const": name}}}, "then": {"properties": tables}}


def _members(name: str) -> dict[str, Any]:
    return {member: {"description": f"a parameter of {name}"} for member in operation(name).members}


def _keys(schema: dict[str, Any], entry: Entry) -> Iterator[dict[str, Any]]:
    """Yield the places of a schema that describe the key of an entry."""
    tables = [_resolved(schema, schema["properties"][table]) for table in entry.tables] or [schema]
    for table in tables:
        key = table["properties"].get(entry.name)
        if key is not None and "$ref" in key:
            key = table["properties"][entry.name] = {"allOf": [dict(key)]}
        if key is not None:
            yield key


def _resolved(schema: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    name = table.get("$ref", "").rsplit("/", 1)[-1]
    found: dict[str, Any] = schema["$defs"][name] if name else table
    return found
