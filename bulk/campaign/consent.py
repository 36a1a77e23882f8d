"""`[consent]`: which columns of the list hold people's consent, its source, and its time."""

from bulk.campaign.types import Table


class ConsentTable(Table):
    """The columns of consent. Where `required`, rows without a clear yes in `column` are left out."""

    column: str | None = None
    source: str | None = None
    at: str | None = None
    required: bool = True
