"""The statements that write deliveries, each with its purpose. `{rows}` stands for the values of all written rows."""

# Sends a row again, by a decision. What may have reached a person stays: see `dispatches`.
REOPEN = """
UPDATE delivery SET state = 'pending', decisions = decisions + 1, announced = 0, intended_at = NULL, digest = NULL,
    doubted_at = NULL, replies = CASE WHEN state = 'unknown' THEN replies END,
    contact_id = NULL, error_code = NULL, error_message = NULL, request_id = NULL, finished_at = NULL
FROM (VALUES {rows}) WHERE id = column1
"""

# In the five that follow the last value of a row is the number of its delivery. One that meets no delivery is an error
# of its group.

# Announces a call: for the first time, or once more.
INTEND = """
UPDATE delivery SET state = 'intended', step = column1, token = column2, digest = column3, attempts = column5,
    announced = CASE WHEN state = 'intended' AND step = column1 THEN announced + 1 ELSE 1 END,
    intended_at = CASE WHEN state = 'intended' AND step = column1 THEN intended_at
        ELSE min(column4, ifnull(doubted_at, column4)) END
FROM (VALUES {rows}) WHERE id = column6
"""

# Announces the same call once more, because time has passed since.
RENEW = """
UPDATE delivery SET attempts = column1, intended_at = CASE WHEN column2 THEN intended_at ELSE column3 END
FROM (VALUES {rows}) WHERE state = 'intended' AND id = column4
"""

# Records an answer that is not the last: another call follows.
ANSWER = """
UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL, attempts = column1,
    replies = json_insert(ifnull(replies, '[]'), '$[#]', json(column2)),
    contact_id = column3, request_id = column4, finished_at = column5
FROM (VALUES {rows}) WHERE state = 'intended' AND step = column6 AND id = column7
"""

# Takes an announcement back: the call was certainly not accepted.
WITHDRAW = """
UPDATE delivery SET attempts = column1, announced = announced - 1,
    state = CASE WHEN announced > 1 THEN 'intended' ELSE 'pending' END,
    intended_at = CASE WHEN announced > 1 THEN intended_at END
FROM (VALUES {rows}) WHERE state = 'intended' AND id = column2
"""

# Records a row's end. What has a contact is sent, whatever came after.
FINISH = """
UPDATE delivery SET state = CASE WHEN contact_id IS NULL THEN column1 ELSE 'sent' END,
    contact_id = ifnull(contact_id, column2), attempts = column3, error_code = column4, error_message = column5,
    request_id = column6, finished_at = column7
FROM (VALUES {rows}) WHERE id = column8
"""

# Notes the calls and throttles of a run so far.
COUNT = """
UPDATE run SET calls = column1, throttled = column2, latest_at = max(ifnull(latest_at, 0.0), column3)
FROM (VALUES {rows}) WHERE id = column4
"""

# Decides that a row was accepted.
MARK_SENT = """
UPDATE delivery SET state = 'sent', decisions = decisions + 1, error_code = 'marked_sent',
    error_message = 'marked as sent by hand', finished_at = :now
WHERE id = :id
"""

# Decides that a row is never sent again.
GIVE_UP = """
UPDATE delivery SET state = 'rejected', decisions = decisions + 1, error_code = 'given_up',
    error_message = 'given up by hand' || ifnull(': ' || error_message, ''), finished_at = :now
WHERE id = :id
"""

# Decides that a row is sent again, as REOPEN does.
REOPEN_ONE = REOPEN.replace("FROM (VALUES {rows}) WHERE id = column1", "WHERE id = :id")

# Gives up a row's place in the list, before another takes it.
DISPLACE = "UPDATE delivery SET row = NULL WHERE id = ?"

# Notes where a row stands in the list now.
MOVE = "UPDATE delivery SET row = ? WHERE id = ?"

# Enters a row that is new to the ledger.
ENTER = """
INSERT INTO delivery
    (id, run, key, row, state, destination, person, content, error_code, error_message, finished_at)
VALUES {rows}
"""

# Notes what a row that is not done would be sent now, and to whom.
REDIRECT = "UPDATE delivery SET destination = ?, person = ?, content = ? WHERE id = ?"

# Ends a row that is not tried.
REFUSE = "UPDATE delivery SET state = ?, error_code = ?, error_message = ?, finished_at = ? WHERE id = ?"

# Takes back a call that only tidies up: nothing of its row is in doubt.
FORGET_TIDYING = "UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL WHERE id = ?"

# Forgets that a row repeats another.
FORGET_REPEAT = "DELETE FROM duplicate WHERE run = ? AND row = ?"

# Notes that a row has no delivery of its own, and why.
REPEAT = "INSERT INTO duplicate (run, row, delivery, found_at, reason) VALUES {rows}"
