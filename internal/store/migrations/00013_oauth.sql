-- +goose Up

-- The logins of clients: a family is all the tokens that descend from one
-- approval. sequence is the number of its newest refresh token; exchanges is a
-- JSON list of when those before it were exchanged, newest first.
CREATE TABLE token_families (
    id         TEXT   NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL,
    session_id TEXT   NOT NULL REFERENCES portal_sessions (id) ON DELETE CASCADE,
    store_id   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    scopes     TEXT   NOT NULL, -- separated by spaces
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    sequence   BIGINT NOT NULL CHECK (sequence >= 0),
    exchanges  TEXT   NOT NULL
);

CREATE INDEX token_families_by_session ON token_families (session_id);

-- Clients that wait for a person to enter their code. session_id is of the
-- person who approved; family_id is what was issued, '' until then.
CREATE TABLE device_authorizations (
    code_hash    BYTEA  NOT NULL PRIMARY KEY,
    user_code    TEXT   NOT NULL UNIQUE,
    client_id    TEXT   NOT NULL,
    client_name  TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    store_id     TEXT   NOT NULL REFERENCES instances (identity_store_id) ON DELETE CASCADE,
    source_ip    TEXT   NOT NULL,
    user_agent   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    status       TEXT   NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'DENIED', 'REDEEMED')),
    session_id   TEXT   REFERENCES portal_sessions (id) ON DELETE CASCADE,
    family_id    TEXT   NOT NULL,
    next_poll_at BIGINT NOT NULL,
    CHECK ((status IN ('APPROVED', 'REDEEMED')) = (session_id IS NOT NULL)),
    CHECK ((status = 'REDEEMED') = (family_id <> ''))
);

CREATE INDEX device_authorizations_by_store ON device_authorizations (store_id);
CREATE INDEX device_authorizations_by_session ON device_authorizations (session_id);
CREATE INDEX device_authorizations_by_expiry ON device_authorizations (expires_at) WHERE status <> 'REDEEMED';

-- Authorization codes. family_id is what was issued, '' until then; a code that
-- was redeemed stays until its session ends, so that a second use is noticed.
CREATE TABLE authorization_codes (
    code_hash    BYTEA  NOT NULL PRIMARY KEY,
    client_id    TEXT   NOT NULL,
    redirect_uri TEXT   NOT NULL,
    challenge    TEXT   NOT NULL,
    scopes       TEXT   NOT NULL,
    session_id   TEXT   NOT NULL REFERENCES portal_sessions (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    family_id    TEXT   NOT NULL
);

CREATE INDEX authorization_codes_by_session ON authorization_codes (session_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at) WHERE family_id = '';

-- To find the instance that the server's own address stands for: the oldest,
-- those of organizations before others.
CREATE INDEX instances_by_age ON instances ((organization_id = ''), created_at, id);
