-- +goose Up

-- A sign-in that began with the link by which an administrator has a person
-- register a second factor.
ALTER TABLE signin_attempts ADD COLUMN enroll BOOLEAN NOT NULL DEFAULT FALSE;
