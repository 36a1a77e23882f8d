"""The steps of a call in the pretend Amazon Connect, as a function of the call and the time.

A call is counted; a fault may keep it from being seen at all. Then: its signature's form and scope; the rate
of its operation; an error that was ordered; its body; the model; the documentation; and then its token,
quotas and effect. What a fault does to the answer (lost, late, never) comes last, because by then the service
has done its work.
"""

import json
import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from bulk.sandbox import api, checks, handlers
from bulk.sandbox.admission import admit
from bulk.sandbox.calls import Calls
from bulk.sandbox.contact import Request
from bulk.sandbox.effects import Effect, Plan
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.fault_config import declare
from bulk.sandbox.faults import Declaration, Faults
from bulk.sandbox.identity import check_accounts, read_scope
from bulk.sandbox.quotas import Bucket, Quotas
from bulk.sandbox.refusals import Refusals
from bulk.sandbox.services import Services
from bulk.sandbox.signature import Signed, verify
from bulk.sandbox.state import LIVES, Contacts, Limits
from bulk.sandbox.storage import Storage
from bulk.sandbox.templates import Templates

_LIMITS = ("open_contacts", "ends_after", "instances", "search_delay", "expires_after", "answers")
_QUOTA_KEYS = frozenset({"rate", "burst", "quotas", *_LIMITS})


class Call(NamedTuple):
    """One HTTP request to an operation. `path` has the members of its path and query; `temporary`: by such a key.

    `signed` is what was signed, where that is to be checked.
    """

    operation: api.Operation
    body: bytes = b""
    path: Mapping[str, Any] = MappingProxyType({})
    authorization: str | None = None
    temporary: bool = False
    signed: Signed | None = None


class Answer(NamedTuple):
    """What is answered, how late, and what becomes of it: `fate` drops it or keeps it back."""

    status: int = 200
    body: bytes = b"{}"
    code: str | None = None
    delay: float = 0.0
    fate: Effect = Effect.SERVED


@dataclass(slots=True)
class Settings:
    """How the pretend Amazon Connect is set up. Where there are `secrets`, each signature must be by one of them."""

    quotas: Quotas = field(default_factory=Quotas)
    limits: Limits = field(default_factory=Limits)
    faults: Declaration = field(default_factory=Declaration)
    accounts: Mapping[str, str] = field(default_factory=dict)
    secrets: Collection[str] = ()
    lenient: bool = False
    templates: Templates | None = None


