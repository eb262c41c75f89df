-- +goose Up

-- The people of an identity store. Ids grow with time, so that the primary key
-- is also the order of creation. The columns ending in _key hold what they are
-- named after in the form under which it is unique; attributes is a JSON
-- document of everything a caller may set, and external_ids a JSON list.
CREATE TABLE directory_users (
    store_id      TEXT   NOT NULL,
    user_id       TEXT   NOT NULL,
    user_name_key TEXT   NOT NULL CHECK (user_name_key <> ''),
    email_key     TEXT   NOT NULL, -- '' when there is no address
    status        TEXT   NOT NULL CHECK (status IN ('ENABLED', 'DISABLED')),
    attributes    TEXT   NOT NULL,
    external_ids  TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    updated_at    BIGINT NOT NULL,
    updated_by    TEXT   NOT NULL,
    version       BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (store_id, user_id)
);

CREATE UNIQUE INDEX directory_users_by_name ON directory_users (store_id, user_name_key);
CREATE UNIQUE INDEX directory_users_by_email ON directory_users (store_id, email_key) WHERE email_key <> '';

-- The identifiers that external identity providers gave to users.
CREATE TABLE directory_user_external_ids (
    store_id    TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    PRIMARY KEY (store_id, issuer, external_id),
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX directory_user_external_ids_by_user ON directory_user_external_ids (store_id, user_id);

CREATE TABLE directory_groups (
    store_id         TEXT   NOT NULL,
    group_id         TEXT   NOT NULL,
    display_name     TEXT   NOT NULL,
    display_name_key TEXT   NOT NULL CHECK (display_name_key <> ''),
    description      TEXT   NOT NULL, -- '' when there is none
    external_ids     TEXT   NOT NULL, -- a JSON list
    created_at       BIGINT NOT NULL,
    created_by       TEXT   NOT NULL,
    updated_at       BIGINT NOT NULL,
    updated_by       TEXT   NOT NULL,
    version          BIGINT NOT NULL CHECK (version > 0),
    PRIMARY KEY (store_id, group_id)
);

CREATE UNIQUE INDEX directory_groups_by_name ON directory_groups (store_id, display_name_key);

-- The identifiers that external identity providers gave to groups.
CREATE TABLE directory_group_external_ids (
    store_id    TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    group_id    TEXT NOT NULL,
    PRIMARY KEY (store_id, issuer, external_id),
    FOREIGN KEY (store_id, group_id) REFERENCES directory_groups (store_id, group_id) ON DELETE CASCADE
);

CREATE INDEX directory_group_external_ids_by_group ON directory_group_external_ids (store_id, group_id);

-- Which users are in which groups. A membership is made and ended, never
-- changed.
CREATE TABLE directory_memberships (
    store_id      TEXT   NOT NULL,
    group_id      TEXT   NOT NULL,
    user_id       TEXT   NOT NULL,
    membership_id TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    PRIMARY KEY (store_id, group_id, user_id),
    FOREIGN KEY (store_id, group_id) REFERENCES directory_groups (store_id, group_id) ON DELETE CASCADE,
    FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX directory_memberships_by_id ON directory_memberships (store_id, membership_id);
CREATE INDEX directory_memberships_by_user ON directory_memberships (store_id, user_id, group_id);
