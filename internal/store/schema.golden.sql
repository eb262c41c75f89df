CREATE TABLE access_control_configurations (
 instance_id TEXT NOT NULL PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
 attributes TEXT NOT NULL
);

CREATE TABLE account (
 id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 12),
 name TEXT NOT NULL,
 email TEXT NOT NULL,
 email_key TEXT NOT NULL UNIQUE,
 state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'CLOSED')),
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE account_appearances (
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 account_id TEXT NOT NULL,
 label TEXT NOT NULL,
 color TEXT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (instance_id, account_id)
);

CREATE TABLE account_assignments (
 permission_set_id TEXT NOT NULL,
 account_id TEXT NOT NULL,
 principal_type TEXT NOT NULL CHECK (principal_type IN ('USER', 'GROUP')),
 principal_id TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 PRIMARY KEY (permission_set_id, account_id, principal_type, principal_id),
 FOREIGN KEY (permission_set_id, account_id)
 REFERENCES provisioned_permission_sets (permission_set_id, account_id)
);

CREATE INDEX account_assignments_by_principal ON account_assignments (principal_id, account_id, permission_set_id, principal_type);

CREATE TABLE assignment_requests (
 id TEXT NOT NULL PRIMARY KEY,
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 kind TEXT NOT NULL CHECK (kind IN ('CREATE', 'DELETE', 'PROVISION')),
 status TEXT NOT NULL CHECK (status IN ('SUCCEEDED', 'FAILED')),
 failure_reason TEXT NOT NULL,
 permission_set_id TEXT NOT NULL,
 account_id TEXT NOT NULL,
 principal_type TEXT NOT NULL,
 principal_id TEXT NOT NULL,
 created_at BIGINT NOT NULL
);

CREATE INDEX assignment_requests_by_time ON assignment_requests (instance_id, kind, created_at, id);

CREATE TABLE audit_batch (
 number BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
 kind TEXT NOT NULL CHECK (kind IN ('records', 'removal')),
 first_sequence BIGINT NOT NULL CHECK (first_sequence > 0),
 last_sequence BIGINT NOT NULL CHECK (last_sequence >= first_sequence - 1),
 first_time BIGINT NOT NULL,
 last_time BIGINT NOT NULL,
 sealed_at BIGINT NOT NULL,
 content BYTEA NOT NULL,
 previous_hash TEXT NOT NULL,
 hash TEXT NOT NULL,
 signature BYTEA NOT NULL
);

CREATE INDEX audit_batch_by_sequence ON audit_batch (last_sequence);

CREATE TABLE audit_cursors (
 target TEXT NOT NULL PRIMARY KEY,
 sequence BIGINT NOT NULL CHECK (sequence >= 0),
 holder TEXT NOT NULL,
 held_until BIGINT NOT NULL
);

CREATE TABLE audit_pending (
 event_id TEXT NOT NULL PRIMARY KEY,
 event_time BIGINT NOT NULL,
 body BYTEA NOT NULL
);

CREATE TABLE auth_settings (
 store_id TEXT NOT NULL PRIMARY KEY REFERENCES instances (identity_store_id) ON DELETE CASCADE,
 document TEXT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0)
);

CREATE TABLE authorization_codes (
 code_hash BYTEA NOT NULL PRIMARY KEY,
 client_id TEXT NOT NULL,
 redirect_uri TEXT NOT NULL,
 challenge TEXT NOT NULL,
 scopes TEXT NOT NULL,
 session_id TEXT NOT NULL REFERENCES portal_sessions (id) ON DELETE CASCADE,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 family_id TEXT NOT NULL
);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at) WHERE family_id = '';

CREATE INDEX authorization_codes_by_session ON authorization_codes (session_id);

CREATE TABLE change_counter (
 id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
 value BIGINT NOT NULL
);

