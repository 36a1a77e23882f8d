"""The order in which a call meets the pretend Amazon Connect, as a function of the call and of now.

A call is counted; a fault may keep it from being seen at all. Then: its signature's form and scope; the rate
of its operation; an error that was ordered; its body; the model; the documentation; and then its token,
quotas and effect. What a fault does to the answer (lost, late, never) comes last, because by then the service
has done its work.
"""

import json
import math
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bulk.sandbox import api, checks, handlers
from bulk.sandbox.admission import admit
from bulk.sandbox.contact import Request
from bulk.sandbox.effects import Effect, Plan
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.fault_config import declare
from bulk.sandbox.faults import Declaration, Faults
from bulk.sandbox.quotas import Bucket, Quotas
from bulk.sandbox.services import Services
from bulk.sandbox.state import Contacts, Limits
from bulk.sandbox.storage import Storage

_CREDENTIAL = re.compile(r"AWS4-\S+ +Credential=[^/\s]+/[0-9]{8}/([^/\s]+)/([^/\s]+)/aws4_request\b")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
_TIMES_KEPT = 1_000_000
_QUOTA_KEYS = frozenset({"rate", "burst", "quotas", "open_contacts", "ends_after"})


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to an operation."""

    operation: api.Operation
    body: bytes = b""
    path: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, how late, and what becomes of it: `fate` drops it or keeps it back."""

    status: int = 200
    body: bytes = b"{}"
    code: str | None = None
    delay: float = 0.0
    fate: Effect = Effect.SERVED


