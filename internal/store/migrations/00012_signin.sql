-- +goose Up

-- The passwords of people. hash is a PHC string; earlier is a JSON list of the
-- hashes of the person's own passwords before it, newest first. A one-time
-- password was set by an administrator and is replaced at the next sign-in.
CREATE TABLE passwords (
    store_id   TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    earlier    TEXT    NOT NULL,
    one_time   BOOLEAN NOT NULL,
    changed_at BIGINT  NOT NULL,
    version    BIGINT  NOT NULL CHECK (version > 0),
    PRIMARY KEY (store_id, user_id),
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

-- The sessions of people at the access portal. A session ends by being
-- deleted. token_hash is of what the person's browser holds.
CREATE TABLE portal_sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash BYTEA  NOT NULL UNIQUE,
    store_id   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    source_ip  TEXT   NOT NULL,
    user_agent TEXT   NOT NULL,
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX portal_sessions_by_user ON portal_sessions (store_id, user_id, id);
CREATE INDEX portal_sessions_by_expiry ON portal_sessions (expires_at);

-- Sign-ins under way. browser_hash is of the cookie of the browser that began
-- one; user_name is what was typed, of a user or not; user_id is empty and the
-- times are 0 until the password was right.
CREATE TABLE signin_attempts (
    id                   TEXT    NOT NULL PRIMARY KEY,
    browser_hash         BYTEA   NOT NULL,
    store_id             TEXT    NOT NULL,
    destination          TEXT    NOT NULL,
    user_name            TEXT    NOT NULL,
    user_id              TEXT    NOT NULL,
    password_verified_at BIGINT  NOT NULL,
    password_version     BIGINT  NOT NULL,
    password_expired     BOOLEAN NOT NULL,
    created_at           BIGINT  NOT NULL,
    expires_at           BIGINT  NOT NULL,
    version              BIGINT  NOT NULL CHECK (version > 0)
);

CREATE INDEX signin_attempts_by_expiry ON signin_attempts (expires_at);

-- How often something was tried, and until when it may not be tried again.
-- A row is forgotten when nothing was tried for a while.
CREATE TABLE throttles (
    scope         TEXT   NOT NULL,
    subject       TEXT   NOT NULL,
    tries         BIGINT NOT NULL CHECK (tries >= 0),
    blocked_until BIGINT NOT NULL,
    forgotten_at  BIGINT NOT NULL,
    PRIMARY KEY (scope, subject)
);

CREATE INDEX throttles_by_forgotten ON throttles (forgotten_at);