CREATE TABLE create_account_request (
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 id TEXT NOT NULL,
 account_name TEXT NOT NULL,
 state TEXT NOT NULL CHECK (state IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
 requested_at BIGINT NOT NULL,
 completed_at BIGINT NOT NULL,
 account_id TEXT NOT NULL,
 failure_reason TEXT NOT NULL,
 PRIMARY KEY (organization_id, id)
);

CREATE TABLE delegated_administrator (
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 account_id TEXT NOT NULL,
 service_principal TEXT NOT NULL,
 enabled_at BIGINT NOT NULL,
 PRIMARY KEY (organization_id, account_id, service_principal),
 FOREIGN KEY (organization_id, account_id) REFERENCES organization_member (organization_id, account_id),
 FOREIGN KEY (organization_id, service_principal) REFERENCES organization_service (organization_id, service_principal)
);

CREATE INDEX delegated_administrator_by_service
 ON delegated_administrator (organization_id, service_principal, account_id);

CREATE TABLE device_authorizations (
 code_hash BYTEA NOT NULL PRIMARY KEY,
 user_code TEXT NOT NULL UNIQUE,
 client_id TEXT NOT NULL,
 client_name TEXT NOT NULL,
 scopes TEXT NOT NULL,
 store_id TEXT NOT NULL REFERENCES instances (identity_store_id) ON DELETE CASCADE,
 source_ip TEXT NOT NULL,
 user_agent TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 status TEXT NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'DENIED', 'REDEEMED')),
 session_id TEXT REFERENCES portal_sessions (id) ON DELETE CASCADE,
 family_id TEXT NOT NULL,
 next_poll_at BIGINT NOT NULL,
 CHECK ((status IN ('APPROVED', 'REDEEMED')) = (session_id IS NOT NULL)),
 CHECK ((status = 'REDEEMED') = (family_id <> ''))
);

CREATE INDEX device_authorizations_by_expiry ON device_authorizations (expires_at) WHERE status <> 'REDEEMED';

CREATE INDEX device_authorizations_by_session ON device_authorizations (session_id);

CREATE INDEX device_authorizations_by_store ON device_authorizations (store_id);

CREATE TABLE directory_group_external_ids (
 store_id TEXT NOT NULL,
 issuer TEXT NOT NULL,
 external_id TEXT NOT NULL,
 group_id TEXT NOT NULL,
 PRIMARY KEY (store_id, issuer, external_id),
 FOREIGN KEY (store_id, group_id) REFERENCES directory_groups (store_id, group_id) ON DELETE CASCADE
);

CREATE INDEX directory_group_external_ids_by_group ON directory_group_external_ids (store_id, group_id);

CREATE TABLE directory_groups (
 store_id TEXT NOT NULL,
 group_id TEXT NOT NULL,
 display_name TEXT NOT NULL,
 display_name_key TEXT NOT NULL CHECK (display_name_key <> ''),
 description TEXT NOT NULL, -- '' when there is none
 external_ids TEXT NOT NULL, -- a JSON list
 created_at BIGINT NOT NULL,
 created_by TEXT NOT NULL,
 updated_at BIGINT NOT NULL,
 updated_by TEXT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (store_id, group_id)
);

CREATE UNIQUE INDEX directory_groups_by_name ON directory_groups (store_id, display_name_key);

