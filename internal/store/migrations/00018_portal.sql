-- +goose Up

-- How accounts look in the access portal: what administrators call and colour
-- them.
CREATE TABLE account_appearances (
    instance_id TEXT   NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    account_id  TEXT   NOT NULL,
    label       TEXT   NOT NULL,
    color       TEXT   NOT NULL,
    version     BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (instance_id, account_id)
);

-- Where the portal's shortcuts may lead without asking: https origins.
CREATE TABLE portal_destinations (
    instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    origin      TEXT NOT NULL,
    PRIMARY KEY (instance_id, origin)
);
