package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/iam"
)

// storedPolicies is how iam.Policies are written: with the digests of
// documents in place of the documents.
type storedPolicies struct {
	Managed  []string          `json:"managed,omitempty"`
	Inline   map[string]string `json:"inline,omitempty"` // name → digest
	Boundary string            `json:"boundary,omitempty"`
}

// savePolicies stores the documents of p and returns what to write of the
// rest, and the documents' digests.
func (t *Tx) savePolicies(p iam.Policies) (text string, used []string, err error) {
	stored := storedPolicies{Managed: p.Managed, Boundary: p.Boundary, Inline: make(map[string]string, len(p.Inline))}
	for _, name := range slices.Sorted(maps.Keys(p.Inline)) {
		digest, err := t.saveDocument(p.Inline[name])
		if err != nil {
			return "", nil, err
		}
		stored.Inline[name] = digest
		used = append(used, digest)
	}
	raw, err := json.Marshal(stored)
	return string(raw), used, err
}

func (t *Tx) saveDocument(document string) (digest string, err error) {
	sum := sha256.Sum256([]byte(document))
	digest = hex.EncodeToString(sum[:])
	_, err = t.exec(`INSERT INTO iam_documents (digest, document) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, digest, document)
	return digest, err
}

// useDocuments notes that the user or role ownerID uses documents.
func (t *Tx) useDocuments(ownerID string, digests []string) error {
	for _, digest := range digests {
		if _, err := t.exec(`INSERT INTO iam_document_uses (owner_id, digest) VALUES ($1, $2) ON CONFLICT (owner_id, digest) DO NOTHING`, ownerID, digest); err != nil {
			return err
		}
	}
	return nil
}

// reuseDocuments is useDocuments for one that used others before.
func (t *Tx) reuseDocuments(ownerID string, digests []string) error {
	if _, err := t.exec(`DELETE FROM iam_document_uses WHERE owner_id = $1`, ownerID); err != nil {
		return err
	}
	return t.useDocuments(ownerID, digests)
}

// DeleteUnusedDocuments deletes at most limit documents that no user and no
// role uses, and returns how many.
func (t *Tx) DeleteUnusedDocuments(limit int) (int64, error) {
	return t.exec(`DELETE FROM iam_documents WHERE digest IN (SELECT d.digest FROM iam_documents d
		WHERE NOT EXISTS (SELECT 1 FROM iam_document_uses u WHERE u.digest = d.digest) LIMIT CAST($1 AS BIGINT))`, limit)
}

// PolicyDocument finds a document by its digest.
func (t *Tx) PolicyDocument(digest string) (document string, found bool, err error) {
	found, err = t.row(`SELECT document FROM iam_documents WHERE digest = $1`, []any{digest}, &document)
	return document, found, err
}

func parsePolicies(text string) (p storedPolicies, err error) {
	if err = json.Unmarshal([]byte(text), &p); err != nil {
		err = fmt.Errorf("store: stored policies: %w", err)
	}
	return p, err
}

// loadPolicies is the opposite of savePolicies.
func (t *Tx) loadPolicies(text string) (iam.Policies, error) {
	stored, err := parsePolicies(text)
	p := iam.Policies{Managed: stored.Managed, Boundary: stored.Boundary}
	for name, digest := range stored.Inline {
		document, found, err := t.PolicyDocument(digest)
		if err != nil {
			return iam.Policies{}, err
		}
		if !found {
			return iam.Policies{}, fmt.Errorf("store: no document has the digest %s", digest)
		}
		if p.Inline == nil {
			p.Inline = make(map[string]string)
		}
		p.Inline[name] = document
	}
	return p, err
}

// AttachmentsOfUser finds what is attached to a user.
func (t *Tx) AttachmentsOfUser(accountID, userID string) (iam.Attachments, bool, error) {
	return t.attachments(`SELECT policies FROM iam_users WHERE account_id = $1 AND user_id = $2`, accountID, userID)
}

// AttachmentsOfRole finds what is attached to a role.
func (t *Tx) AttachmentsOfRole(accountID, roleID string) (iam.Attachments, bool, error) {
	return t.attachments(`SELECT policies FROM iam_roles WHERE account_id = $1 AND role_id = $2`, accountID, roleID)
}

func (t *Tx) attachments(query, accountID, id string) (iam.Attachments, bool, error) {
	var text string
	found, err := t.row(query, []any{accountID, id}, &text)
	if err != nil || !found {
		return iam.Attachments{}, false, err
	}
	p, err := parsePolicies(text)
	a := iam.Attachments{Managed: p.Managed, Boundary: p.Boundary, Inline: slices.Collect(maps.Values(p.Inline))}
	return a, err == nil, err
}

// ManagedPolicyByARN finds a customer managed policy.
func (t *Tx) ManagedPolicyByARN(arn string) (p iam.ManagedPolicy, found bool, err error) {
	var created int64
	found, err = t.row(`SELECT account_id, policy_id, path, name, document, created_at, version FROM iam_policies WHERE arn = $1`,
		[]any{arn}, &p.AccountID, &p.ID, &p.Path, &p.Name, &p.Document, &created, &p.Version)
	if err != nil || !found {
		return iam.ManagedPolicy{}, false, err
	}
	p.CreatedAt = time.UnixMilli(created).UTC()
	return p, true, nil
}

// InsertManagedPolicy stores a new customer managed policy, unless its name is
// taken.
func (t *Tx) InsertManagedPolicy(p iam.ManagedPolicy) (bool, error) {
	n, err := t.exec(`INSERT INTO iam_policies (arn, account_id, policy_id, path, name, name_key, document, created_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id, name_key) DO NOTHING`,
		p.ARN(), p.AccountID, p.ID, p.Path, p.Name, strings.ToLower(p.Name), p.Document, p.CreatedAt.UnixMilli(), p.Version)
	return n == 1, err
}
