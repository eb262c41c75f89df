-- +goose Up

-- Policy documents, by the SHA-256 of their text: a document that a thousand
-- roles share is kept once. One that nothing refers to any more stays.
CREATE TABLE iam_documents (
    digest   TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

-- IAM users. policies is a JSON document: what is attached to the user, its
-- inline policies by their digests.
CREATE TABLE iam_users (
    account_id TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    name_key   TEXT   NOT NULL, -- in lower case, under which it is unique
    path       TEXT   NOT NULL,
    policies   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (account_id, user_id),
    UNIQUE (account_id, name_key)
);

-- Long-term access keys. The secret is sealed with a key that is not in the
-- database.
CREATE TABLE iam_access_keys (
    id            TEXT    NOT NULL PRIMARY KEY,
    account_id    TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    sealed_secret BYTEA   NOT NULL,
    active        BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    FOREIGN KEY (account_id, user_id) REFERENCES iam_users (account_id, user_id) ON DELETE CASCADE
);

CREATE INDEX iam_access_keys_by_user ON iam_access_keys (account_id, user_id);

-- Roles. policies is as above; durations are in seconds.
CREATE TABLE iam_roles (
    account_id           TEXT   NOT NULL,
    role_id              TEXT   NOT NULL,
    name                 TEXT   NOT NULL,
    name_key             TEXT   NOT NULL,
    path                 TEXT   NOT NULL,
    description          TEXT   NOT NULL,
    trust_policy         TEXT   NOT NULL, -- its digest
    max_session_duration BIGINT NOT NULL,
    session_duration     BIGINT NOT NULL,
    policies             TEXT   NOT NULL,
    created_at           BIGINT NOT NULL,
    version              BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (account_id, role_id),
    UNIQUE (account_id, name_key)
);

-- Customer managed policies.
CREATE TABLE iam_policies (
    arn        TEXT   NOT NULL PRIMARY KEY,
    account_id TEXT   NOT NULL,
    policy_id  TEXT   NOT NULL UNIQUE,
    path       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    name_key   TEXT   NOT NULL,
    document   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL CHECK (version > 0),
    UNIQUE (account_id, name_key)
);