@dataclass(slots=True)
class Calls:
    """The calls of one operation.

    Each one received is counted as one of the others; one whose answer was lost is counted as `dropped`
    besides.
    """

    received: int = 0
    accepted: int = 0
    replayed: int = 0
    throttled: int = 0
    failed: int = 0
    dropped: int = 0
    received_at: "array[float]" = field(default_factory=lambda: array("d"))

    def receive(self, now: float) -> None:
        self.received += 1
        self.received_at.append(now)
        if len(self.received_at) > _TIMES_KEPT:
            del self.received_at[: _TIMES_KEPT // 2]

    def as_dict(self) -> dict[str, Any]:
        names = ("received", "accepted", "replayed", "throttled", "failed", "dropped")
        return {name: getattr(self, name) for name in names} | {"received_at": self.received_at.tolist()}


@dataclass(slots=True)
class Settings:
    """How the pretend account is set up."""

    quotas: Quotas = field(default_factory=Quotas)
    limits: Limits = field(default_factory=Limits)
    faults: Declaration = field(default_factory=Declaration)


class Account:
    """The pretend account: its contacts, buckets and faults, and what was called."""

    def __init__(self, settings: Settings, now: float, storage: Storage | None = None) -> None:
        self.api = api.load()
        self.settings = settings
        self.services = Services()
        _known_operations(settings.quotas.operations)
        self.contacts = Contacts(settings.limits, storage)
        self._start(now)

    def reset(self, now: float) -> None:
        """Forget contacts, tokens and calls, fill the buckets, let the faults begin anew; settings stay."""
        self.contacts.clear()
        self._start(now)

    def _start(self, now: float) -> None:
        self.calls = {name: Calls() for name in self.api.operations}
        self.faults = Faults(self.settings.faults, now)
        self._buckets = {name: Bucket(*self.settings.quotas.of(name), now) for name in self.api.operations}

    def set_faults(self, given: Mapping[str, Any], now: float) -> None:
        """Declare the faults from here on, counted from now; raises `ValueError` for a wrong declaration."""
        declaration = declare(given, operations=self.api.operations, statuses=self.api.statuses)
        self.settings.faults, self.faults = declaration, Faults(declaration, now)

    def set_quotas(self, given: Mapping[str, Any], now: float) -> None:
        """Change `rate`, `burst`, `quotas`, `open_contacts`, `ends_after`, as given; raises `ValueError`."""
        if unknown := sorted(set(given) - _QUOTA_KEYS):
            raise ValueError(f"{unknown[0]}: there is no such key; there are {', '.join(sorted(_QUOTA_KEYS))}")
        quotas = self.settings.quotas.change(given)
        _known_operations(quotas.operations)
        limits = self.settings.limits
        changed = {name: given[name] for name in ("open_contacts", "ends_after") if name in given}
        self.settings.limits = self.contacts.limits = replace(limits, **changed)
        self.settings.quotas = quotas
        for name, bucket in self._buckets.items():
            bucket.change(*quotas.of(name), now)

    def quotas(self) -> dict[str, Any]:
        """Return what holds now, by operation; a null rate is unlimited."""
        pairs = {name: self.settings.quotas.of(name) for name in self.api.operations}
        limits = self.settings.limits
        return {
            "quotas": {name: [None if rate == math.inf else rate, burst] for name, (rate, burst) in pairs.items()},
            "open_contacts": dict(limits.open_contacts),
            "ends_after": limits.ends_after,
        }

    def answer(self, call: Call, now: float) -> Answer:
        """Serve one call."""
        name, count = call.operation.name, self.calls[call.operation.name]
        count.receive(now)
        parameters, trouble = _parse(call)
        plan = self.faults.plan(name, handlers.destination(name, parameters), now)
        if plan.fate is Effect.DROP_BEFORE:
            count.dropped += 1
            return Answer(fate=plan.fate, delay=plan.delay)
        try:
            region = self._let_in(call, plan, now)
            if trouble is not None:
                raise trouble
            members, replayed = self._serve(call, parameters, region=region, now=now)
        except ServiceError as error:
            return self._settle(count, plan, self._refusal(error))
        count.replayed += replayed
        count.accepted += not replayed
        return self._settle(count, plan, Answer(body=json.dumps(members).encode()))

    def _let_in(self, call: Call, plan: Plan, now: float) -> str:
        region = signed_region(call.authorization)
        if not self._buckets[call.operation.name].take(now):
            raise ServiceError(self.settings.faults.throttle_code, "Rate exceeded", status=429)
        if plan.fate is Effect.THROTTLE:
            raise ServiceError(plan.code, "Rate exceeded", status=plan.status or 429)
        if plan.fate is Effect.ERROR:
            raise ServiceError(plan.code, plan.message, status=plan.status)
        return region

    def _serve(self, call: Call, parameters: dict[str, Any], *, region: str, now: float) -> tuple[dict[str, Any], bool]:
        operation = call.operation
        operation.validate(parameters)
        admit(self.services, call.authorization, operation.name, parameters)
        checks.CHECKS[operation.name](parameters)
        self.contacts.require_instance(parameters["InstanceId"])
        request = Request(operation.name, parameters, call.body, region)
        with self.contacts.kept_whole():
            return handlers.OPERATIONS[operation.name](self.contacts, request, now)

    def _settle(self, count: Calls, plan: Plan, answer: Answer) -> Answer:
        lost = plan.fate in {Effect.DROP_AFTER, Effect.HANG}
        count.dropped += lost
        count.throttled += answer.status == 429 and answer.code != "LimitExceededException"
        count.failed += answer.status != 200 and (answer.status != 429 or answer.code == "LimitExceededException")
        return replace(answer, delay=plan.delay, fate=plan.fate if lost else Effect.SERVED)

    def _refusal(self, error: ServiceError) -> Answer:
        status = error.status or self.api.statuses.get(error.code, 400)
        if not error.code:
            return Answer(status, b"")
        return Answer(status, error_body(error), code=error.code)


def error_body(error: ServiceError) -> bytes:
    """Write an error as AWS's restJson1 does; some clients read `Message`, some `message`."""
    return json.dumps({"Message": error.message, "message": error.message, **error.members}).encode()


def signed_region(authorization: str | None) -> str:
    """Read the Region a request is signed for, or raise where it is not signed, or for another service.

    The signature itself is not checked.
    """
    if not authorization:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _CREDENTIAL.match(authorization)
    if found is None:
        raise ServiceError("IncompleteSignatureException", "The Authorization header is not a Signature Version 4.")
    if found[2] != "connect":
        raise ServiceError("InvalidSignatureException", "Credential should be scoped to correct service: 'connect'.")
    if not _REGION.fullmatch(found[1]):
        raise ServiceError("InvalidSignatureException", "Credential should be scoped to a valid region.")
    return found[1]


def _parse(call: Call) -> tuple[dict[str, Any], ServiceError | None]:
    try:
        return call.operation.parse(call.body, call.path), None
    except ServiceError as trouble:
        return {}, trouble


def _known_operations(named: Mapping[str, Any]) -> None:
    for name in named:
        if name not in api.OPERATIONS:
            raise ValueError(f"quotas.{name}: there is no such operation; there are {', '.join(api.OPERATIONS)}")
