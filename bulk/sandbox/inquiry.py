"""A question to one of the services, and its resource."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bulk.sandbox.contact import ACCOUNT
from bulk.sandbox.directory import Directory
from bulk.sandbox.errors import ServiceError

Members = dict[str, Any]
MISSING = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a service: of which account, with which parameters, in which Region, under which access key."""

    directory: Directory
    parameters: Mapping[str, Any]
    region: str = "us-east-1"
    key: str = ""
    account: str = ACCOUNT

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def id(self, name: str) -> str:
        """Return the last part of an id that may be an ARN, without a version."""
        return last_part(str(self.parameters[name]))

    def arn(self, service: str, path: str) -> str:
        """Return the ARN of something in this account and Region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{path}"

    @property
    def who(self) -> str:
        """The ARN of whoever asks."""
        user = str(self.directory.key(self.key)["user"])
        service = "sts" if user.startswith("assumed-role/") else "iam"
        return user if user.startswith("arn:") else f"arn:aws:{service}::{self.account}:{user}"


def last_part(name: str) -> str:
    """Return the last part of an id that may be an ARN, without a version."""
    return name.rpartition("/")[2].partition(":")[0]


def not_found(kind: str, code: str = MISSING) -> NoReturn:
    raise ServiceError(code, f"Resource not found of Type: {kind}")
