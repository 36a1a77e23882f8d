"""`[budget]`: how much a run may cost, and with which prices."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bulk.campaign.bounds import HIGHEST
from bulk.campaign.types import Table


class BudgetTable(Table):
    """The most that a run may come to over all its passes, in the currency of the prices; and the table of these."""

    at_most: Annotated[float, Field(gt=0, le=HIGHEST * 1000)] | None = None
    prices: Annotated[str, StringConstraints(min_length=1, strip_whitespace=False)] | None = None
