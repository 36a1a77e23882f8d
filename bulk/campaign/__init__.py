"""The campaign, checked before anything moves."""

from bulk.campaign.file import load
from bulk.campaign.tables import Campaign, OperationPacing, Window, seconds
from bulk.campaign.whereabouts import placed

__all__ = ["Campaign", "OperationPacing", "Window", "load", "placed", "seconds"]
