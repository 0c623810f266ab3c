-- The schema of Store/Migrations, all of it, for PostgreSQL. Times are UTC Unix milliseconds. Keys of an account's rows start
-- with the tenant and the account, so that the rows of one account live together on engines that shard by key. Text is
-- compared by its bytes: no other order may follow from where the database was created. Numbers are 64 bits wide everywhere, so
-- that one way of reading and binding them serves both engines.

-- One row an account: the factor in force (f_…), the enrollment that waits for its first code (p_…), the token that may switch
-- off (d_…), and the guesses. A row is saved only when its version is still the one that was decided on. The free space keeps
-- what a verification changes on the page it is on, without touching an index.
CREATE TABLE accounts (
    tenant                  text COLLATE "C" NOT NULL,
    account                 text COLLATE "C" NOT NULL,
    version                 bigint NOT NULL,
    enable_time             bigint,
    disable_time            bigint,
    factor_failures         bigint NOT NULL,
    factor_locked_until     bigint,
    enrollment_failures     bigint NOT NULL,
    enrollment_locked_until bigint,
    recovery_failures       bigint NOT NULL,
    recovery_locked_until   bigint,
    p_expire_time           bigint,
    d_hash                  bytea,
    d_enrollment            bytea,
    d_expire                bigint,

    f_id                    bytea,
    f_method                bigint,
    f_algorithm             bigint,
    f_digits                bigint,
    f_period                bigint,
    f_secret                bytea,
    f_last_step             bigint,
    f_recovery_id           bytea,
    f_recovery_key          bigint,
    f_recovery_hashes       bytea,
    f_recovery_used         bigint,
    f_email                 bytea,
    f_phone                 bytea,
    f_locale                text,
    f_code_id               bytea,
    f_code_key              bigint,
    f_code_hash             bytea,
    f_code_expire           bigint,
    f_code_tries            bigint,
    f_recovery_stale        bigint,
    f_spent_from            bigint,
    f_spent_to              bigint,

    p_id                    bytea,
    p_method                bigint,
    p_algorithm             bigint,
    p_digits                bigint,
    p_period                bigint,
    p_secret                bytea,
    p_last_step             bigint,
    p_recovery_id           bytea,
    p_recovery_key          bigint,
    p_recovery_hashes       bytea,
    p_recovery_used         bigint,
    p_email                 bytea,
    p_phone                 bytea,
    p_locale                text,
    p_code_id               bytea,
    p_code_key              bigint,
    p_code_hash             bytea,
    p_code_expire           bigint,
    p_code_tries            bigint,
    p_recovery_stale        bigint,
    p_spent_from            bigint,
    p_spent_to              bigint,

    PRIMARY KEY (tenant, account)
) WITH (fillfactor = 80);

CREATE INDEX accounts_pending ON accounts (p_expire_time) WHERE p_expire_time IS NOT NULL;

-- Answers to requests that carried a request_id.
CREATE TABLE answers (
    tenant      text COLLATE "C" NOT NULL,
    account     text COLLATE "C" NOT NULL,
    caller      text COLLATE "C" NOT NULL,
    request_id  bytea  NOT NULL,
    payload     bytea  NOT NULL, -- keyed hash of the request
    answer      bytea  NOT NULL,
    expire_time bigint NOT NULL,
    PRIMARY KEY (tenant, account, caller, request_id)
);

CREATE INDEX answers_expired ON answers (expire_time);

-- Messages on their way, saved in the transaction of what they tell about.
CREATE TABLE outbox (
    tenant      text COLLATE "C" NOT NULL,
    account     text COLLATE "C" NOT NULL,
    id          bytea    NOT NULL,
    channel     bigint NOT NULL,
    content     bytea,             -- sealed; gone once sent or given up
    create_time bigint NOT NULL,
    expire_time bigint NOT NULL,
    next_time   bigint NOT NULL, -- when to try next; while it is tried, when another server may
    attempts    bigint NOT NULL,
    state       bigint NOT NULL,
    update_time bigint NOT NULL,
    PRIMARY KEY (tenant, account, id)
);

CREATE INDEX outbox_due ON outbox (next_time) WHERE state = 1;

-- What was sent, counted by limit, subject (keyed hash) and window.
CREATE TABLE send_counts (
    name         text COLLATE "C" NOT NULL,
    subject      bytea   NOT NULL,
    window_start bigint NOT NULL,
    count        bigint NOT NULL,
    last_time    bigint NOT NULL,
    PRIMARY KEY (name, subject, window_start)
);

