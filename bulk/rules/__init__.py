"""Who may be written to, when, and how often: decided at the moment of sending, by arithmetic and data only.

rules       all rules of a campaign: one recipient goes, waits, or is left out
hours       when a person's window is open
laws        the windows that laws set, by region (`us.toml`)
zones       time zones as arithmetic
spans       spans of time, joined and cut like sets
expiry      until when a message may go out
caps        how often a person may be written to
completion  when a run will be done
room        when it will be done where only so many contacts may be open at once
stop_words  whether a reply asks for no more messages
remedies    what helps where a window never opens
"""

from bulk.rules.caps import CAPPED, Limit, Written
from bulk.rules.completion import Course, course
from bulk.rules.hours import Hours
from bulk.rules.laws import Law
from bulk.rules.room import Room, course_in_room
from bulk.rules.rules import Rules, Wait
from bulk.rules.zones import Locality

__all__ = [
    "CAPPED",
    "Course",
    "Hours",
    "Law",
    "Limit",
    "Locality",
    "Room",
    "Rules",
    "Wait",
    "Written",
    "course",
    "course_in_room",
]
