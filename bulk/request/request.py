"""The campaign's tables, compiled once for the columns of the list, and applied to each row.

What can be known to be wrong when they are compiled is an error of the campaign. What a row makes of them is checked
as the service would.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bulk.errors import CampaignError
from bulk.model import Cells, Parameters, Recipient, Refusal, mask
from bulk.operations import Violation, operation
from bulk.request.table import CompiledTable, TemplateFailed
from bulk.request.table_compiler import TableCompiler
from bulk.request.template import BadTemplate, Template, whole_row_in_text
from bulk.request.template import compile_template as compile_text
from bulk.request.texts import REQUEST, Texts
from bulk.text.columns import Columns


def compile_template(text: str, columns: Sequence[str], *, where: str) -> Template:
    """Compile one template of the campaign that is no parameter. CampaignError begins with `where`."""
    known = Columns(columns)
    try:
        template = compile_text(text, known)
    except BadTemplate as error:
        raise CampaignError("\n".join(f"{where}: {message}" for message in error.messages)) from None
    if template.whole:
        raise CampaignError(f"{where}: {whole_row_in_text(known)}")
    return template


@dataclass(frozen=True, slots=True)
class Request:
    """The compiled tables of a campaign.

    `columns` are the list's own names of the columns it reads; `destination_column` is the one that is the
    destination, None where a template makes it. `varies` tells by operation whether a row itself names a
    resource of the instance, other than what the channel supplies. `texts` are what a person reads. `digests`
    names the text of each template by its table and path, in 12 hex digits. `turns` is after how many rows the
    values that are used in turn start again: 1 where there are none.
    """

    columns: frozenset[str]
    destination_column: str | None
    varies: Mapping[str, bool]
    texts: Texts
    digests: Mapping[str, str]
    turns: int
    _destination: Template = field(repr=False)
    _tables: tuple[CompiledTable, ...] = field(repr=False)

    @classmethod
    def compile(
        cls,
        tables: Mapping[str, Mapping[str, Any]],
        operations: Mapping[str, str],
        *,
        columns: Sequence[str],
        destination: tuple[str, str],
        supplied: Mapping[str, Collection[str]] | None = None,
        texts: Sequence[str] = (),
    ) -> "Request":
        """Compile the tables, which hold the channel's defaults already.

        `operations` gives the operation of each table, `destination` the table and path of the member that
        is the recipient's destination, `supplied` the members by table that the channel adds when it calls,
        `texts` the paths in [request] of what a person reads.
        CampaignError lists everything that is wrong, a line each.
        """
        table, path = destination
        known = Columns(columns)
        compilers = [
            TableCompiler(
                name,
                operation(operations[name]),
                columns=known,
                destined=path if name == table else None,
                shown=texts if name == REQUEST else (),
            )
            for name in tables
        ]
        compiled = [
            compiler.compile(_with_instance(tables, compiler), (supplied or {}).get(compiler.table, ()))
            for compiler in compilers
        ]
        found = _destination(compilers, destination)
        return cls(
            columns=frozenset().union(*(compiler.used for compiler in compilers)),
            destination_column=found.column,
            varies={compiler.operation.name: compiler.names_resources for compiler in compilers},
            texts=Texts.of(
                texts, {path: text for compiler in compilers for path, text in compiler.texts.items()}, known
            ),
            digests={name: value for compiler in compilers for name, value in compiler.digests.items()},
            turns=math.lcm(*(compiler.turns for compiler in compilers)),
            _destination=found,
            _tables=tuple(compiled),
        )

    def destination(self, cells: Cells) -> str:
        """Return a row's destination as the list has it; empty where the template fails on this row."""
        try:
            value = self._destination.render(cells)
        except Exception:  # noqa: BLE001 - a template may raise anything; the row has no destination then
            return ""
        return "" if value is None else str(value)

    def build(self, recipient: Recipient, *, turn: int | None = None) -> Mapping[str, Parameters] | Refusal:
        """Return the parameters by table, or a Refusal that names each member, its trouble and the remedy.

        Its code is `template_error`, `missing_parameter`, `invalid_parameter` or `blank_message`. It holds nothing of a
        cell, for it is kept in the ledger. `turn` decides which of the values that are used in turn a row takes;
        without one, its place in the list does.
        """
        if turn is not None and self.turns > 1:
            recipient = replace(recipient, row=turn)
        built: dict[str, Parameters] = {}
        found: list[tuple[str, Violation]] = []
        for compiled in self._tables:
            try:
                built[compiled.table], troubles = compiled.build(recipient)
            except TemplateFailed as failure:
                return self._refusal(recipient, "template_error", f"[{compiled.table}] {failure}")
            found += [(compiled.table, trouble) for trouble in troubles]
        if not found:
            return self.texts.refusal(built.get(REQUEST, {})) or built
        missing = all(trouble.code == "missing_parameter" for _, trouble in found)
        message = " ".join(f"[{table}] {trouble}" for table, trouble in found[:5])
        return self._refusal(recipient, "missing_parameter" if missing else "invalid_parameter", message)

    def _refusal(self, recipient: Recipient, code: str, message: str) -> Refusal:
        for secret in (recipient.destination, self.destination(recipient.cells)):
            if secret and len(secret) > 4:
                message = message.replace(secret, mask(secret))
        return Refusal(code, message)


def _destination(compilers: Sequence[TableCompiler], wanted: tuple[str, str]) -> Template:
    """Return the destination's template. Raise CampaignError where there is none, or anything else is wrong."""
    found = [compiler.destination for compiler in compilers if compiler.destination]
    faults = [fault for compiler in compilers for fault in compiler.faults]
    if not faults and not found:
        faults = [f"[{wanted[0]}] {wanted[1]}: is missing; it tells where each message goes."]
    if faults:
        raise CampaignError("\n".join(dict.fromkeys(faults)))
    return found[0]


def _with_instance(tables: Mapping[str, Mapping[str, Any]], compiler: TableCompiler) -> Mapping[str, Any]:
    """Return a table; one without an InstanceId follows [request]."""
    own, instance = tables[compiler.table], tables.get("request", {}).get("InstanceId")
    follows = "InstanceId" in compiler.operation.members and not own.get("InstanceId") and instance
    return {**own, "InstanceId": instance} if follows else own
