"""How fast calls may go.

limits          what a limit is; so many a second; several limits together
sliding_window  so many in any hour, or day
open_contacts   so many open at once
estimator       the rate that nobody told, found from the answers
limiter         limits and what was learned, as arithmetic
queue           the limiter set in motion
gate            closed while the service is full
shared          one limiter for all processes that share a state directory
"""
