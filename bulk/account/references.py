"""The resources that a campaign names in its account. Those that a template names for each row are not known here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bulk.campaign import Campaign
from bulk.operations import at

ANY = "*"


def is_template(value: Any) -> bool:
    """Whether a value is made anew for each row."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def last_part(text: str) -> str:
    """Return the id in an ARN, or the id as it is."""
    return text.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class TemplateReference:
    """A message template that a campaign sends: `attributes` are those it fills in, None where rows say which."""

    path: str
    knowledge_base: str
    template: str
    attributes: frozenset[str] | None
    channel: str


@dataclass(frozen=True, slots=True)
class References:
    """The things of an account that a campaign names. A value that is a template stands as it is written."""

    campaign: Campaign
    region: str = ANY

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """The parameters by table."""
        return self.campaign.tables

    @property
    def operations(self) -> dict[str, str]:
        """The operations that are made for each row, by table."""
        return {table: name for table, name in self.campaign.channel_facts.OPERATIONS.items() if table in self.tables}

    @property
    def instance(self) -> str:
        """The id of the instance, `*` where it is not written down."""
        return self._id(self.tables["request"].get("InstanceId"))

    @property
    def flow(self) -> str | None:
        """The flow that runs, as it is written; None where there is none."""
        return self._text(self.tables["request"].get("ContactFlowId"))

    @property
    def sender(self) -> str | None:
        """The number (an ARN) or address that it comes from, or in an inbound email arrives at."""
        return self._text(at(self.tables["request"], *self.campaign.channel_facts.SENDER.split(".")))

    @property
    def is_numbered(self) -> bool:
        """Whether it comes from a phone number."""
        return self.campaign.channel_facts.KIND == "phone"

    @property
    def subtype(self) -> str | None:
        """The subtype of the contact, such as `connect:SMS`."""
        return self._text(at(self.tables["request"], "SegmentAttributes", "connect:Subtype", "ValueString"))

    @property
    def users(self) -> tuple[str, ...]:
        """The users whom contacts are assigned to."""
        named = [at(table, "UserInfo", "UserId") for table in self.tables.values()]
        flat = [one for value in named if value for one in (value if isinstance(value, list | tuple) else [value])]
        return tuple(dict.fromkeys(str(one) for one in flat))

    @property
    def template(self) -> TemplateReference | None:
        """The message template that is sent, where one is."""
        path = self.campaign.channel_facts.TEMPLATE
        found = at(self.tables["request"], *path.split(".")) if path else None
        if not isinstance(found, Mapping) or not found.get("MessageTemplateId"):
            return None
        filled = at(found, "TemplateAttributes", "CustomAttributes")
        names = frozenset(map(str, filled)) if isinstance(filled, Mapping) else None if filled else frozenset[str]()
        channel = (self.subtype or "").rpartition(":")[2].upper() if self.is_numbered else "EMAIL"
        base, template = str(found.get("KnowledgeBaseId", "")), str(found["MessageTemplateId"])
        return TemplateReference(str(path), base, template, names, channel)

    @property
    def account(self) -> str:
        """The account, as far as an ARN in the campaign tells; else `*`."""
        return next((arn[4] for arn in self._arns() if len(arn) > 4 and arn[4]), ANY)

    @property
    def place(self) -> str:
        """The Region: as it was given, else as an ARN in the campaign tells; else `*`."""
        return self.region if self.region != ANY else self.arn_region

    @property
    def arn_region(self) -> str:
        """The Region that an ARN in the campaign tells; `*` where none does."""
        return next((arn[3] for arn in self._arns() if len(arn) > 4 and arn[3]), ANY)

    @property
    def partition(self) -> str:
        """The partition of AWS."""
        return next((arn[1] for arn in self._arns() if len(arn) > 4), "aws")

    def arn(self, service: str, path: str) -> str:
        """Return the ARN of something of the account."""
        return f"arn:{self.partition}:{service}:{self.place}:{self.account}:{path}"

    def _arns(self) -> Iterator[list[str]]:
        named = (self.tables["request"].get("InstanceId"), self.flow, self.sender)
        return (one.split(":") for one in named if isinstance(one, str) and one.startswith("arn:") and "{" not in one)

    @staticmethod
    def _text(value: Any) -> str | None:
        return value if isinstance(value, str) and value else None

    @staticmethod
    def _id(value: Any) -> str:
        return last_part(value) if isinstance(value, str) and value and not is_template(value) else ANY
