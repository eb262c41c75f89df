-- +goose Up

-- When the person last proved a second factor in the session; 0 for not at all.
ALTER TABLE portal_sessions ADD COLUMN mfa_at BIGINT NOT NULL DEFAULT 0;
