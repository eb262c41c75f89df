-- +goose Up

-- Instances of IAM Identity Center. organization_id is empty for the instance
-- that a single account has for itself.
CREATE TABLE instances (
    id                TEXT   NOT NULL PRIMARY KEY,
    identity_store_id TEXT   NOT NULL UNIQUE,
    owner_account_id  TEXT   NOT NULL,
    organization_id   TEXT   NOT NULL,
    region            TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    version           BIGINT NOT NULL CHECK (version > 0)
);

CREATE UNIQUE INDEX instances_by_organization ON instances (organization_id) WHERE organization_id <> '';
CREATE UNIQUE INDEX instances_by_account ON instances (owner_account_id) WHERE organization_id = '';

-- Attributes for access control, as a JSON list; a row means that they are
-- enabled.
CREATE TABLE access_control_configurations (
    instance_id TEXT NOT NULL PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
    attributes  TEXT NOT NULL
);

-- Tags of instances and permission sets.
CREATE TABLE resource_tags (
    resource_arn TEXT NOT NULL,
    key          TEXT NOT NULL,
    value        TEXT NOT NULL,
    instance_id  TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    PRIMARY KEY (resource_arn, key)
);

CREATE INDEX resource_tags_by_instance ON resource_tags (instance_id);

-- At most one of boundary_arn and boundary_name is set. version counts edits
-- of the row and of the attached policies.
CREATE TABLE permission_sets (
    id               TEXT   NOT NULL PRIMARY KEY,
    instance_id      TEXT   NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    name             TEXT   NOT NULL,
    description      TEXT   NOT NULL,
    session_duration TEXT   NOT NULL,
    relay_state      TEXT   NOT NULL,
    inline_policy    TEXT   NOT NULL,
    boundary_arn     TEXT   NOT NULL,
    boundary_path    TEXT   NOT NULL,
    boundary_name    TEXT   NOT NULL,
    created_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL CHECK (version > 0),
    UNIQUE (instance_id, name),
    CHECK (boundary_arn = '' OR boundary_name = '')
);

CREATE INDEX permission_sets_by_instance ON permission_sets (instance_id, id);

CREATE TABLE permission_set_managed_policies (
    permission_set_id TEXT NOT NULL REFERENCES permission_sets (id) ON DELETE CASCADE,
    arn               TEXT NOT NULL,
    PRIMARY KEY (permission_set_id, arn)
);

CREATE TABLE permission_set_customer_policies (
    permission_set_id TEXT NOT NULL REFERENCES permission_sets (id) ON DELETE CASCADE,
    path              TEXT NOT NULL,
    name              TEXT NOT NULL,
    PRIMARY KEY (permission_set_id, path, name)
);

-- The SAML provider by which an instance is trusted in an account. It stays
-- when the account's last role goes.
CREATE TABLE instance_saml_providers (
    instance_id TEXT   NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    account_id  TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (instance_id, account_id)
);

-- The role of a permission set in an account. version is that of the
-- permission set whose policies the role has.
CREATE TABLE provisioned_permission_sets (
    permission_set_id TEXT   NOT NULL REFERENCES permission_sets (id),
    account_id        TEXT   NOT NULL,
    instance_id       TEXT   NOT NULL REFERENCES instances (id),
    role_name         TEXT   NOT NULL,
    role_id           TEXT   NOT NULL,
    version           BIGINT NOT NULL,
    provisioned_at    BIGINT NOT NULL,
    PRIMARY KEY (permission_set_id, account_id)
);

CREATE INDEX provisioned_permission_sets_by_account ON provisioned_permission_sets (account_id, permission_set_id);
CREATE INDEX provisioned_permission_sets_by_instance ON provisioned_permission_sets (instance_id);

-- An assignment needs the role that it gives access to.
CREATE TABLE account_assignments (
    permission_set_id TEXT   NOT NULL,
    account_id        TEXT   NOT NULL,
    principal_type    TEXT   NOT NULL CHECK (principal_type IN ('USER', 'GROUP')),
    principal_id      TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (permission_set_id, account_id, principal_type, principal_id),
    FOREIGN KEY (permission_set_id, account_id)
        REFERENCES provisioned_permission_sets (permission_set_id, account_id)
);

CREATE INDEX account_assignments_by_principal ON account_assignments (principal_id, account_id, permission_set_id, principal_type);

-- What became of requests to assign, unassign and provision. A request
-- outlives the permission set that it was about.
CREATE TABLE assignment_requests (
    id                TEXT   NOT NULL PRIMARY KEY,
    instance_id       TEXT   NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    kind              TEXT   NOT NULL CHECK (kind IN ('CREATE', 'DELETE', 'PROVISION')),
    status            TEXT   NOT NULL CHECK (status IN ('SUCCEEDED', 'FAILED')),
    failure_reason    TEXT   NOT NULL,
    permission_set_id TEXT   NOT NULL,
    account_id        TEXT   NOT NULL,
    principal_type    TEXT   NOT NULL,
    principal_id      TEXT   NOT NULL,
    created_at        BIGINT NOT NULL
);

CREATE INDEX assignment_requests_by_time ON assignment_requests (instance_id, kind, created_at, id);
