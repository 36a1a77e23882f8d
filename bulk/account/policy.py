"""Permissions as an IAM policy. The same campaign always gives the same text."""

from collections.abc import Iterable
from typing import Any

from bulk.account.permissions import Permission

VERSION = "2012-10-17"


def policy(permissions: Iterable[Permission]) -> dict[str, Any]:
    """Return a policy document that grants these permissions and nothing else ("IAM User Guide", JSON elements)."""
    return {"Version": VERSION, "Statement": [_statement(one) for one in permissions]}


def _statement(one: Permission) -> dict[str, Any]:
    told = {"Sid": one.name, "Effect": "Allow", "Action": list(one.actions), "Resource": list(one.resources)}
    conditions = {test: dict(keys) for test, keys in one.conditions.items()}
    return told | ({"Condition": conditions} if conditions else {})
