"""The message that a person would have received, read from a contact's requests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

from bulk.sandbox.contact import Contact
from bulk.sandbox.segments import split

_SUBTYPES = {"connect:SMS": "sms", "connect:WhatsApp": "whatsapp"}
_BLOCKS = frozenset(["blockquote", "br", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "tr"])
_UNSEEN = frozenset({"script", "style", "title", "template"})


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in. `html` is the mail's HTML as it was sent: hostile until shown in a frame of its own."""

    kind: str
    sender: str = ""
    subject: str = ""
    text: str = ""
    html: str | None = None
    copies: Mapping[str, list[str]] = field(default_factory=dict)
    template: Any = None

    @property
    def preview(self) -> str:
        """Return its beginning, on one line."""
        text = f"{self.subject} – {self.text}" if self.subject else self.text
        return " ".join(text[:400].split())[:140]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the HTML; an SMS with its segments."""
        shown: dict[str, Any] = {"Kind": self.kind, "Sender": self.sender, "Subject": self.subject, "Text": self.text}
        shown |= {"Copies": dict(self.copies), "Template": self.template, "HasHtml": self.html is not None}
        if self.kind == "sms":
            shown["Encoding"], shown["Segments"] = split(self.text)
        return shown


def receive(contact: Contact, parameters: Any, message: Any, made: Mapping[str, Any] | None = None) -> Received:
    """Return what the person got: `parameters` is the request that made the contact, `message` that of its mail.

    `made` is what its message template made of it, None where that is not known.
    """
    received = _plain(contact, parameters, message)
    if made is None:
        return received
    subject, html = str(made["Subject"] or ""), made["Html"]
    text = str(made["Text"] or (text_of(html) if html else ""))
    return replace(received, subject=subject, text=text, html=html)


def _plain(contact: Contact, parameters: Any, message: Any) -> Received:
    if contact.channel == "CHAT":
        return _chat(parameters or {})
    if contact.channel == "EMAIL":
        inbound = contact.method == "INBOUND"
        mail = message or (parameters if contact.operation == "StartEmailContact" else None)
        return _mail(mail, "inbound-email" if inbound else "email") if mail else Received("draft")
    return Received(contact.channel.lower())


def _chat(parameters: Mapping[str, Any]) -> Received:
    subtype = _at(parameters, "SegmentAttributes", "connect:Subtype", "ValueString")
    return Received(
        kind=_SUBTYPES.get(str(subtype), "chat"),
        sender=str(_at(parameters, "SourceEndpoint", "Address") or ""),
        text=str(_at(parameters, "InitialSystemMessage", "Content") or ""),
        template=parameters.get("InitialTemplatedSystemMessage"),
    )


def _mail(mail: Mapping[str, Any], kind: str) -> Received:
    raw = _at(mail, "EmailMessage", "RawMessage") or {}
    body, is_html = str(raw.get("Body") or ""), str(raw.get("ContentType", "")).lower() != "text/plain"
    return Received(
        kind=kind,
        sender=_address(mail.get("FromEmailAddress")),
        subject=str(raw.get("Subject") or ""),
        text=text_of(body) if is_html else body,
        html=body if is_html and raw else None,
        copies=_copies(mail.get("AdditionalRecipients") or {}),
        template=_at(mail, "EmailMessage", "TemplatedMessageConfig"),
    )


def _copies(recipients: Mapping[str, Any]) -> dict[str, list[str]]:
    lists = {"Cc": "CcEmailAddresses", "Bcc": "BccEmailAddresses"}
    return {name: [_address(one) for one in recipients[key]] for name, key in lists.items() if recipients.get(key)}


def _address(given: Any) -> str:
    if not isinstance(given, Mapping):
        return str(given or "")
    name, address = given.get("DisplayName"), str(given.get("EmailAddress") or "")
    return f"{name} <{address}>" if name else address


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def text_of(html: str) -> str:
    """Return an HTML body as a reader without HTML sees it: text, a line for each block, links with their address."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.parts.append("\n")
        if tag == "a":
            self._link = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS and tag not in {"br", "hr"}:
            self.parts.append("\n")
        if tag == "a" and self._link:
            self.parts.append(f" ({self._link})")
            self._link = ""

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data.replace("\n", " "))
