"""The columns of a list, in the names that the loader uses."""

from collections.abc import Iterable, Sequence

from bulk.errors import ListError
from bulk.text.columns import Ambiguous, Columns


class Headers:
    """The columns of the list `name`, found whatever their case, spaces and separators."""

    def __init__(self, columns: Sequence[str], name: str) -> None:
        self._columns, self._name = Columns(columns), name

    def resolve(self, name: str) -> str:
        """Return the column of that name. Raise `ListError` with the nearest."""
        try:
            found = self._columns.find(name)
        except Ambiguous as error:
            raise ListError(
                f"{self._name}: {name!r} may be any of {[*error.choices]}: spell it as the list does"
            ) from None
        if found is not None:
            return found
        near = self._columns.nearest(name)
        remedy = f"did you mean {near!r}?" if near else f"it has {', '.join(self._columns.names[:20])}"
        raise ListError(f"{self._name} has no column {name!r}: {remedy}")

    def first(self, names: Iterable[str]) -> str | None:
        """Return the first of these columns that the list has; of doubled ones, the one to the left."""
        found = (self._columns.alike(name) for name in names)
        return next((columns[0] for columns in found if columns), None)
