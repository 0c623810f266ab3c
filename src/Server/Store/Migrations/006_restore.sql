-- Backup, restore and the clock.

-- Set by a restore: nobody knows which of these recovery codes were used after the backup.
ALTER TABLE accounts ADD COLUMN f_recovery_stale INTEGER;
ALTER TABLE accounts ADD COLUMN p_recovery_stale INTEGER;

-- Set by a repair of the clock's marks: time steps that may have been accepted while the clock was wrong.
ALTER TABLE accounts ADD COLUMN f_spent_from INTEGER;
ALTER TABLE accounts ADD COLUMN f_spent_to   INTEGER;
ALTER TABLE accounts ADD COLUMN p_spent_from INTEGER;
ALTER TABLE accounts ADD COLUMN p_spent_to   INTEGER;

-- One row about the database as a whole.
CREATE TABLE database_state (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    lineage      BLOB    NOT NULL, -- random, the same in every backup: tells an earlier state of this database from another one
    mark         INTEGER NOT NULL, -- the latest time at which anything was saved; time never counts as earlier than that
    restore_time INTEGER           -- when it was last restored from a backup
) STRICT;

INSERT INTO database_state (id, lineage, mark) VALUES (1, randomblob(16), 0);

-- Spans of time in which nothing was saved: the server was down, or its clock jumped over them.
CREATE TABLE clock_gaps (
    from_time INTEGER NOT NULL,
    to_time   INTEGER NOT NULL
) STRICT;
