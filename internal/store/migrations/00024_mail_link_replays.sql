-- +goose Up

-- When the person was first told that a link was followed again after it was
-- used; 0 for never.
ALTER TABLE mail_links ADD COLUMN replayed_at BIGINT NOT NULL DEFAULT 0;
