-- +goose Up

-- Which organization was made first: operators' commands are about its
-- management account.
CREATE INDEX organization_by_age ON organization (created_at, id, management_account_id);
