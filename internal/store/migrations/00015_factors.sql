-- +goose Up

-- The second factors of people. secret is sealed: the seed of an authenticator
-- app, or a whole WebAuthn credential. handle is the hash of a credential's id,
-- or the id of the device. last_step is the time step of an app's last code.
CREATE TABLE mfa_devices (
    store_id     TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    type         TEXT    NOT NULL CHECK (type IN ('TOTP', 'WEBAUTHN')),
    handle       TEXT    NOT NULL UNIQUE,
    secret       BYTEA   NOT NULL,
    last_step    BIGINT  NOT NULL,
    suspect      BOOLEAN NOT NULL,
    created_at   BIGINT  NOT NULL,
    last_used_at BIGINT  NOT NULL,
    version      BIGINT  NOT NULL CHECK (version > 0),
    PRIMARY KEY (store_id, user_id, id),
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

-- What people were asked and have not answered: holder is a sign-in or a
-- portal session. data is sealed.
CREATE TABLE mfa_challenges (
    holder     TEXT   NOT NULL,
    purpose    TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (holder, purpose)
);

CREATE INDEX mfa_challenges_by_expiry ON mfa_challenges (expires_at);

-- The browsers that a person let be remembered, each in one context.
CREATE TABLE trusted_browsers (
    store_id   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    family     TEXT   NOT NULL,
    network    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (store_id, user_id, id),
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX trusted_browsers_by_expiry ON trusted_browsers (expires_at);

-- What a sign-in has to do next, and what it has done of it.
ALTER TABLE signin_attempts ADD COLUMN step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin_attempts ADD COLUMN factor_verified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin_attempts ADD COLUMN factor TEXT NOT NULL DEFAULT '';
ALTER TABLE signin_attempts ADD COLUMN trust BOOLEAN NOT NULL DEFAULT FALSE;

-- When the password was last given in a session; 0 for at its beginning.
ALTER TABLE portal_sessions ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
