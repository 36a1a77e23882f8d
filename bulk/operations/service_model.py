"""The operations of the service, as botocore's model has them.

The model is read once, when the first operation is asked for, with the package's own additions merged over it
(botocore.loaders, "extras"); `limits` says what AWS documents beyond it. Each operation's input is compiled
to a tree of functions (`types.Shape`), of which `scalars` and `containers` know the kinds.
"""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from bulk.model import Parameters
from bulk.operations import containers, limits, relations, scalars
from bulk.operations.builder import Build, builder
from bulk.operations.types import Part, Shape, Traits, Violation, Violations, nearest

MODELS = Path(__file__).parent / "models"
"""A search path for botocore's loader: what the service takes and the installed model does not know yet."""


class Operation:
    """One operation of the service, by AWS's name.

    `members` names its parameters, `required` those it cannot do without, `errors` the codes it declares. Parameters
    that are `prechecked` are taken as they are: whoever asks has checked them before, and they are the same each time.
    Where `names` are given, troubles show no value, and of the keys of maps those alone.
    """

    def __init__(
        self,
        name: str,
        model: Mapping[str, Any],
        *,
        prechecked: Collection[str] = (),
        names: frozenset[str] | None = None,
    ) -> None:
        described = model["operations"][name]
        request = model["shapes"][described["input"]["shape"]]
        self.name = name
        self.members: tuple[str, ...] = tuple(request["members"])
        self.required: frozenset[str] = frozenset(request.get("required", ()))
        self.errors: tuple[str, ...] = tuple(error["shape"] for error in described.get("errors", ()))
        self._show = repr if names is None else lambda text: f"text of {len(text):,} characters"
        compiler = _Compiler(model["shapes"], {**limits.EVERYWHERE, **limits.TRAITS.get(name, {})}, prechecked, names)
        self.shape = compiler.shape(described["input"]["shape"], "")
        self._model = model

    def for_rows(self, prechecked: Collection[str], names: Collection[str]) -> "Operation":
        """Return the operation as rows are checked by it: see the class for `prechecked` and `names`.

        What it says is kept in the ledger, so it holds nothing of a cell.
        """
        return Operation(self.name, self._model, prechecked=prechecked, names=frozenset(names))

    def builder(
        self, parts: Mapping[str, Part], fixed: Parameters, draft: Parameters, *, later: Collection[str] = ()
    ) -> Build:
        """Compile what builds a row's parameters where they are certainly prechecked, and else returns None.

        `parts` are the members that rows decide, `fixed` the others, `draft` all that is known of both.
        """
        conditions = relations.conditions(self.name, draft, parts)
        return builder(self.shape, parts, fixed, later=frozenset(later), conditions=conditions)

    def coerce(self, value: Parameters) -> dict[str, Any]:
        """Bring rendered values to the shapes of their members, leaving out what is empty.

        Never refuses: what cannot be brought to form is left as it is, for `check` to name. Text becomes a
        number, and JSON a map or list, where the member wants one; numbers, times and truth become text.
        """
        try:
            return self.shape.coerce(value) or {}
        except RecursionError:
            return dict(value)

    def check(self, parameters: Parameters) -> Violations:
        """Return what the service would refuse, and why; an empty sequence where all is well.

        UNKNOWN passes wherever it stands. Rules over several members are asked when each is sound by itself.
        """
        try:
            return self.shape.check(parameters) or relations.broken(self.name, parameters, show=self._show)
        except RecursionError:
            return (Violation("", "is nested too deeply to be sent."),)


@cache
def operation(name: str) -> Operation:
    """Return an operation by AWS's name. Raise LookupError, with the nearest name, where there is none."""
    model = _model()
    if name not in model["operations"]:
        hint = nearest(name, model["operations"])
        raise LookupError(f"Amazon Connect has no operation {name!r}.{hint}")
    return Operation(name, model)


@cache
def _model() -> Mapping[str, Any]:
    loader = Loader(extra_search_paths=[str(MODELS)])
    model: Mapping[str, Any] = loader.load_service_model("connect", "service-2", "2017-08-08")
    return model


class _Compiler:
    """Compiles the shapes of one operation. `traits` are those that hold at a member path only.

    What is `prechecked`, by path, gets a shape that passes all. Where `names` are given, all else is confidential.
    """

    def __init__(
        self,
        described: Mapping[str, Traits],
        traits: Mapping[str, Traits],
        prechecked: Collection[str],
        names: frozenset[str] | None,
    ) -> None:
        self._described = described
        self._traits = traits
        self._prechecked = prechecked
        self._confidential: Traits = {} if names is None else {"sensitive": True, "names": names}
        self._made: dict[str, Shape] = {}

    def shape(self, name: str, path: str) -> Shape:
        """Return the compiled shape; one without traits of its own is made once, which ends a recursion."""
        if path in self._prechecked:
            return Shape()
        special = any(f"{place}.".startswith(f"{path}.") for place in self._traits)
        if name in self._made and not special:
            return self._made[name]
        shape = Shape()
        if not special:
            self._made[name] = shape
        self._fill(shape, self._merged(name, path), path)
        return shape

    def _merged(self, name: str, path: str) -> Traits:
        described, own = self._described[name], self._traits.get(path, {})
        required = {"required": (*described.get("required", ()), *own.get("required", ()))}
        return {**described, **limits.AMENDED.get(name, {}), **own, **required, **self._confidential}

    def _fill(self, shape: Shape, traits: Traits, path: str) -> None:
        match traits["type"]:
            case "structure":
                self._structure(shape, traits, path)
            case "map":
                key = self.shape(traits["key"]["shape"], f"{path}.<key>")
                containers.table(shape, traits, key, self.shape(traits["value"]["shape"], f"{path}.*"))
            case "list":
                containers.sequence(shape, traits, self.shape(traits["member"]["shape"], f"{path}.*"))
            case "string":
                scalars.text(shape, traits)
            case "integer" | "long":
                scalars.integer(shape, traits)
            case _:
                scalars.scalar(shape, traits)

    def _structure(self, shape: Shape, traits: Traits, path: str) -> None:
        named = {name: member["shape"] for name, member in traits["members"].items()}
        members = {name: self.shape(inner, f"{path}.{name}".lstrip(".")) for name, inner in named.items()}
        standing = {name for name in traits["required"] if self._described[named[name]]["type"] in {"structure", "map"}}
        containers.structure(shape, traits, members, standing=standing)
