"""Does a policy allow a request? "IAM User Guide", Policy evaluation logic, for policies of one identity.

An explicit Deny wins, else an Allow lets it pass, else it is denied. Actions and resources may hold * and ?; of the
conditions there are StringEquals, StringLike and their negations, also with IfExists.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from bulk.sandbox.errors import ServiceError

_TESTS = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")


@lru_cache(maxsize=4096)
def _pattern(text: str, *, folded: bool) -> re.Pattern[str]:
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in text)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if folded else 0))


def check(policy: object) -> None:
    """Raise `ValueError` where a policy is none, or asks for what is not known here."""
    if not isinstance(policy, Mapping) or "Statement" not in policy:
        raise ValueError(f"a policy is an object with Statement, {policy!r} is not")
    for statement in _list(policy["Statement"]):
        if not isinstance(statement, Mapping):
            raise ValueError(f"Statement: must be an object, is {statement!r}")  # noqa: TRY004 - a setting
        if statement.get("Effect") not in {"Allow", "Deny"}:
            raise ValueError(f"Effect: must be Allow or Deny, is {statement.get('Effect')!r}")
        for member in ("Action", "Resource"):
            if (member in statement) == (f"Not{member}" in statement):
                raise ValueError(f"Statement: needs either {member} or Not{member}")
        _check_conditions(statement.get("Condition") or {})


def _check_conditions(conditions: object) -> None:
    if not isinstance(conditions, Mapping):
        raise ValueError(f"Condition: must be an object, is {conditions!r}")  # noqa: TRY004 - a setting
    for test, wanted in conditions.items():
        if test.removesuffix("IfExists") not in _TESTS:
            raise ValueError(f"Condition.{test}: is not known here; there are {', '.join(_TESTS)}, also with IfExists")
        if not isinstance(wanted, Mapping):
            raise ValueError(f"Condition.{test}: must be an object, is {wanted!r}")  # noqa: TRY004 - a setting


def allows(policy: Mapping[str, Any] | None, action: str, resources: Iterable[str], context: Mapping[str, str]) -> str:
    """Return what the policy says: `allowed`, `implicitDeny` or `explicitDeny`, as IAM names it.

    Every one of the resources must be allowed; an action without any is asked for `*`.
    """
    if policy is None:
        return "allowed"
    decisions = [_decision(policy, action, resource, context) for resource in resources or ("*",)]
    if "explicitDeny" in decisions:
        return "explicitDeny"
    return "allowed" if all(one == "allowed" for one in decisions) else "implicitDeny"


def _decision(policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> str:
    effects = {
        statement.get("Effect")
        for statement in _list(policy.get("Statement"))
        if _applies(statement, action, resource, context)
    }
    return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        _named(statement, "Action", action, folded=True)
        and _named(statement, "Resource", resource, folded=False)
        and all(_meets(test, wanted, context) for test, wanted in (statement.get("Condition") or {}).items())
    )


def _named(statement: Mapping[str, Any], member: str, name: str, *, folded: bool) -> bool:
    if f"Not{member}" in statement:
        return not _any(statement[f"Not{member}"], name, folded=folded)
    return _any(statement.get(member), name, folded=folded)


def _any(patterns: Any, name: str, *, folded: bool) -> bool:
    return any(_pattern(str(one), folded=folded).fullmatch(name) for one in _list(patterns))


def _meets(test: str, wanted: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    lenient, kind = test.endswith("IfExists"), test.removesuffix("IfExists")
    known = {name.casefold(): value for name, value in context.items()}
    for key, values in wanted.items():
        value = known.get(key.casefold())
        if value is None:
            met = lenient or "Not" in kind
        elif kind.endswith("Like"):
            met = _any(values, value, folded=False) != ("Not" in kind)
        else:
            met = (value in map(str, _list(values))) != ("Not" in kind)
        if not met:
            return False
    return True


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def denial(who: str, action: str, resources: Iterable[str], decision: str) -> ServiceError:
    """Return the no to a request, in AWS's words."""
    because = (
        "with an explicit deny in an identity-based policy"
        if decision == "explicitDeny"
        else f"because no identity-based policy allows the {action} action"
    )
    resource = next(iter(resources), "*")
    message = f"User: {who} is not authorized to perform: {action} on resource: {resource} {because}"
    return ServiceError("AccessDeniedException", message, status=403)