CREATE TABLE directory_memberships (
 store_id TEXT NOT NULL,
 group_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 membership_id TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 created_by TEXT NOT NULL,
 PRIMARY KEY (store_id, group_id, user_id),
 FOREIGN KEY (store_id, group_id) REFERENCES directory_groups (store_id, group_id) ON DELETE CASCADE,
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX directory_memberships_by_id ON directory_memberships (store_id, membership_id);

CREATE INDEX directory_memberships_by_user ON directory_memberships (store_id, user_id, group_id);

CREATE TABLE directory_user_external_ids (
 store_id TEXT NOT NULL,
 issuer TEXT NOT NULL,
 external_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 PRIMARY KEY (store_id, issuer, external_id),
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX directory_user_external_ids_by_user ON directory_user_external_ids (store_id, user_id);

CREATE TABLE directory_users (
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 user_name_key TEXT NOT NULL CHECK (user_name_key <> ''),
 email_key TEXT NOT NULL, -- '' when there is no address
 status TEXT NOT NULL CHECK (status IN ('ENABLED', 'DISABLED')),
 attributes TEXT NOT NULL,
 external_ids TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 created_by TEXT NOT NULL,
 updated_at BIGINT NOT NULL,
 updated_by TEXT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (store_id, user_id)
);

CREATE UNIQUE INDEX directory_users_by_email ON directory_users (store_id, email_key) WHERE email_key <> '';

CREATE UNIQUE INDEX directory_users_by_name ON directory_users (store_id, user_name_key);

CREATE TABLE epochs (
 scope TEXT NOT NULL,
 id TEXT NOT NULL,
 value BIGINT NOT NULL CHECK (value > 0),
 raised_at BIGINT NOT NULL,
 PRIMARY KEY (scope, id)
);

CREATE INDEX epochs_by_age ON epochs (raised_at);

CREATE INDEX epochs_by_value ON epochs (value, scope, id);

CREATE TABLE iam_access_keys (
 id TEXT NOT NULL PRIMARY KEY,
 account_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 sealed_secret BYTEA NOT NULL,
 active BOOLEAN NOT NULL,
 created_at BIGINT NOT NULL,
 FOREIGN KEY (account_id, user_id) REFERENCES iam_users (account_id, user_id) ON DELETE CASCADE
);

CREATE INDEX iam_access_keys_by_user ON iam_access_keys (account_id, user_id);

CREATE TABLE iam_document_uses (
 owner_id TEXT NOT NULL,
 digest TEXT NOT NULL REFERENCES iam_documents (digest),
 PRIMARY KEY (owner_id, digest)
);

CREATE INDEX iam_document_uses_by_digest ON iam_document_uses (digest);

CREATE TABLE iam_documents (
 digest TEXT NOT NULL PRIMARY KEY,
 document TEXT NOT NULL
);

CREATE TABLE iam_policies (
 arn TEXT NOT NULL PRIMARY KEY,
 account_id TEXT NOT NULL,
 policy_id TEXT NOT NULL UNIQUE,
 path TEXT NOT NULL,
 name TEXT NOT NULL,
 name_key TEXT NOT NULL,
 document TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 UNIQUE (account_id, name_key)
);

CREATE TABLE iam_roles (
 account_id TEXT NOT NULL,
 role_id TEXT NOT NULL,
 name TEXT NOT NULL,
 name_key TEXT NOT NULL,
 path TEXT NOT NULL,
 description TEXT NOT NULL,
 trust_policy TEXT NOT NULL, -- its digest
 max_session_duration BIGINT NOT NULL,
 session_duration BIGINT NOT NULL,
 policies TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (account_id, role_id),
 UNIQUE (account_id, name_key)
);

CREATE TABLE iam_users (
 account_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 name TEXT NOT NULL,
 name_key TEXT NOT NULL, -- in lower case, under which it is unique
 path TEXT NOT NULL,
 policies TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (account_id, user_id),
 UNIQUE (account_id, name_key)
);

CREATE TABLE idempotency (
 account_id TEXT NOT NULL,
 operation TEXT NOT NULL,
 token TEXT NOT NULL,
 request_hash BYTEA NOT NULL,
 response BYTEA NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 PRIMARY KEY (account_id, operation, token)
);

CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);

CREATE TABLE instance_saml_providers (
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 account_id TEXT NOT NULL,
 name TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 PRIMARY KEY (instance_id, account_id)
);

CREATE TABLE instances (
 id TEXT NOT NULL PRIMARY KEY,
 identity_store_id TEXT NOT NULL UNIQUE,
 owner_account_id TEXT NOT NULL,
 organization_id TEXT NOT NULL,
 region TEXT NOT NULL,
 name TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0)
);

