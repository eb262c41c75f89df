-- +goose Up

-- What is true of the database as a whole, e.g. when it was set up.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row, whose value grows with every change that takes an access away.
-- Nodes follow it to learn that what they hold in memory is out of date.
CREATE TABLE change_counter (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    value BIGINT  NOT NULL
);

INSERT INTO change_counter (id, value) VALUES (1, 0);

-- Responses of operations that carry an idempotency token, to be given again
-- to a caller who repeats the request. request_hash tells whether it is the
-- same request.
CREATE TABLE idempotency (
    account_id   TEXT   NOT NULL,
    operation    TEXT   NOT NULL,
    token        TEXT   NOT NULL,
    request_hash BYTEA  NOT NULL,
    response     BYTEA  NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, operation, token)
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
