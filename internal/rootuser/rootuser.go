// Package rootuser is the root user of a management account: who signs in
// before Identity Center is enabled, and when nobody else can any more. Member
// accounts' root users have no credentials (AWS's centralized root access).
//
// A root user is the one person of an identity store of its own, which no
// instance has and no operation reaches, so that it signs in by the same steps
// as everybody: password, second factor, throttling, sessions. It has no
// access key and no reset by mail. It begins, and is recovered, with a link
// that is made on the server only.
package rootuser

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/session"
)

// LinkLifetime is how long a sign-in link may be used, once.
const LinkLifetime = 24 * time.Hour

// storePrefix begins the ids of root users' identity stores; no other id of a
// store begins so.
const storePrefix = "root-"

// StoreOf returns the id of the identity store of an account's root user.
func StoreOf(accountID string) string { return storePrefix + accountID }

// AccountOf returns the account whose root user an identity store holds; found
// is false for every other store.
func AccountOf(storeID string) (accountID string, found bool) {
	return strings.CutPrefix(storeID, storePrefix)
}

// ARN returns the ARN of an account's root user.
func ARN(accountID string) string { return "arn:aws:iam::" + accountID + ":root" }

// LinkHash is the hash of a link's token, under which it is stored.
type LinkHash [sha256.Size]byte

// Link lets the root user of an account choose a password, once.
type Link struct {
	AccountID string
	Hash      LinkHash
	ExpiresAt time.Time
}

// LinkTx reads and writes links. An account has at most one.
type LinkTx interface {
	RootLink(LinkHash) (Link, bool, error)
	PutRootLink(Link) error
	// DeleteRootLink reports whether there was one with the hash.
	DeleteRootLink(LinkHash) (bool, error)
}

// RedeemTx is what using a link needs of a transaction.
type RedeemTx interface {
	directory.UserReader
	credential.Reader
	LinkTx
}

// Tx is what keeping root users needs of a transaction.
type Tx interface {
	directory.UserTx
	credential.Tx
	session.Tx
	LinkTx
	// DeleteFactors removes all second factors of a person.
	DeleteFactors(storeID, userID string) error
}

// Reset takes from an account's root user the password, the second factors and
// the sessions, makes the user when there is none yet, and returns the token of
// a new link, which replaces an earlier one. hash is that of a password that
// nobody knows.
func Reset(tx Tx, now time.Time, ids ident.Source, account organization.Account, hash string) (token string, err error) {
	u, err := ensure(tx, now, ids, account)
	if err != nil {
		return "", err
	}
	if _, err := session.EndAll(tx, u.StoreID, u.ID); err != nil {
		return "", err
	}
	if err := tx.DeleteFactors(u.StoreID, u.ID); err != nil {
		return "", err
	}
	if err := credential.SetOneTime(tx, now, u.StoreID, u.ID, hash); err != nil {
		return "", err
	}
	token = base64.RawURLEncoding.EncodeToString(ids.Bytes(32))
	return token, tx.PutRootLink(Link{AccountID: account.ID, Hash: hashToken(token), ExpiresAt: now.Add(LinkLifetime)})
}

// ensure returns an account's root user. Its user name is the account's e-mail
// address.
func ensure(tx Tx, now time.Time, ids ident.Source, account organization.Account) (directory.User, error) {
	store := StoreOf(account.ID)
	users, err := tx.DirectoryUsers(store, "", 1)
	if err != nil {
		return directory.User{}, err
	}
	if len(users) == 1 {
		return users[0], nil
	}
	return directory.CreateUser(tx, ids, directory.Stamp{At: now, By: ARN(account.ID)}, store, directory.NewUser{Attributes: directory.Attributes{
		UserName: account.Email, DisplayName: "Root user",
		Name:   directory.Name{GivenName: "Root", FamilyName: "user"},
		Emails: []directory.Email{{Value: account.Email, Type: "work", Primary: new(true)}},
	}})
}

// Check tells whether a link may be used: a fault.NotFound, subject
// "root_link", when it never was, was used, or has expired.
func Check(tx LinkTx, now time.Time, token string) (Link, error) {
	l, found, err := tx.RootLink(hashToken(token))
	if err == nil && (!found || !now.Before(l.ExpiresAt)) {
		err = fault.New(fault.NotFound, "root_link", "This link was used, has expired or was replaced by a newer one. Make another on the server with: atrium root reset.")
	}
	return l, err
}

// Redeem uses a link up and returns its root user with the password that is to
// be replaced. The error is Check's.
func Redeem(tx RedeemTx, now time.Time, token string) (directory.User, credential.Password, error) {
	l, err := Check(tx, now, token)
	if err != nil {
		return directory.User{}, credential.Password{}, err
	}
	if _, err := tx.DeleteRootLink(l.Hash); err != nil {
		return directory.User{}, credential.Password{}, err
	}
	users, err := tx.DirectoryUsers(StoreOf(l.AccountID), "", 1)
	if err != nil {
		return directory.User{}, credential.Password{}, err
	}
	if len(users) == 0 {
		return directory.User{}, credential.Password{}, fault.New(fault.Internal, "root_link", "the account %s has a link and no root user", l.AccountID)
	}
	p, found, err := tx.PasswordOf(users[0].StoreID, users[0].ID)
	if err == nil && !found {
		err = fault.New(fault.Internal, "root_link", "the root user of the account %s has a link and no password to replace", l.AccountID)
	}
	return users[0], p, err
}

func hashToken(token string) LinkHash { return sha256.Sum256([]byte(token)) }
