-- A name may have several keys at once, so that one can follow another without a failed call.
DROP INDEX api_keys_name;
CREATE INDEX api_keys_name ON api_keys (name) WHERE revoke_time IS NULL;
ALTER TABLE api_keys ADD COLUMN expire_time   INTEGER;
ALTER TABLE api_keys ADD COLUMN last_use_time INTEGER; -- noted about once a minute

-- Which caller a client certificate is, by a name that its authority vouches for: dns:… in lower case, or uri:….
CREATE TABLE certificate_names (
    san          TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    scopes       INTEGER NOT NULL,
    disable_page TEXT,
    create_time  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Certificates that are refused whatever names they hold, by the SHA-256 of the whole certificate.
CREATE TABLE revoked_certificates (
    fingerprint BLOB    NOT NULL PRIMARY KEY,
    revoke_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