class Account:
    """The pretend account: its contacts, buckets and faults, and what was called."""

    def __init__(self, settings: Settings, now: float, storage: Storage | None = None) -> None:
        self.api = api.load(lenient=settings.lenient, templates=settings.templates is not None)
        self.settings = settings
        settings.accounts = check_accounts(settings.accounts)
        self.services = Services(settings.accounts)
        self._require_known(settings.quotas)
        self.contacts = Contacts(settings.limits, storage)
        self.refusals = Refusals()
        self._start(now)

    def reset(self, now: float) -> None:
        """Forget contacts, tokens and calls, fill the buckets, let the faults begin anew; settings stay."""
        self.contacts.clear()
        self._start(now)

    def _start(self, now: float) -> None:
        self.calls = {name: Calls() for name in self.api.operations}
        self.refusals.clear()
        self.faults = Faults(self.settings.faults, now)
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def set_faults(self, given: Mapping[str, Any], now: float) -> None:
        """Declare the faults from here on, counted from now; raises `ValueError` for a wrong declaration."""
        declaration = declare(given, operations=self.api.operations, statuses=self.api.statuses)
        self.settings.faults, self.faults = declaration, Faults(declaration, now)

    def set_quotas(self, given: Mapping[str, Any], now: float) -> None:
        """Change `rate`, `burst`, `quotas`, and `_LIMITS`, as given; raises `ValueError`."""
        if unknown := sorted(set(given) - _QUOTA_KEYS):
            raise ValueError(f"{unknown[0]}: there is no such key; there are {', '.join(sorted(_QUOTA_KEYS))}")
        quotas = self.settings.quotas.change(given)
        self._require_known(quotas)
        limits = self.settings.limits
        changed = {name: given[name] for name in _LIMITS if name in given}
        self.settings.limits = self.contacts.limits = replace(limits, **changed)
        self.settings.quotas = quotas
        for (name, account, region), bucket in self._buckets.items():
            bucket.change(*quotas.of(name, account, region), now)

    def quotas(self) -> dict[str, Any]:
        """Return what holds now, by operation, and for accounts and Regions where it differs; null is unlimited."""
        quotas = self.settings.quotas
        pairs = {name: quotas.of(name) for name in self.api.operations}
        pairs |= {name: pair for name, pair in quotas.operations.items() if "/" in name}
        limits = self.settings.limits
        return {
            "quotas": {name: [None if rate == math.inf else rate, burst] for name, (rate, burst) in pairs.items()},
            "open_contacts": dict(limits.open_contacts),
            "ends_after": limits.ends_after,
            "instances": None if limits.instances is None else sorted(limits.instances),
            "search_delay": limits.search_delay,
            "answers": limits.answers,
            "expires_after": {**LIVES, **limits.expires_after},
        }

    def levels(self, now: float) -> dict[str, float]:
        """Return how many calls each operation has left, where fewest are left, before it is throttled."""
        levels = {name: float(self.settings.quotas.of(name)[1]) for name in self.api.operations}
        for (name, _, _), bucket in self._buckets.items():
            levels[name] = min(levels[name], bucket.level_at(now))
        return levels

    def answer(self, call: Call, now: float) -> Answer:
        """Serve one call. What it does outlives the process once `contacts.keep()` was called."""
        name, count = call.operation.name, self.calls[call.operation.name]
        count.receive(now)
        parameters, trouble = self._parse(call)
        plan = self.faults.plan(name, handlers.destination(name, parameters), now)
        if plan.fate is Effect.DROP_BEFORE:
            count.dropped += 1
            return Answer(fate=plan.fate, delay=plan.delay)
        try:
            account, region = self._identify(call)
            self._let_in(call, plan, account=account, region=region, now=now)
            if trouble is not None:
                raise trouble
            call.operation.validate(parameters)
            admit(self.services, call.authorization, name, parameters)
            request = Request(name, parameters, call.body, region, account)
            members, replayed = self._serve(request, now)
        except ServiceError as error:
            self.refusals.add(now, name, handlers.destination(name, parameters), error)
            return self._settle(count, plan, self._refusal(error))
        count.replayed += replayed
        count.accepted += not replayed
        return self._settle(count, plan, Answer(body=json.dumps(members).encode()))

    def serves_templates(self, path: str) -> bool:
        """Whether it is one of the sandbox's own message templates that a path asks for."""
        return self.settings.templates is not None and path.startswith("/knowledgeBases/")

    def _identify(self, call: Call) -> tuple[str, str]:
        """Return whose a call is, account and Region, or raise where its signature says neither, or is wrong."""
        scope = read_scope(call.authorization, call.operation.service)
        if call.signed is not None:
            verify(call.signed, scope, self.settings.secrets, time.time())
        return self.services.account_of(scope.key, temporary=call.temporary), scope.region

    def _let_in(self, call: Call, plan: Plan, *, account: str, region: str, now: float) -> None:
        name = (call.operation.name, account, region)
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(*self.settings.quotas.of(*name), now)
        if not bucket.take(now):
            raise ServiceError(self.settings.faults.throttle_code, "Rate exceeded", status=429)
        if plan.fate is Effect.THROTTLE:
            raise ServiceError(plan.code, "Rate exceeded", status=plan.status or 429)
        if plan.fate is Effect.ERROR:
            raise ServiceError(plan.code, plan.message, status=plan.status)

    def _serve(self, request: Request, now: float) -> tuple[dict[str, Any], bool]:
        templates = self.settings.templates
        if templates is not None and request.operation in api.TEMPLATE_OPERATIONS:
            return templates.answer(request), False
        checks.check(request.operation, request.parameters, templates)
        self.contacts.require_instance(request.instance)
        with self.contacts.whole():
            return handlers.OPERATIONS[request.operation](self.contacts, request, now)

    def _require_known(self, quotas: Quotas) -> None:
        for name in quotas.operations:
            operation = name.rpartition("/")[2]
            if operation not in self.api.operations and operation != "*":
                raise ValueError(
                    f"quotas.{name}: there is no such operation; there are {', '.join(self.api.operations)}"
                )

    def _parse(self, call: Call) -> tuple[dict[str, Any], ServiceError | None]:
        templates = self.settings.templates
        try:
            parameters = call.operation.parse(call.body, call.path)
        except ServiceError as trouble:
            return {}, trouble
        if templates is not None and call.operation.name in api.TEMPLATE_OPERATIONS:
            parameters = templates.resolve(parameters)
        return parameters, None

    def _settle(self, count: Calls, plan: Plan, answer: Answer) -> Answer:
        lost = plan.fate is Effect.DROP_AFTER or plan.fate is Effect.HANG
        count.dropped += lost
        count.throttled += answer.status == 429 and answer.code != "LimitExceededException"
        count.failed += answer.status != 200 and (answer.status != 429 or answer.code == "LimitExceededException")
        if lost or plan.delay:
            return answer._replace(delay=plan.delay, fate=plan.fate if lost else Effect.SERVED)
        return answer

    def _refusal(self, error: ServiceError) -> Answer:
        status = error.status or self.api.statuses.get(error.code, 400)
        if not error.code:
            return Answer(status, b"")
        return Answer(status, error_body(error), code=error.code)


def error_body(error: ServiceError) -> bytes:
    """Write an error as AWS's restJson1 does; some clients read `Message`, some `message`."""
    return json.dumps({"Message": error.message, "message": error.message, **error.members}).encode()
