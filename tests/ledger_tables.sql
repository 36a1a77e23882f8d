CREATE TABLE migration (name TEXT PRIMARY KEY, applied_at REAL) STRICT;

CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    campaign TEXT NOT NULL,
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    region TEXT NOT NULL,
    instance TEXT NOT NULL,
    digests TEXT NOT NULL,          -- JSON: path in the campaign -> short digest
    passes INTEGER NOT NULL,        -- how often it was sent or resumed
    rows INTEGER,                   -- length of the list, once it has been read to its end in this pass
    first_delivery INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    halted TEXT,
    calls INTEGER NOT NULL DEFAULT 0,
    throttled INTEGER NOT NULL DEFAULT 0, latest_at REAL, naming INTEGER NOT NULL DEFAULT 1, under_way TEXT,
    UNIQUE (campaign, name)
) STRICT;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run,
    key BLOB NOT NULL,              -- keyed hash of the row's key
    row INTEGER,                    -- its place in the list as last read; NULL where it was not met there
    state TEXT NOT NULL,
    decisions INTEGER NOT NULL DEFAULT 0,   -- how often somebody reopened or decided it
    destination TEXT,               -- masked
    person BLOB,                    -- keyed hash of the destination
    step INTEGER,                   -- of the call last announced
    token TEXT,
    digest BLOB,                    -- of that call's parameters
    announced INTEGER NOT NULL DEFAULT 0,   -- announcements of that call which nothing has answered
    intended_at REAL,               -- of the first of them
    replies TEXT,                   -- JSON: the answers of earlier steps, contact ids alone
    attempts INTEGER NOT NULL DEFAULT 0,
    contact_id TEXT,
    error_code TEXT,
    error_message TEXT,
    request_id TEXT,
    finished_at REAL, content BLOB, doubted_at REAL,
    UNIQUE (run, key),
    CHECK (state = 'pending' OR state = 'intended' OR state = 'sent' OR state = 'rejected' OR state = 'unknown'
        OR state = 'refused' OR state = 'skipped'),
    CHECK (token IS NOT NULL OR state = 'pending' OR state = 'refused' OR state = 'skipped'),
    CHECK (contact_id IS NOT NULL OR state <> 'sent' OR decisions > 0)
) STRICT;

CREATE UNIQUE INDEX delivery_place ON delivery (run, row);

CREATE TABLE duplicate (
    run INTEGER NOT NULL REFERENCES run,
    row INTEGER NOT NULL,
    delivery INTEGER NOT NULL REFERENCES delivery,  -- whose key this place of the list repeats
    found_at REAL NOT NULL, reason TEXT NOT NULL DEFAULT 'duplicate',
    PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_begins BEFORE INSERT ON delivery
WHEN NOT (NEW.state = 'pending' OR NEW.state = 'refused' OR NEW.state = 'skipped')
BEGIN SELECT RAISE(ABORT, 'a delivery begins pending, refused or skipped'); END;

CREATE TRIGGER delivery_stays BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'what was sent is not forgotten'); END;

CREATE TABLE dispatch (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,
    person BLOB,                    -- keyed hash of the identity of the one who is written to
    opens INTEGER NOT NULL,         -- whether the call opens a contact
    writes INTEGER NOT NULL,        -- whether it sends a message
    last_at REAL NOT NULL,          -- Unix seconds of the last try
    announced INTEGER NOT NULL,     -- announcements that were not taken back: above 0, it may have been accepted
    ended_at REAL, segments INTEGER NOT NULL DEFAULT 1,                  -- when the contact was ended by us
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE pass (
    run INTEGER NOT NULL REFERENCES run,
    number INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    sender TEXT NOT NULL,           -- user@host
    version TEXT NOT NULL,          -- of this program
    halted TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE traffic (
    run INTEGER NOT NULL REFERENCES run,
    pass INTEGER NOT NULL,
    operation TEXT NOT NULL,
    at REAL NOT NULL,               -- when the window begins, and how long it is
    seconds REAL NOT NULL,
    permitted REAL NOT NULL,        -- calls a second
    calls INTEGER NOT NULL,
    throttled INTEGER NOT NULL,
    segments INTEGER NOT NULL,      -- of the SMS accepted in it
    latencies TEXT NOT NULL,        -- JSON: bucket -> calls
    PRIMARY KEY (run, pass, operation, at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery
WHEN NOT CASE OLD.state
    WHEN 'pending' THEN
        NEW.state = 'pending' OR NEW.state = 'intended' OR NEW.state = 'refused' OR NEW.state = 'skipped'
        OR OLD.replies IS NOT NULL
    WHEN 'intended' THEN CASE NEW.state
        WHEN 'intended' THEN
            OLD.token = '' OR (NEW.digest = OLD.digest AND (NEW.token = OLD.token OR NEW.step <> OLD.step))
        WHEN 'pending' THEN NEW.announced = 0
        WHEN 'refused' THEN OLD.step > json_array_length(ifnull(OLD.replies, '[]'))
        WHEN 'skipped' THEN OLD.step > json_array_length(ifnull(OLD.replies, '[]'))
        ELSE NEW.state = 'sent' OR NEW.state = 'rejected' OR NEW.state = 'unknown' END
    ELSE
        NEW.decisions > OLD.decisions AND (NEW.state = 'pending'
            OR (OLD.state = 'unknown' AND (NEW.state = 'sent' OR NEW.state = 'rejected'))) END
BEGIN SELECT RAISE(ABORT, 'a delivery cannot go from its state to that one'); END;

CREATE TABLE mark (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,            -- of the call; what the attribute holds follows from it
    attribute TEXT NOT NULL,        -- the contact attribute that carries the mark
    first_at REAL NOT NULL,         -- Unix seconds of the first try that carried it
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_end (
    delivery INTEGER PRIMARY KEY REFERENCES delivery,
    contact_id TEXT NOT NULL,
    state TEXT NOT NULL,            -- 'ended', 'open', or 'gone': Amazon Connect knows no such contact
    initiated_at REAL,              -- Unix seconds, by Amazon Connect's clock
    disconnected_at REAL,
    reason TEXT,                    -- its disconnect reason
    messages INTEGER,               -- how many the person sent; NULL where nobody told
    source TEXT NOT NULL,           -- 'asked' or 'event'
    tracked_at REAL NOT NULL
) STRICT;

CREATE TABLE feedback (
    delivery INTEGER NOT NULL REFERENCES delivery,
    kind TEXT NOT NULL,             -- 'stop', 'bounce' (for good), 'soft_bounce' (for now) or 'complaint'
    at REAL,                        -- Unix seconds, as the event has it
    listed INTEGER NOT NULL,        -- whether the person was put on the suppression list for it
    tracked_at REAL NOT NULL,
    PRIMARY KEY (delivery, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_object (
    run INTEGER NOT NULL REFERENCES run,
    name TEXT NOT NULL,             -- s3://bucket/key, read to its end
    etag TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
    delivery INTEGER NOT NULL REFERENCES delivery,
    token TEXT NOT NULL,            -- of the call that sends the message
    said TEXT,                      -- whether the person agreed, as the list has it
    source TEXT,                    -- where they did
    at TEXT,                        -- when they did
    kept_at REAL NOT NULL,          -- Unix seconds of the first announcement
    PRIMARY KEY (delivery, token)
) STRICT, WITHOUT ROWID
