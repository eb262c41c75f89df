-- +goose Up

-- The names that administrators gave to portals: https://<alias>.awsapps.com/start.
-- An alias is in lower case and, as at AWS, is given once.
CREATE TABLE portal_aliases (
    alias    TEXT NOT NULL PRIMARY KEY,
    store_id TEXT NOT NULL UNIQUE REFERENCES instances (identity_store_id) ON DELETE CASCADE
);
