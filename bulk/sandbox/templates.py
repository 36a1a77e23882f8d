"""Message templates: a folder of them, and the rendered message for a person.

Each `.json` file is a template in the shape of `qconnect` (Agent assist API Reference, "GetMessageTemplate"): what
`aws qconnect get-message-template` prints, or what `create-message-template` takes. A file without an id of its own is
known by its name without `.json`; one without a knowledge base is in every one.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulk.sandbox import handlebars
from bulk.sandbox.contact import ACCOUNT, Contact, Request
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.template_file import mapped, read
from bulk.sandbox.template_search import search
from bulk.sandbox.template_values import Values

Config = Mapping[str, Any]
"""A `TemplatedMessageConfig`."""

_BASE = str(uuid.UUID(int=0))
_KEPT = ("description", "language", "groupingConfiguration", "defaultAttributes", "attachments", "tags")


@dataclass(frozen=True, slots=True)
class Template:
    """One template: the name of its file, what is in it, and its texts, parsed, by their place."""

    stem: str
    data: Mapping[str, Any]
    parts: Mapping[str, list[handlebars.Part]]
    modified_at: float = 0.0

    @property
    def id(self) -> str:
        return self.data.get("messageTemplateId") or (
            _uuid(self.stem) or str(uuid.uuid5(uuid.NAMESPACE_URL, self.stem))
        )

    @property
    def knowledge_base(self) -> str | None:
        return self.data.get("knowledgeBaseId")

    @property
    def version(self) -> int:
        return int(self.data.get("versionNumber") or 1)

    def summary(self, base: str, region: str) -> dict[str, Any]:
        """Return it as SearchMessageTemplates lists it."""
        at = datetime.fromtimestamp(int(self.modified_at), UTC).isoformat().replace("+00:00", "Z")
        arn = f"arn:aws:wisdom:{region}:{ACCOUNT}"
        return {
            "messageTemplateArn": f"{arn}:message-template/{base}/{self.id}",
            "messageTemplateId": self.id,
            "knowledgeBaseArn": f"{arn}:knowledge-base/{base}",
            "knowledgeBaseId": base,
            "name": self.data.get("name") or self.stem,
            "channelSubtype": self.data["channelSubtype"],
            "createdTime": at,
            "lastModifiedTime": at,
            "lastModifiedBy": f"arn:aws:iam::{ACCOUNT}:root",
            "isActive": True,
            "versionNumber": self.version,
        } | {name: self.data[name] for name in _KEPT if name in self.data and name != "defaultAttributes"}

    def whole(self, base: str, region: str) -> dict[str, Any]:
        """Return it as GetMessageTemplate does."""
        content = self.data["content"]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        more = {name: self.data[name] for name in _KEPT if name in self.data}
        kinds = sorted({kind for path in self.wanted() if (kind := Values.kind(path))})
        shown = {"content": content, "messageTemplateContentSha256": digest, "attributeTypes": kinds}
        return self.summary(base, region) | more | shown

    def wanted(self) -> Iterator[str]:
        """Yield the paths that want a value."""
        for parts in self.parts.values():
            yield from handlebars.paths(parts)

    def render(self, values: Values) -> tuple[dict[str, Any], list[str]]:
        """Return the content with values put in, and the paths that have none."""
        missing: list[str] = []
        content = mapped(self.data["content"], "", lambda text, place: self._put_in(text, place, values, missing))
        return content, list(dict.fromkeys(missing))

    def _put_in(self, text: str, place: str, values: Values, missing: list[str]) -> str:
        parts = self.parts.get(place)
        if parts is None:
            return text
        return handlebars.render(parts, values.look_up, escaped=".html." in place, missing=missing)


class Templates:
    """The templates of a folder."""

    def __init__(self, folder: Path) -> None:
        """Read them. Raise `ValueError` with file and key where one is none, `OSError` without the folder."""
        if not folder.is_dir():
            raise NotADirectoryError(20, "there is no such folder of templates", str(folder))
        self._templates = [
            Template(path.stem, *read(path), path.stat().st_mtime) for path in sorted(folder.rglob("*.json"))
        ]
        self._by_name = {template.stem: template for template in self._templates}
        self._by_name |= {template.id: template for template in self._templates}

    def find(self, base: str, name: str) -> Template:
        """Return a template by its id, ARN or file name, perhaps with `:$LATEST` or a version behind it."""
        name, _, qualifier = name.rpartition("/")[2].partition(":")
        template = self._by_name.get(name)
        known = template is not None and template.knowledge_base in {None, base.rpartition("/")[2]}
        if template is None or not known or (qualifier.isdecimal() and int(qualifier) != template.version):
            raise ServiceError("ResourceNotFoundException", "There is no such message template in this knowledge base.")
        return template

    def require(self, config: Config) -> None:
        """Raise `ServiceError` where a message names a template that there is not."""
        self.find(config["KnowledgeBaseId"], config["MessageTemplateId"])

    def resolve(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return parameters of `qconnect` in which what a file's name stands for is an id, as its model wants it."""
        base, name = str(parameters.get("knowledgeBaseId")), parameters.get("messageTemplateId")
        resolved = dict(parameters)
        if not base.startswith("arn:") and all(template.knowledge_base is None for template in self._templates):
            resolved["knowledgeBaseId"] = _uuid(base) or _BASE
        if isinstance(name, str) and (template := self._by_name.get(name.partition(":")[0])) is not None:
            resolved["messageTemplateId"] = name.replace(name.partition(":")[0], template.id, 1)
        return resolved

    def answer(self, request: Request) -> dict[str, Any]:
        """Answer a call of `qconnect`."""
        parameters = request.parameters
        base = parameters["knowledgeBaseId"].rpartition("/")[2]
        if request.operation == "SearchMessageTemplates":
            there = [one for one in self._templates if one.knowledge_base in {None, base}]
            return search([one.summary(base, request.region) for one in there], parameters)
        template = self.find(base, parameters["messageTemplateId"])
        if request.operation == "GetMessageTemplate":
            return {"messageTemplate": template.whole(base, request.region)}
        values = Values.over(template.data.get("defaultAttributes"), parameters["attributes"])
        content, missing = template.render(values)
        return {"content": content, "attributesNotInterpolated": missing}

    def received(self, contact: Contact) -> dict[str, Any] | None:
        """Return what the person of a contact would have received by its template; None where there is none."""
        request = json.loads(contact.mail) if contact.mail is not None else contact.parameters
        config = request.get("InitialTemplatedSystemMessage")
        config = config or (request.get("EmailMessage") or {}).get("TemplatedMessageConfig")
        if not config:
            return None
        try:
            template = self.find(config["KnowledgeBaseId"], config["MessageTemplateId"])
        except ServiceError:
            return None
        given = Values.of_request(request, config, contact.destination, profile_of(config))
        content, missing = template.render(Values.over(template.data.get("defaultAttributes"), given))
        return _message(content) | {"Missing": missing}


def profile_of(config: Config) -> dict[str, Any]:
    """Read the attributes of a customer profile in a message: JSON in a text. Raise `ServiceError` where it is none."""
    text = (config.get("TemplateAttributes") or {}).get("CustomerProfileAttributes")
    try:
        profile = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        profile = None
    if not isinstance(profile, dict):
        raise ServiceError("InvalidRequestException", "TemplateAttributes.CustomerProfileAttributes: must be JSON.")
    return profile


def _message(content: Mapping[str, Any]) -> dict[str, Any]:
    email = content.get("email") or {}
    body = email.get("body") or (content.get("sms") or {}).get("body") or {}
    whatsapp = (content.get("whatsApp") or {}).get("data")
    return {
        "Subject": email.get("subject"),
        "Text": (body.get("plainText") or {}).get("content") or whatsapp,
        "Html": (body.get("html") or {}).get("content"),
        "Headers": email.get("headers") or [],
    }


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
