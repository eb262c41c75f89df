-- +goose Up

-- Who uses a policy document: a user or a role, by its unique id. A document
-- that nobody uses is removed after a while.
CREATE TABLE iam_document_uses (
    owner_id TEXT NOT NULL,
    digest   TEXT NOT NULL REFERENCES iam_documents (digest),
    PRIMARY KEY (owner_id, digest)
);

CREATE INDEX iam_document_uses_by_digest ON iam_document_uses (digest);

INSERT INTO iam_document_uses (owner_id, digest)
SELECT DISTINCT r.role_id, d.digest FROM iam_roles r JOIN iam_documents d ON d.digest = r.trust_policy OR r.policies LIKE '%' || d.digest || '%';

INSERT INTO iam_document_uses (owner_id, digest)
SELECT DISTINCT u.user_id, d.digest FROM iam_users u JOIN iam_documents d ON u.policies LIKE '%' || d.digest || '%';
