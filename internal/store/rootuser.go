package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/rootuser"
)

var _ rootuser.Tx = (*Tx)(nil)

// RootLink is part of rootuser.LinkTx.
func (t *Tx) RootLink(hash rootuser.LinkHash) (rootuser.Link, bool, error) {
	l := rootuser.Link{Hash: hash}
	var expires int64
	found, err := t.row(`SELECT account_id, expires_at FROM root_links WHERE token_hash = $1`, []any{hash[:]}, &l.AccountID, &expires)
	l.ExpiresAt = time.UnixMilli(expires).UTC()
	return l, found, err
}

// PutRootLink is part of rootuser.LinkTx.
func (t *Tx) PutRootLink(l rootuser.Link) error {
	_, err := t.exec(`INSERT INTO root_links (account_id, token_hash, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id) DO UPDATE SET token_hash = EXCLUDED.token_hash, expires_at = EXCLUDED.expires_at`,
		l.AccountID, l.Hash[:], l.ExpiresAt.UnixMilli())
	return err
}

// DeleteRootLink is part of rootuser.LinkTx.
func (t *Tx) DeleteRootLink(hash rootuser.LinkHash) (bool, error) {
	n, err := t.exec(`DELETE FROM root_links WHERE token_hash = $1`, hash[:])
	return n == 1, err
}
