-- +goose Up

-- Keys that seal and sign, wrapped by the root key, which is never stored
-- here. A purpose's numbers count from 1 and are never reused.
CREATE TABLE key_generation (
    purpose    TEXT   NOT NULL,
    number     BIGINT NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    root_id    TEXT   NOT NULL,
    wrapped    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    active_at  BIGINT NOT NULL,
    PRIMARY KEY (purpose, number)
);
