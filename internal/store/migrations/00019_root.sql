-- +goose Up

-- The links with which the root users of management accounts begin, or are
-- recovered. A link that was used is gone.
CREATE TABLE root_links (
    account_id TEXT   NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    token_hash BYTEA  NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX mfa_challenges_by_user ON mfa_challenges (user_id);
