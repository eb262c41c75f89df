-- +goose Up

-- Audit records that are committed and in no batch yet: a second's worth.
CREATE TABLE audit_pending (
    event_id   TEXT   NOT NULL PRIMARY KEY,
    event_time BIGINT NOT NULL,
    body       BYTEA  NOT NULL
);

-- The audit trail. Rows are added at the end and removed from the beginning,
-- by retention, and never changed. content is gzip of a record a line; hash
-- covers the row's other columns and the hash of the row before it.
CREATE TABLE audit_batch (
    number         BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    kind           TEXT   NOT NULL CHECK (kind IN ('records', 'removal')),
    first_sequence BIGINT NOT NULL CHECK (first_sequence > 0),
    last_sequence  BIGINT NOT NULL CHECK (last_sequence >= first_sequence - 1),
    first_time     BIGINT NOT NULL,
    last_time      BIGINT NOT NULL,
    sealed_at      BIGINT NOT NULL,
    content        BYTEA  NOT NULL,
    previous_hash  TEXT   NOT NULL,
    hash           TEXT   NOT NULL,
    signature      BYTEA  NOT NULL
);

CREATE INDEX audit_batch_by_sequence ON audit_batch (last_sequence);
