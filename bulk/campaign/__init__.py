"""The campaign, checked before anything moves."""

from bulk.campaign.bounds import HIGHEST, LONGEST
from bulk.campaign.file import load
from bulk.campaign.forms import brief, seconds
from bulk.campaign.rule_tables import Cap, CapsTable, HoursTable, WeekTable, is_zone, moment
from bulk.campaign.tables import Campaign, ListTable, OperationPacing, Window
from bulk.campaign.whereabouts import placed

__all__ = [
    "HIGHEST",
    "LONGEST",
    "Campaign",
    "Cap",
    "CapsTable",
    "HoursTable",
    "ListTable",
    "OperationPacing",
    "WeekTable",
    "Window",
    "brief",
    "is_zone",
    "load",
    "moment",
    "placed",
    "seconds",
]