CREATE UNIQUE INDEX instances_by_account ON instances (owner_account_id) WHERE organization_id = '';

CREATE INDEX instances_by_age ON instances ((organization_id = ''), created_at, id);

CREATE UNIQUE INDEX instances_by_organization ON instances (organization_id) WHERE organization_id <> '';

CREATE TABLE key_generation (
 purpose TEXT NOT NULL,
 number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
 root_id TEXT NOT NULL,
 wrapped BYTEA NOT NULL,
 created_at BIGINT NOT NULL,
 active_at BIGINT NOT NULL,
 PRIMARY KEY (purpose, number)
);

CREATE TABLE mail_codes (
 subject TEXT NOT NULL PRIMARY KEY,
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 email_key TEXT NOT NULL,
 tag BYTEA NOT NULL,
 tries BIGINT NOT NULL CHECK (tries >= 0),
 expires_at BIGINT NOT NULL
);

CREATE INDEX mail_codes_by_expiry ON mail_codes (expires_at);

CREATE INDEX mail_codes_by_user ON mail_codes (store_id, user_id);

CREATE TABLE mail_links (
 token_hash BYTEA NOT NULL PRIMARY KEY,
 purpose TEXT NOT NULL,
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 email_key TEXT NOT NULL,
 about TEXT NOT NULL,
 password_version BIGINT NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 used_at BIGINT NOT NULL, replayed_at BIGINT NOT NULL DEFAULT 0,
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX mail_links_by_expiry ON mail_links (expires_at);

CREATE INDEX mail_links_by_user ON mail_links (store_id, user_id);

CREATE TABLE mail_outbox (
 id TEXT NOT NULL PRIMARY KEY,
 kind TEXT NOT NULL,
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 recipient TEXT NOT NULL,
 sealed BYTEA NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 due_at BIGINT NOT NULL,
 tries BIGINT NOT NULL CHECK (tries >= 0),
 version BIGINT NOT NULL CHECK (version > 0)
);

CREATE INDEX mail_outbox_by_due ON mail_outbox (due_at, id);

CREATE TABLE meta (
 name TEXT NOT NULL PRIMARY KEY,
 value TEXT NOT NULL
);

CREATE TABLE mfa_challenges (
 holder TEXT NOT NULL,
 purpose TEXT NOT NULL,
 user_id TEXT NOT NULL,
 data BYTEA NOT NULL,
 expires_at BIGINT NOT NULL,
 PRIMARY KEY (holder, purpose)
);

CREATE INDEX mfa_challenges_by_expiry ON mfa_challenges (expires_at);

CREATE INDEX mfa_challenges_by_user ON mfa_challenges (user_id);

CREATE TABLE mfa_devices (
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 id TEXT NOT NULL,
 name TEXT NOT NULL,
 type TEXT NOT NULL CHECK (type IN ('TOTP', 'WEBAUTHN')),
 handle TEXT NOT NULL UNIQUE,
 secret BYTEA NOT NULL,
 last_step BIGINT NOT NULL,
 suspect BOOLEAN NOT NULL,
 created_at BIGINT NOT NULL,
 last_used_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 PRIMARY KEY (store_id, user_id, id),
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE TABLE organization (
 id TEXT NOT NULL PRIMARY KEY,
 management_account_id TEXT NOT NULL UNIQUE REFERENCES account (id),
 feature_set TEXT NOT NULL CHECK (feature_set IN ('ALL', 'CONSOLIDATED_BILLING')),
 created_at BIGINT NOT NULL
);

CREATE INDEX organization_by_age ON organization (created_at, id, management_account_id);

CREATE TABLE organization_container (
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 id TEXT NOT NULL UNIQUE,
 parent_id TEXT,
 name TEXT NOT NULL,
 path TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL DEFAULT 1,
 PRIMARY KEY (organization_id, id),
 FOREIGN KEY (organization_id, parent_id) REFERENCES organization_container (organization_id, id),
 UNIQUE (organization_id, parent_id, name)
);

CREATE INDEX organization_container_by_parent ON organization_container (organization_id, parent_id, id);

CREATE UNIQUE INDEX organization_root ON organization_container (organization_id) WHERE parent_id IS NULL;

CREATE TABLE organization_member (
 account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id),
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 parent_id TEXT NOT NULL,
 joined_method TEXT NOT NULL CHECK (joined_method IN ('INVITED', 'CREATED')),
 joined_at BIGINT NOT NULL,
 UNIQUE (organization_id, account_id),
 FOREIGN KEY (organization_id, parent_id) REFERENCES organization_container (organization_id, id)
);

CREATE INDEX organization_member_by_parent ON organization_member (organization_id, parent_id, account_id);

CREATE TABLE organization_service (
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 service_principal TEXT NOT NULL,
 enabled_at BIGINT NOT NULL,
 PRIMARY KEY (organization_id, service_principal)
);

CREATE TABLE organization_tag (
 organization_id TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
 resource_id TEXT NOT NULL,
 key TEXT NOT NULL,
 value TEXT NOT NULL,
 PRIMARY KEY (organization_id, resource_id, key)
);

CREATE TABLE passwords (
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 hash TEXT NOT NULL,
 earlier TEXT NOT NULL,
 one_time BOOLEAN NOT NULL,
 changed_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0), barred BOOLEAN NOT NULL DEFAULT FALSE,
 PRIMARY KEY (store_id, user_id),
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE TABLE permission_set_customer_policies (
 permission_set_id TEXT NOT NULL REFERENCES permission_sets (id) ON DELETE CASCADE,
 path TEXT NOT NULL,
 name TEXT NOT NULL,
 PRIMARY KEY (permission_set_id, path, name)
);

CREATE TABLE permission_set_managed_policies (
 permission_set_id TEXT NOT NULL REFERENCES permission_sets (id) ON DELETE CASCADE,
 arn TEXT NOT NULL,
 PRIMARY KEY (permission_set_id, arn)
);

CREATE TABLE permission_sets (
 id TEXT NOT NULL PRIMARY KEY,
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 name TEXT NOT NULL,
 description TEXT NOT NULL,
 session_duration TEXT NOT NULL,
 relay_state TEXT NOT NULL,
 inline_policy TEXT NOT NULL,
 boundary_arn TEXT NOT NULL,
 boundary_path TEXT NOT NULL,
 boundary_name TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0),
 UNIQUE (instance_id, name),
 CHECK (boundary_arn = '' OR boundary_name = '')
);

