-- +goose Up

-- When something was last taken away that credentials may depend on: the value
-- of the change counter then. Credentials that were issued at a lower value
-- have ended. Rows older than any credentials are deleted.
CREATE TABLE epochs (
    scope     TEXT   NOT NULL,
    id        TEXT   NOT NULL,
    value     BIGINT NOT NULL CHECK (value > 0),
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (scope, id)
);

CREATE INDEX epochs_by_value ON epochs (value, scope, id);
CREATE INDEX epochs_by_age ON epochs (raised_at);
