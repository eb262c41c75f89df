package iam

import (
	"encoding/base64"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// MaxAccessKeys is how many access keys a user may have (IAM quotas).
const MaxAccessKeys = 2

// AccessKey is a long-term access key. Its secret is sealed.
type AccessKey struct {
	ID           string // AKIA…, never reused
	AccountID    string
	UserID       string
	SealedSecret []byte
	Active       bool
	CreatedAt    time.Time
}

// Sealer encrypts secrets at rest, bound to what they belong to.
type Sealer interface {
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// KeyReader reads access keys.
type KeyReader interface {
	// AccessKeyByID returns the key with the user whose it is; the user
	// comes without its policies. Keys of closed accounts are not found.
	AccessKeyByID(id string) (AccessKey, User, bool, error)
}

// KeyTx is what keeping access keys needs of a transaction.
type KeyTx interface {
	KeyReader
	// AccessKeysOfUser lists a user's access keys, oldest first.
	AccessKeysOfUser(accountID, userID string) ([]AccessKey, error)
	InsertAccessKey(AccessKey) error
	SetAccessKeyActive(id string, active bool) error
	DeleteAccessKey(id string) error
}

// CreateAccessKey makes an access key for the user and returns it with its
// secret, which cannot be had again.
func CreateAccessKey(tx KeyTx, now time.Time, ids ident.Source, sealer Sealer, u User) (key AccessKey, secret string, err error) {
	keys, err := tx.AccessKeysOfUser(u.AccountID, u.ID)
	if err != nil {
		return AccessKey{}, "", err
	}
	if len(keys) >= MaxAccessKeys {
		return AccessKey{}, "", fault.New(fault.Quota, "access_key", "Cannot exceed quota for AccessKeysPerUser: %d", MaxAccessKeys)
	}
	secret = base64.StdEncoding.EncodeToString(ids.Bytes(30)) // 40 characters, as AWS's
	key = AccessKey{
		ID: ids.AccessKeyID("AKIA", u.AccountID), AccountID: u.AccountID, UserID: u.ID, Active: true, CreatedAt: now,
	}
	if key.SealedSecret, err = sealer.Seal([]byte(secret), SecretBinding(key.ID)); err != nil {
		return AccessKey{}, "", err
	}
	if err := tx.InsertAccessKey(key); err != nil {
		return AccessKey{}, "", err
	}
	return key, secret, nil
}

// SecretBinding is what the sealed secret of an access key is bound to.
func SecretBinding(keyID string) []byte { return []byte(keyID) }

// AuthenticateKey finds an active access key and returns its secret and who
// it belongs to; false when there is no such key that may be used.
func AuthenticateKey(tx KeyReader, sealer Sealer, keyID string) (p Principal, secret string, found bool, err error) {
	key, u, found, err := tx.AccessKeyByID(keyID)
	if err != nil || !found || !key.Active {
		return Principal{}, "", false, err
	}
	plain, err := sealer.Open(key.SealedSecret, SecretBinding(key.ID))
	if err != nil {
		return Principal{}, "", false, err
	}
	return Principal{
		Kind: KindUser, AccountID: u.AccountID, ARN: u.ARN(), ID: u.ID, AccessKeyID: key.ID,
		UserID: u.ID, UserName: u.Name,
	}, string(plain), true, nil
}
