"""The campaign, checked before anything moves."""

from bulk.campaign.file import load
from bulk.campaign.tables import Campaign, ListTable, OperationPacing, Window, seconds
from bulk.campaign.whereabouts import placed

__all__ = ["Campaign", "ListTable", "OperationPacing", "Window", "load", "placed", "seconds"]
