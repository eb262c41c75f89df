-- +goose Up

-- How the people of an identity store sign in. document is JSON; a store
-- without a row has the defaults.
CREATE TABLE auth_settings (
    store_id TEXT   NOT NULL PRIMARY KEY REFERENCES instances (identity_store_id) ON DELETE CASCADE,
    document TEXT   NOT NULL,
    version  BIGINT NOT NULL CHECK (version > 0)
);
