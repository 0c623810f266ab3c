-- Codes that are sent: the open code of an enrollment, where codes go, and the language of messages.
ALTER TABLE accounts ADD COLUMN f_phone       BLOB; -- sealed
ALTER TABLE accounts ADD COLUMN f_locale      TEXT;
ALTER TABLE accounts ADD COLUMN f_code_id     BLOB;
ALTER TABLE accounts ADD COLUMN f_code_key    INTEGER;
ALTER TABLE accounts ADD COLUMN f_code_hash   BLOB;
ALTER TABLE accounts ADD COLUMN f_code_expire INTEGER;
ALTER TABLE accounts ADD COLUMN f_code_tries  INTEGER;
ALTER TABLE accounts ADD COLUMN p_phone       BLOB; -- sealed
ALTER TABLE accounts ADD COLUMN p_locale      TEXT;
ALTER TABLE accounts ADD COLUMN p_code_id     BLOB;
ALTER TABLE accounts ADD COLUMN p_code_key    INTEGER;
ALTER TABLE accounts ADD COLUMN p_code_hash   BLOB;
ALTER TABLE accounts ADD COLUMN p_code_expire INTEGER;
ALTER TABLE accounts ADD COLUMN p_code_tries  INTEGER;

-- The newest token that may switch the factor in force off.
ALTER TABLE accounts ADD COLUMN d_hash       BLOB;
ALTER TABLE accounts ADD COLUMN d_enrollment BLOB;
ALTER TABLE accounts ADD COLUMN d_expire     INTEGER;

-- Wrong passwords in a row, and until when none is accepted.
ALTER TABLE users ADD COLUMN password_failures     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_locked_until INTEGER;

-- The page of a calling service that mailed links to switch off lead to.
ALTER TABLE api_keys ADD COLUMN disable_page TEXT;

-- Messages on their way, saved in the transaction of what they tell about.
CREATE TABLE outbox (
    tenant      TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    id          BLOB    NOT NULL,
    channel     INTEGER NOT NULL,
    content     BLOB,             -- sealed; gone once sent or given up
    create_time INTEGER NOT NULL,
    expire_time INTEGER NOT NULL, -- from then on it is not sent any more
    next_time   INTEGER NOT NULL, -- when to try next; while it is tried, when another may
    attempts    INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (tenant, account, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (next_time) WHERE state = 1;

-- What was sent, counted by limit, subject (keyed hash) and window.
CREATE TABLE send_counts (
    name         TEXT    NOT NULL,
    subject      BLOB    NOT NULL,
    window_start INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    last_time    INTEGER NOT NULL,
    PRIMARY KEY (name, subject, window_start)
) STRICT, WITHOUT ROWID;

CREATE INDEX send_counts_old ON send_counts (window_start);
