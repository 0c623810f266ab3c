-- Rows of an account are found by a list a segment, in place of an index that every verdict had to write to. These lists, and the
-- finding aid with them, are made anew in the background.
DROP INDEX audit_account;
DELETE FROM audit_segments;

-- The account_key of each row of a full segment, in the order of the rows: four bytes each, the lowest first.
CREATE TABLE audit_account_keys (
    segment INTEGER NOT NULL PRIMARY KEY,
    keys    BLOB    NOT NULL
) STRICT;
