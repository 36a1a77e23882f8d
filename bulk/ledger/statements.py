"""The statements that write deliveries, each with the reason why it is as it is."""

REOPEN = """
UPDATE delivery SET state = 'pending', decisions = decisions + 1, announced = 0, intended_at = NULL, digest = NULL,
    replies = CASE WHEN state = 'unknown' THEN replies END,
    contact_id = NULL, error_code = NULL, error_message = NULL, request_id = NULL, finished_at = NULL
FROM (VALUES {rows}) WHERE id = column1
"""
"""Sends a row again, by a decision. What may have reached a person stays: see `dispatches`."""

# The last value of every row is the number of the delivery. One that meets no delivery is an error of its group.
INTEND = """
UPDATE delivery SET state = 'intended', step = column1, token = column2, digest = column3, attempts = column5,
    announced = CASE WHEN state = 'intended' AND step = column1 THEN announced + 1 ELSE 1 END,
    intended_at = CASE WHEN state = 'intended' AND step = column1 THEN intended_at ELSE column4 END
FROM (VALUES {rows}) WHERE id = column6
"""
RENEW = """
UPDATE delivery SET attempts = column1, intended_at = CASE WHEN column2 THEN intended_at ELSE column3 END
FROM (VALUES {rows}) WHERE state = 'intended' AND id = column4
"""
ANSWER = """
UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL, attempts = column1,
    replies = json_insert(ifnull(replies, '[]'), '$[#]', json(column2)),
    contact_id = column3, request_id = column4, finished_at = column5
FROM (VALUES {rows}) WHERE state = 'intended' AND step = column6 AND id = column7
"""
WITHDRAW = """
UPDATE delivery SET attempts = column1, announced = announced - 1,
    state = CASE WHEN announced > 1 THEN 'intended' ELSE 'pending' END,
    intended_at = CASE WHEN announced > 1 THEN intended_at END
FROM (VALUES {rows}) WHERE state = 'intended' AND id = column2
"""
FINISH = """
UPDATE delivery SET state = CASE WHEN contact_id IS NULL THEN column1 ELSE 'sent' END,
    contact_id = ifnull(contact_id, column2), attempts = column3, error_code = column4, error_message = column5,
    request_id = column6, finished_at = column7
FROM (VALUES {rows}) WHERE id = column8
"""

COUNT = """
UPDATE run SET calls = column1, throttled = column2, latest_at = max(ifnull(latest_at, 0.0), column3)
FROM (VALUES {rows}) WHERE id = column4
"""
MARK_SENT = """
UPDATE delivery SET state = 'sent', decisions = decisions + 1, error_code = 'marked_sent',
    error_message = 'marked as sent by hand', finished_at = :now
WHERE id = :id
"""
GIVE_UP = """
UPDATE delivery SET state = 'rejected', decisions = decisions + 1, error_code = 'given_up',
    error_message = 'given up by hand' || ifnull(': ' || error_message, ''), finished_at = :now
WHERE id = :id
"""
REOPEN_ONE = REOPEN.replace("FROM (VALUES {rows}) WHERE id = column1", "WHERE id = :id")

DISPLACE = "UPDATE delivery SET row = NULL WHERE id = ?"
MOVE = "UPDATE delivery SET row = ? WHERE id = ?"
ENTER = """
INSERT INTO delivery
    (id, run, key, row, state, destination, person, content, error_code, error_message, finished_at)
VALUES {rows}
"""
REDIRECT = "UPDATE delivery SET destination = ?, person = ?, content = ? WHERE id = ?"
REFUSE = "UPDATE delivery SET state = ?, error_code = ?, error_message = ?, finished_at = ? WHERE id = ?"

FORGET_TIDYING = "UPDATE delivery SET state = 'pending', announced = 0, intended_at = NULL WHERE id = ?"
REPEATS = "SELECT row, delivery FROM duplicate WHERE run = ? AND row BETWEEN ? AND ?"
WHO = "SELECT person, replies FROM delivery WHERE id = ?"
FORGET_REPEAT = "DELETE FROM duplicate WHERE run = ? AND row = ?"
REPEAT = "INSERT INTO duplicate (run, row, delivery, found_at, reason) VALUES {rows}"
