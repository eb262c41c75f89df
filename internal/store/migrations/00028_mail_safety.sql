-- +goose Up

-- The password of a person whose mailbox may be somebody else's: no letter
-- opens the way to another one until an administrator has helped.
ALTER TABLE passwords ADD COLUMN barred BOOLEAN NOT NULL DEFAULT FALSE;

-- The link that a sign-in uses up when the device is registered that it is for
-- (the hash of its token, in hexadecimal digits).
ALTER TABLE signin_attempts ADD COLUMN link_hash TEXT NOT NULL DEFAULT '';
