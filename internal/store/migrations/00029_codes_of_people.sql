-- +goose Up

-- The codes of a person end when the person is disabled.
CREATE INDEX mail_codes_by_user ON mail_codes (store_id, user_id);
