-- +goose Up

-- Every account of the system, in an organization or not. Rows are never
-- deleted: ids are not reused. email_key is the address in lower case.
CREATE TABLE account (
    id         TEXT   NOT NULL PRIMARY KEY CHECK (length(id) = 12),
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    email_key  TEXT   NOT NULL UNIQUE,
    state      TEXT   NOT NULL CHECK (state IN ('ACTIVE', 'CLOSED')),
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE organization (
    id                    TEXT   NOT NULL PRIMARY KEY,
    management_account_id TEXT   NOT NULL UNIQUE REFERENCES account (id),
    feature_set           TEXT   NOT NULL CHECK (feature_set IN ('ALL', 'CONSOLIDATED_BILLING')),
    created_at            BIGINT NOT NULL
);

-- The tree: one root, which has no parent, and organizational units.
-- Containers never move, so path (o-…/r-…/ou-…/) never changes.
CREATE TABLE organization_container (
    organization_id TEXT   NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    id              TEXT   NOT NULL UNIQUE,
    parent_id       TEXT,
    name            TEXT   NOT NULL,
    path            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL DEFAULT 1,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, parent_id) REFERENCES organization_container (organization_id, id),
    UNIQUE (organization_id, parent_id, name)
);

CREATE UNIQUE INDEX organization_root ON organization_container (organization_id) WHERE parent_id IS NULL;
CREATE INDEX organization_container_by_parent ON organization_container (organization_id, parent_id, id);

CREATE TABLE organization_member (
    account_id      TEXT   NOT NULL PRIMARY KEY REFERENCES account (id),
    organization_id TEXT   NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    parent_id       TEXT   NOT NULL,
    joined_method   TEXT   NOT NULL CHECK (joined_method IN ('INVITED', 'CREATED')),
    joined_at       BIGINT NOT NULL,
    UNIQUE (organization_id, account_id),
    FOREIGN KEY (organization_id, parent_id) REFERENCES organization_container (organization_id, id)
);

CREATE INDEX organization_member_by_parent ON organization_member (organization_id, parent_id, account_id);

-- What became of requests to create an account. completed_at is 0 while one
-- is in progress.
CREATE TABLE create_account_request (
    organization_id TEXT   NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    id              TEXT   NOT NULL,
    account_name    TEXT   NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    requested_at    BIGINT NOT NULL,
    completed_at    BIGINT NOT NULL,
    account_id      TEXT   NOT NULL,
    failure_reason  TEXT   NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- Services trusted in an organization.
CREATE TABLE organization_service (
    organization_id   TEXT   NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    service_principal TEXT   NOT NULL,
    enabled_at        BIGINT NOT NULL,
    PRIMARY KEY (organization_id, service_principal)
);

CREATE TABLE delegated_administrator (
    organization_id   TEXT   NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    account_id        TEXT   NOT NULL,
    service_principal TEXT   NOT NULL,
    enabled_at        BIGINT NOT NULL,
    PRIMARY KEY (organization_id, account_id, service_principal),
    FOREIGN KEY (organization_id, account_id) REFERENCES organization_member (organization_id, account_id),
    FOREIGN KEY (organization_id, service_principal) REFERENCES organization_service (organization_id, service_principal)
);

CREATE INDEX delegated_administrator_by_service
    ON delegated_administrator (organization_id, service_principal, account_id);

-- Tags of accounts, roots and organizational units.
CREATE TABLE organization_tag (
    organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    resource_id     TEXT NOT NULL,
    key             TEXT NOT NULL,
    value           TEXT NOT NULL,
    PRIMARY KEY (organization_id, resource_id, key)
);
