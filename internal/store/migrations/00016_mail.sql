-- +goose Up

-- Letters that are to be sent. A letter leaves the table when it is sent or
-- given up. sealed is its content, encrypted; due_at is when it is sent next,
-- and lies ahead while a node sends it. A letter of no kind is to nobody.
CREATE TABLE mail_outbox (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    store_id   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    recipient  TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    tries      BIGINT NOT NULL CHECK (tries >= 0),
    version    BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX mail_outbox_by_due ON mail_outbox (due_at, id);

-- Links that were sent. token_hash is of what the letter has. A link is good
-- once (used_at is 0 until then), for the address that it was sent to and the
-- password that there was, whose version is 0 when there was none.
CREATE TABLE mail_links (
    token_hash       BYTEA  NOT NULL PRIMARY KEY,
    purpose          TEXT   NOT NULL,
    store_id         TEXT   NOT NULL,
    user_id          TEXT   NOT NULL,
    email_key        TEXT   NOT NULL,
    about            TEXT   NOT NULL,
    password_version BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    used_at          BIGINT NOT NULL,
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX mail_links_by_user ON mail_links (store_id, user_id);
CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);

-- Codes that were sent, one for each thing that waits for one. tag is made
-- with a key that is not in the database. user_id is empty for nobody.
CREATE TABLE mail_codes (
    subject    TEXT   NOT NULL PRIMARY KEY,
    store_id   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    email_key  TEXT   NOT NULL,
    tag        BYTEA  NOT NULL,
    tries      BIGINT NOT NULL CHECK (tries >= 0),
    expires_at BIGINT NOT NULL
);

CREATE INDEX mail_codes_by_expiry ON mail_codes (expires_at);

-- The address of a person that was last shown to be the person's own.
CREATE TABLE verified_emails (
    store_id    TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    email_key   TEXT   NOT NULL,
    verified_at BIGINT NOT NULL,
    PRIMARY KEY (store_id, user_id),
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);