CREATE INDEX permission_sets_by_instance ON permission_sets (instance_id, id);

CREATE TABLE portal_aliases (
 alias TEXT NOT NULL PRIMARY KEY,
 store_id TEXT NOT NULL UNIQUE REFERENCES instances (identity_store_id) ON DELETE CASCADE
);

CREATE TABLE portal_destinations (
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 origin TEXT NOT NULL,
 PRIMARY KEY (instance_id, origin)
);

CREATE TABLE portal_sessions (
 id TEXT NOT NULL PRIMARY KEY,
 token_hash BYTEA NOT NULL UNIQUE,
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 source_ip TEXT NOT NULL,
 user_agent TEXT NOT NULL, password_at BIGINT NOT NULL DEFAULT 0, mfa_at BIGINT NOT NULL DEFAULT 0, factor TEXT NOT NULL DEFAULT '',
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX portal_sessions_by_expiry ON portal_sessions (expires_at);

CREATE INDEX portal_sessions_by_user ON portal_sessions (store_id, user_id, id);

CREATE TABLE provisioned_permission_sets (
 permission_set_id TEXT NOT NULL REFERENCES permission_sets (id),
 account_id TEXT NOT NULL,
 instance_id TEXT NOT NULL REFERENCES instances (id),
 role_name TEXT NOT NULL,
 role_id TEXT NOT NULL,
 version BIGINT NOT NULL,
 provisioned_at BIGINT NOT NULL,
 PRIMARY KEY (permission_set_id, account_id)
);

CREATE INDEX provisioned_permission_sets_by_account ON provisioned_permission_sets (account_id, permission_set_id);

CREATE INDEX provisioned_permission_sets_by_instance ON provisioned_permission_sets (instance_id);

CREATE TABLE resource_tags (
 resource_arn TEXT NOT NULL,
 key TEXT NOT NULL,
 value TEXT NOT NULL,
 instance_id TEXT NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
 PRIMARY KEY (resource_arn, key)
);

CREATE INDEX resource_tags_by_instance ON resource_tags (instance_id);

CREATE TABLE root_links (
 account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
 token_hash BYTEA NOT NULL UNIQUE,
 expires_at BIGINT NOT NULL
);

CREATE TABLE signin_attempts (
 id TEXT NOT NULL PRIMARY KEY,
 browser_hash BYTEA NOT NULL,
 store_id TEXT NOT NULL,
 destination TEXT NOT NULL,
 user_name TEXT NOT NULL,
 user_id TEXT NOT NULL,
 password_verified_at BIGINT NOT NULL,
 password_version BIGINT NOT NULL,
 password_expired BOOLEAN NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 version BIGINT NOT NULL CHECK (version > 0)
, step BIGINT NOT NULL DEFAULT 0, factor_verified_at BIGINT NOT NULL DEFAULT 0, factor TEXT NOT NULL DEFAULT '', trust BOOLEAN NOT NULL DEFAULT FALSE, enroll BOOLEAN NOT NULL DEFAULT FALSE, link_hash TEXT NOT NULL DEFAULT '');

CREATE INDEX signin_attempts_by_expiry ON signin_attempts (expires_at);

CREATE TABLE throttles (
 scope TEXT NOT NULL,
 subject TEXT NOT NULL,
 tries BIGINT NOT NULL CHECK (tries >= 0),
 blocked_until BIGINT NOT NULL,
 forgotten_at BIGINT NOT NULL,
 PRIMARY KEY (scope, subject)
);

CREATE INDEX throttles_by_forgotten ON throttles (forgotten_at);

CREATE TABLE token_families (
 id TEXT NOT NULL PRIMARY KEY,
 client_id TEXT NOT NULL,
 session_id TEXT NOT NULL REFERENCES portal_sessions (id) ON DELETE CASCADE,
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 scopes TEXT NOT NULL, -- separated by spaces
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 sequence BIGINT NOT NULL CHECK (sequence >= 0),
 exchanges TEXT NOT NULL
, client_name TEXT NOT NULL DEFAULT '');

CREATE INDEX token_families_by_session ON token_families (session_id);

CREATE INDEX token_families_by_user ON token_families (store_id, user_id, created_at);

CREATE TABLE trusted_browsers (
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 id TEXT NOT NULL,
 family TEXT NOT NULL,
 network TEXT NOT NULL,
 created_at BIGINT NOT NULL,
 expires_at BIGINT NOT NULL,
 PRIMARY KEY (store_id, user_id, id),
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);

CREATE INDEX trusted_browsers_by_expiry ON trusted_browsers (expires_at);

CREATE TABLE verified_emails (
 store_id TEXT NOT NULL,
 user_id TEXT NOT NULL,
 email_key TEXT NOT NULL,
 verified_at BIGINT NOT NULL,
 PRIMARY KEY (store_id, user_id),
 FOREIGN KEY (store_id, user_id) REFERENCES directory_users (store_id, user_id) ON DELETE CASCADE
);