CREATE INDEX send_counts_old ON send_counts (window_start);

CREATE TABLE api_keys (
    id            bytea  NOT NULL PRIMARY KEY,
    tenant        text COLLATE "C" NOT NULL,
    name          text COLLATE "C" NOT NULL,
    scopes        bigint NOT NULL,
    hash          bytea  NOT NULL, -- SHA-256 of 32 random bytes
    create_time   bigint NOT NULL,
    revoke_time   bigint,
    disable_page  text,
    expire_time   bigint,
    last_use_time bigint
);

CREATE INDEX api_keys_name ON api_keys (name) WHERE revoke_time IS NULL;

-- Which caller a client certificate is, by a name that its authority vouches for.
CREATE TABLE certificate_names (
    san          text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant       text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    scopes       bigint NOT NULL,
    disable_page text,
    create_time  bigint NOT NULL
);

CREATE TABLE revoked_certificates (
    fingerprint bytea  NOT NULL PRIMARY KEY,
    revoke_time bigint NOT NULL
);

-- The built-in directory of people.
CREATE TABLE users (
    name                  text COLLATE "C" NOT NULL PRIMARY KEY,
    email                 bytea   NOT NULL, -- sealed
    phone                 bytea,            -- sealed
    password_key          bigint NOT NULL,
    password_rounds       bigint NOT NULL,
    password_salt         bytea   NOT NULL,
    password_hash         bytea   NOT NULL,
    create_time           bigint NOT NULL,
    password_failures     bigint NOT NULL DEFAULT 0,
    password_locked_until bigint
);

-- The ring keys this database was written with: a server with another ring must not start on it.
CREATE TABLE ring_keys (
    id          bigint NOT NULL PRIMARY KEY,
    check_value bytea  NOT NULL,
    serve_time  bigint
);

-- A random key for hashes that must stay the same while ring keys change. One row.
CREATE TABLE standing_key (
    id      bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    content bytea    NOT NULL -- sealed
);

-- One row about the database as a whole.
CREATE TABLE database_state (
    id           bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    lineage      bytea    NOT NULL,
    mark         bigint NOT NULL, -- the latest time at which anything was saved, to half a second
    restore_time bigint
);

-- Spans of time in which nothing was saved.
CREATE TABLE clock_gaps (
    from_time bigint NOT NULL,
    to_time   bigint NOT NULL
);

-- The audit trail. Every writer of every server extends a chain of its own, so that no two of them wait for each other. The
-- numbers in act, outcome, reason and factor are the enums of Domain/AuditEntry.cs.
CREATE TABLE audit (
    chain       bigint NOT NULL,
    seq         bigint NOT NULL, -- without gaps in its chain
    time        bigint NOT NULL,
    act         bigint NOT NULL,
    outcome     bigint NOT NULL,
    reason      bigint NOT NULL,
    factor      bigint NOT NULL,
    calls       bigint NOT NULL,
    account_key bigint NOT NULL,
    tenant      text COLLATE "C" NOT NULL,
    account     text COLLATE "C" NOT NULL,
    caller      text     NOT NULL,
    peer        text     NOT NULL,
    reference   bytea,
    detail      text     NOT NULL,
    hash        bytea    NOT NULL, -- SHA-256 of the hash before it and of all of the above but the chain
    PRIMARY KEY (chain, seq)
);

CREATE INDEX audit_time ON audit (time);
CREATE INDEX audit_account ON audit (account_key, time);

-- Where each chain begins and ends, under a MAC. Chain 0 has no rows; its seq tells how many chains there are.
CREATE TABLE audit_head (
    chain           bigint NOT NULL PRIMARY KEY,
    base_seq        bigint NOT NULL,
    base_hash       bytea  NOT NULL,
    base_checkpoint bigint NOT NULL,
    seq             bigint NOT NULL,
    hash            bytea  NOT NULL,
    checkpoint      bigint NOT NULL,
    key_id          bigint NOT NULL,
    mac             bytea  NOT NULL,
    held_by         bytea,           -- the writer that extends it
    held_until      bigint NOT NULL  -- from then on another one may go on with it
) WITH (fillfactor = 50);

CREATE TABLE audit_checkpoints (
    chain  bigint NOT NULL,
    number bigint NOT NULL, -- without gaps in its chain
    seq    bigint NOT NULL,
    time   bigint NOT NULL,
    hash   bytea  NOT NULL,
    key_id bigint NOT NULL,
    mac    bytea  NOT NULL,
    PRIMARY KEY (chain, number)
);
