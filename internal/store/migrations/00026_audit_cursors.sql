-- +goose Up

-- How far the audit trail has been forwarded to each target: every record up
-- to sequence. holder is the node that forwards, alone until held_until.
CREATE TABLE audit_cursors (
    target     TEXT   NOT NULL PRIMARY KEY,
    sequence   BIGINT NOT NULL CHECK (sequence >= 0),
    holder     TEXT   NOT NULL,
    held_until BIGINT NOT NULL
);
