-- +goose Up
-- What people see of where they are signed in: the programs that they let use
-- their access, by the names that those have given themselves, and what was
-- proved at the sign-in beside the password ('' for nothing).
ALTER TABLE token_families ADD COLUMN client_name TEXT NOT NULL DEFAULT '';
ALTER TABLE portal_sessions ADD COLUMN factor TEXT NOT NULL DEFAULT '';
CREATE INDEX token_families_by_user ON token_families (store_id, user_id, created_at);
