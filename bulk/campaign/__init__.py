"""The campaign file, checked as a whole before anything is sent."""

from bulk.campaign.bounds import HIGHEST, LONGEST
from bulk.campaign.file import load
from bulk.campaign.locations import placed
from bulk.campaign.pacing_table import OperationPacing, Window
from bulk.campaign.rule_tables import Cap, CapsTable, HoursTable, WeekTable, is_zone, moment
from bulk.campaign.schema import Campaign, ListTable
from bulk.campaign.types import brief, seconds

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
