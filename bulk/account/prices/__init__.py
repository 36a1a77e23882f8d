"""What messages cost: a dated price table as data, and the cost of a number of messages.

table   the table of prices, shipped or one's own
cost    so many messages and segments, at a price
"""

from bulk.account.prices.cost import Cost
from bulk.account.prices.table import Price, PriceTable, load

__all__ = ["Cost", "Price", "PriceTable", "load"]
