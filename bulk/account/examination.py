"""The checks of an account before anything is sent: each question is asked and its answer judged.

Nothing here changes anything: the operations describe, list, search and get. A question that may not be asked is one
line that names the missing permission, and the others go on.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bulk.account.finding import Finding, State
from bulk.account.permissions import to_send
from bulk.account.question import Question, Told
from bulk.account.questions import Wanted, questions, simulation
from bulk.account.references import ANY, References
from bulk.account.verdicts import principal
from bulk.errors import BulkError, CallFailed

Ask = Callable[[str, str, Mapping[str, Any]], Awaitable[Told]]
"""Asks a service (by the SDK's name) an operation with parameters. Raises `CallFailed`, `SetupError`."""

_KEYS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"),
        *("UnrecognizedClient", "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature"),
        *("MissingAuthenticationToken", "RequestExpired"),
    }
)


@dataclass(slots=True)
class Examination:
    """The examination of one account for one campaign."""

    named: References
    wanted: Wanted
    ask: Ask
    findings: list[Finding] = field(default_factory=list)
    _answers: dict[str, Told | CallFailed] = field(default_factory=dict)

    async def run(self) -> list[Finding]:
        """Ask all that is to be asked, and return the findings in order."""
        who = await self._credentials()
        if who is None:
            return self.findings
        if who:
            await self._permissions(principal(who))
        for one in questions(self.named, self.wanted):
            if isinstance(one, Finding):
                self.findings.append(one)
            else:
                await self._put(one)
        return self.findings

    async def _credentials(self) -> str | None:
        """Note whose credentials these are, and return their ARN: empty where nobody tells, None where they fail."""
        try:
            told = await self.ask("sts", "GetCallerIdentity", {})
        except CallFailed as error:
            said = f"{error.code}: {error.message}"
            if error.code in _KEYS:
                self._note(State.WRONG, said, "log in again, or name another profile")
                return None
            self._note(State.UNCHECKED, f"whose they are is not told ({said})")
            return ""
        except BulkError as error:
            self._note(State.WRONG, str(error), "fix that first: nothing else was asked")
            return None
        return self._identified(str(told.get("Account", "")), str(told.get("Arn", "")))

    def _identified(self, account: str, arn: str) -> str:
        if self.named.account not in {ANY, account}:
            said = f"they are of account {account}, and the campaign names things of account {self.named.account}"
            self._note(State.WRONG, said, "give --profile, or set [at] profile or role_arn, of that account")
        else:
            self._note(State.OK, f"{arn}, of account {account}")
        return arn

    def _note(self, state: State, message: str, remedy: str | None = None) -> None:
        self.findings.append(Finding("credentials", state, message, remedy))

    async def _permissions(self, who: str | None) -> None:
        """Note of each action of a run whether it is allowed, where IAM tells; the root of an account may all."""
        for permission in to_send(self.named, self.wanted.contacts) if who is not None else ():
            await self._put(simulation(who or "", permission))

    async def _put(self, question: Question) -> None:
        """Ask, judge, and go on to what follows."""
        waiting: list[Question] = [question]
        for one in waiting:
            try:
                told = await self._answer(one)
            except CallFailed as error:
                self.findings.append(one.failed(error))
            except BulkError as error:
                self.findings.append(Finding(one.subject, State.UNCHECKED, str(error)))
            else:
                self.findings += _judged(one.judge(told))
                waiting += one.follows(told)

    async def _answer(self, question: Question) -> Told:
        """Return the answer to a question, which is asked once."""
        name = f"{question.service} {question.operation} {dict(question.parameters)}"
        if name not in self._answers:
            try:
                self._answers[name] = await self.ask(question.service, question.operation, question.parameters)
            except CallFailed as error:
                self._answers[name] = error
        answer = self._answers[name]
        if isinstance(answer, CallFailed):
            raise answer
        return answer


def _judged(findings: Finding | Iterable[Finding]) -> list[Finding]:
    return [findings] if isinstance(findings, Finding) else list(findings)
