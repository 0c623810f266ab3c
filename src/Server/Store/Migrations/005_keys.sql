-- When a running server began to protect values with the key.
ALTER TABLE ring_keys ADD COLUMN serve_time INTEGER;

-- A random key for hashes that must stay the same while ring keys change. One row.
CREATE TABLE standing_key (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    content BLOB    NOT NULL -- sealed
) STRICT;

-- Their subjects were hashed under a ring key: nobody will look them up any more.
DELETE FROM send_counts;
