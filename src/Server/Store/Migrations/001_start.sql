-- Times are UTC Unix milliseconds. Every key starts with the tenant and the account, so that the rows of one account
-- live together on engines that shard by key.

-- One row an account: the factor in force (f_…), the enrollment that waits for its first code (p_…), and the guesses.
-- The row is saved as a whole, only when its version is still the one that was decided on.
CREATE TABLE accounts (
    tenant                  TEXT    NOT NULL,
    account                 TEXT    NOT NULL,
    version                 INTEGER NOT NULL,
    enable_time             INTEGER,
    disable_time            INTEGER,
    factor_failures         INTEGER NOT NULL,
    factor_locked_until     INTEGER,
    enrollment_failures     INTEGER NOT NULL,
    enrollment_locked_until INTEGER,
    recovery_failures       INTEGER NOT NULL,
    recovery_locked_until   INTEGER,

    f_id              BLOB,
    f_method          INTEGER,
    f_algorithm       INTEGER,
    f_digits          INTEGER,
    f_period          INTEGER,
    f_secret          BLOB,
    f_last_step       INTEGER,
    f_recovery_id     BLOB,
    f_recovery_key    INTEGER,
    f_recovery_hashes BLOB,
    f_recovery_used   INTEGER,
    f_email           BLOB,

    p_expire_time     INTEGER,
    p_id              BLOB,
    p_method          INTEGER,
    p_algorithm       INTEGER,
    p_digits          INTEGER,
    p_period          INTEGER,
    p_secret          BLOB,
    p_last_step       INTEGER,
    p_recovery_id     BLOB,
    p_recovery_key    INTEGER,
    p_recovery_hashes BLOB,
    p_recovery_used   INTEGER,
    p_email           BLOB,

    PRIMARY KEY (tenant, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_pending ON accounts (p_expire_time) WHERE p_expire_time IS NOT NULL;

-- Answers to requests that carried a request_id, so that a repeated request gets the first answer.
CREATE TABLE answers (
    tenant      TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    caller      TEXT    NOT NULL,
    request_id  BLOB    NOT NULL,
    payload     BLOB    NOT NULL, -- keyed hash of the request
    answer      BLOB    NOT NULL,
    expire_time INTEGER NOT NULL,
    PRIMARY KEY (tenant, account, caller, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_expired ON answers (expire_time);

CREATE TABLE api_keys (
    id          BLOB    NOT NULL PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    scopes      INTEGER NOT NULL,
    hash        BLOB    NOT NULL, -- SHA-256 of 32 random bytes
    create_time INTEGER NOT NULL,
    revoke_time INTEGER
) STRICT, WITHOUT ROWID;

-- A name can be given again once its key is revoked.
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoke_time IS NULL;

-- The built-in directory of people.
CREATE TABLE users (
    name            TEXT    NOT NULL PRIMARY KEY,
    email           BLOB    NOT NULL, -- sealed
    phone           BLOB,             -- sealed
    password_key    INTEGER NOT NULL,
    password_rounds INTEGER NOT NULL,
    password_salt   BLOB    NOT NULL,
    password_hash   BLOB    NOT NULL,
    create_time     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ring keys this database was written with: a server with another ring must not start on it.
CREATE TABLE ring_keys (
    id    INTEGER NOT NULL PRIMARY KEY,
    check_value BLOB NOT NULL
) STRICT;
