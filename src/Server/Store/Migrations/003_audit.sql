-- The audit trail. The numbers in act, outcome, reason and factor are the enums of Domain/AuditEntry.cs.

-- One row for everything that was decided; only ever appended, and removed at the front when it is old enough. There is one
-- index on what is written with every verdict, and it starts with the row's segment of 4,096: new entries then fall on a few
-- pages that are in memory, where an index on the account alone would touch a page of the disk for every row.
CREATE TABLE audit (
    seq         INTEGER NOT NULL PRIMARY KEY, -- without gaps
    time        INTEGER NOT NULL,
    act         INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,
    reason      INTEGER NOT NULL,
    factor      INTEGER NOT NULL,
    calls       INTEGER NOT NULL, -- how many calls the row stands for
    account_key INTEGER NOT NULL, -- short hash of tenant and account, for the index
    tenant      TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    caller      TEXT    NOT NULL,
    peer        TEXT    NOT NULL,
    reference   BLOB,             -- the caller's request_id; of a message, its id
    detail      TEXT    NOT NULL,
    hash        BLOB    NOT NULL  -- SHA-256 of the hash before it and of all of the above
) STRICT;

CREATE INDEX audit_account ON audit (seq >> 12, account_key);

-- Where the trail begins and ends, under a MAC: one row, saved in the transaction of the rows it covers.
CREATE TABLE audit_head (
    one             INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    base_seq        INTEGER NOT NULL, -- the last row that is not there any more; 0 at first
    base_hash       BLOB    NOT NULL,
    base_checkpoint INTEGER NOT NULL,
    seq             INTEGER NOT NULL, -- the newest row
    hash            BLOB    NOT NULL,
    checkpoint      INTEGER NOT NULL, -- the newest checkpoint
    key_id          INTEGER NOT NULL,
    mac             BLOB    NOT NULL
) STRICT;

-- What the trail ended with at some moments, each under a MAC of its own. They are logged, too.
CREATE TABLE audit_checkpoints (
    number INTEGER NOT NULL PRIMARY KEY, -- without gaps
    seq    INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    key_id INTEGER NOT NULL,
    mac    BLOB    NOT NULL
) STRICT;

-- A finding aid: which segments of the trail hold whose rows with which outcome, and of what time. Made once a segment is full.
CREATE TABLE audit_segments (
    segment    INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    caller     TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    PRIMARY KEY (segment, tenant, caller, outcome)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_segments_caller ON audit_segments (caller, segment);
CREATE INDEX audit_segments_outcome ON audit_segments (outcome, segment);
