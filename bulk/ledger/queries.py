"""The statements that read deliveries, each with its purpose. `rows` names what is read of every row."""

# The row is not at its end.
_OPEN = "(state = 'pending' OR state = 'intended')"

# A row's state as it is told: once the mail of a draft is out, the row is sent.
_END = f"CASE WHEN {_OPEN} AND contact_id IS NOT NULL THEN 'sent' ELSE state END"

# A call of the row was announced, and no answer is recorded.
_UNANSWERED = "state = 'intended' AND contact_id IS NULL"

# Nobody can tell whether the row was accepted: the rows that `resolve` decides about.
UNDECIDED = f"(state = 'unknown' OR {_UNANSWERED})"

_SETTLE = "in doubt: a call was announced and no answer is recorded; `bulk send` settles it"

# A row's end as `model.Recorded` has it.
RECORDED = f"""
CASE WHEN {_UNANSWERED} THEN 'unknown' ELSE {_END} END, contact_id, attempts,
CASE WHEN {_UNANSWERED} THEN 'unanswered' ELSE error_code END,
CASE WHEN {_UNANSWERED} THEN '{_SETTLE}' ELSE error_message END, request_id, finished_at
"""

_STATES = f"""
SELECT {_END} AS end, count(*) FROM delivery INDEXED BY delivery_place WHERE run = ? AND {{}} GROUP BY end
"""  # noqa: S608 - our own text

# The rows of a run by state, in the list or not: while nobody knows yet where the list ends.
EVERYWHERE = _STATES.format("true")

# The rows of a run by state, of those that are in the list.
LISTED = _STATES.format("row IS NOT NULL")

# How many rows have no delivery of their own: as duplicates (1), or because their name is that of another person (0).
REPEATS = "SELECT reason = 'duplicate', count(*) FROM duplicate WHERE run = ? GROUP BY 1"

# When such rows were found, in a part of the list.
REPEATS_FOUND = "SELECT row, found_at FROM duplicate WHERE run = ? AND row BETWEEN ? AND ?"

# Which deliveries such rows repeat, in a part of the list.
REPEATED = "SELECT row, delivery FROM duplicate WHERE run = ? AND row BETWEEN ? AND ?"

# How many undecided rows are not in the list any more: no further reading of it meets them.
LOST = f"SELECT count(*) FROM delivery WHERE run = ? AND row IS NULL AND {UNDECIDED}"  # noqa: S608 - our own text

# How many rows were sent, and when the last of them was.
SENT = "SELECT count(*), max(finished_at) FROM delivery WHERE run = ? AND state = 'sent'"

# The length of the list, NULL until it was read to its end.
ROWS = "SELECT rows FROM run WHERE id = ?"

# The number of a run's first delivery: all others of the run have higher ones.
FIRST = "SELECT first_delivery FROM run WHERE id = ?"

# The number of the last delivery of all runs.
LAST = "SELECT max(id) FROM delivery"

# The undecided rows as they are shown to a person, in the list's order.
UNKNOWN = f"""
SELECT id, state = 'intended', row, destination, intended_at, {RECORDED} FROM delivery INDEXED BY delivery_place
WHERE run = ? AND {UNDECIDED} ORDER BY row
"""  # noqa: S608 - the columns are our own text

# The same as a decision needs them.
UNDECIDED_ROWS = f"SELECT id, state FROM delivery WHERE run = ? AND {UNDECIDED}"  # noqa: S608 - our own text

# What is asked besides `rows.KnownRow` of a row that is not done: the rest of `rows.OpenRow`.
FURTHER = """
SELECT decisions, person, contact_id, step, attempts, replies, intended_at, digest, error_code,
    doubted_at FROM delivery
WHERE id = ?
"""

# Whom a row may have reached, and what was answered.
WHO = "SELECT person, replies FROM delivery WHERE id = ?"

# The rows of which a call was announced, in the order in which they were first met, each with its dispatches' tokens.
TRIED = """
SELECT row, state, contact_id, destination, group_concat(dispatch.token)
FROM delivery LEFT JOIN dispatch ON dispatch.delivery = delivery.id
WHERE run = ? AND delivery.token IS NOT NULL
GROUP BY delivery.id ORDER BY delivery.id
"""
