"""What the pretend account has besides contacts: instances, flows, numbers, addresses, users, templates, quotas, keys.

A kind of thing that is not declared is there whenever it is asked for, and as it should be: so an account that nobody
declared says yes to everything. Of a kind that is declared there is only what is declared. The declaration is an
object, or a JSON or TOML file:

    account = "123456789012"

    [[flows]]
    id = "22222222-…"
    status = "SAVED"

    [keys.AKIAREADER]
    policy = { Statement = [{ Effect = "Allow", Action = "connect:Describe*", Resource = "*" }] }
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bulk.sandbox import policies
from bulk.sandbox.identity import is_account

Thing = dict[str, Any]

KINDS: Mapping[str, Mapping[str, Any]] = {
    "instances": {"id": "", "alias": "pretend", "status": "ACTIVE", "reason": "", "region": ""},
    "flows": {
        "id": "",
        "instance": "",
        "name": "pretend",
        "type": "CONTACT_FLOW",
        "state": "ACTIVE",
        "status": "PUBLISHED",
        "ends": True,
    },
    "numbers": {
        "id": "",
        "instance": "",
        "number": "+12065550100",
        "type": "DID",
        "status": "CLAIMED",
        "message": "",
        "source": None,
    },
    "sms_numbers": {
        "id": "",
        "number": "+12065550100",
        "status": "ACTIVE",
        "capabilities": ("SMS",),
        "two_way": True,
        "opt_out_list": "Default",
    },
    "addresses": {"address": "", "id": "pretend", "instance": ""},
    "users": {"id": "", "instance": "", "name": "pretend"},
    "knowledge_bases": {"id": "", "instance": ""},
    "templates": {
        "id": "",
        "knowledge_base": "",
        "channel": "",
        "attributes": (),
        "active": True,
        "version": 1,
    },
    "opt_out_lists": {"name": "", "numbers": ()},
    "suppressed": {"address": "", "reason": "BOUNCE"},
    "buckets": {"name": "", "objects": {}},
}
"""Kind → the members that a thing of it may have, and what each is where it is not said. The first names the thing."""

_KEY: Mapping[str, Any] = {"user": "user/pretend", "status": "active", "policy": None}
_TYPES: Mapping[type, tuple[Any, str]] = {
    str: (str, "a text"),
    type(None): (str | None, "a text"),
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    tuple: (list | tuple, "a list"),
    dict: (Mapping, "an object"),
}
_STATUSES = ("active", "expired", "unknown")
_SETTINGS = ("account", "quotas", "keys")


class Directory:
    """A declared account. Raises `ValueError` for a declaration that is wrong."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self.given: Mapping[str, Any] = dict(given or {})
        _check_names(self.given, (*_SETTINGS, *KINDS), "account")
        self.account: str | None = self.given.get("account")
        if self.account is not None and not is_account(self.account):
            raise ValueError(f"account.account: an account is 12 digits, {self.account!r} is not")
        self.quotas = _quotas(self.given.get("quotas"))
        self.keys = _keys(self.given.get("keys", {}))
        self._things = {kind: list(_things(kind, self.given[kind])) for kind in KINDS if kind in self.given}
        self._seen: str | None = None

    def is_declared(self, kind: str) -> bool:
        """Whether what there is of a kind was declared."""
        return kind in self._things

    def find(self, kind: str, name: str, **within: str) -> Thing | None:
        """Return a thing by its name, and by where it is; None where there is none."""
        if kind not in self._things:
            first = next(iter(KINDS[kind]))
            return {**KINDS[kind], first: name, **within}
        return next((thing for thing in self.all(kind) if _fits(thing, name, within)), None)

    def all(self, kind: str) -> list[Thing]:
        """Return the things of a kind, as far as they were declared."""
        return self._things.get(kind, [])

    def meet(self, instance: str) -> None:
        """Remember the instance that was asked about last: what was not declared is of that one."""
        self._seen = instance

    @property
    def instance(self) -> str | None:
        """The instance that undeclared things are of, where one is known."""
        declared = self.all("instances")
        return str(declared[0]["id"]) if declared else self._seen

    def key(self, name: str) -> Mapping[str, Any]:
        """Return an access key: who uses it, whether it is good, and its policy; None where it may do everything."""
        if name in self.keys or "*" in self.keys:
            return self.keys.get(name) or self.keys["*"]
        return _KEY


def read_file(path: Path) -> Mapping[str, Any]:
    """Read a declaration from a JSON or TOML file. Raises `ValueError` and `OSError`."""
    text = path.read_text("utf-8")
    try:
        given = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: neither JSON nor TOML as its name says: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"{path}: must hold an object")  # noqa: TRY004 - a setting
    return given


def _fits(thing: Thing, name: str, within: Mapping[str, str]) -> bool:
    first = next(iter(thing))
    is_it = str(thing[first]).casefold() == name.casefold()
    return is_it and all(not thing[member] or thing[member] == value for member, value in within.items())


def _things(kind: str, given: Any) -> Iterator[Thing]:
    if not isinstance(given, list | tuple):
        raise ValueError(f"account.{kind}: must be a list of objects, is {given!r}")  # noqa: TRY004 - a setting
    first = next(iter(KINDS[kind]))
    for place, thing in enumerate(given):
        where = f"{kind}[{place}]"
        if not isinstance(thing, Mapping):
            raise ValueError(f"account.{where}: must be an object, is {thing!r}")  # noqa: TRY004 - a setting
        _check_names(thing, KINDS[kind], where)
        _text(thing.get(first), f"{where}.{first}")
        for member, value in thing.items():
            wanted, words = _TYPES[type(KINDS[kind][member])]
            if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool):
                raise ValueError(f"account.{where}.{member}: must be {words}, is {value!r}")
        yield {**KINDS[kind], **thing}


def _keys(given: Any) -> dict[str, Mapping[str, Any]]:
    if not isinstance(given, Mapping):
        raise ValueError(f"account.keys: must be an object of keys, is {given!r}")  # noqa: TRY004 - a setting
    for name, key in given.items():
        if not isinstance(key, Mapping):
            raise ValueError(f"account.keys.{name}: must be an object, is {key!r}")  # noqa: TRY004 - a setting
        _check_names(key, _KEY, f"keys.{name}")
        if key.get("status", "active") not in _STATUSES:
            raise ValueError(f"account.keys.{name}.status: there are {', '.join(_STATUSES)}")
        try:
            policies.check(key.get("policy") or {"Statement": ()})
        except ValueError as error:
            raise ValueError(f"account.keys.{name}.policy: {error}") from None
    return {name: {**_KEY, **key} for name, key in given.items()}


def _quotas(given: Any) -> dict[str, float | None] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or any(
        isinstance(value, bool) or not isinstance(value, int | float) for value in given.values()
    ):
        raise ValueError(f"account.quotas: must be an object of numbers by quota code or name, is {given!r}")
    return dict(given)


def _check_names(given: Mapping[str, Any], known: Any, where: str) -> None:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{where}.{unknown[0]}: there is no such key; there are {', '.join(known)}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"account.{where}: must be a text, is {value!r}")
    return value
