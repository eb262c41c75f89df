package mfa

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
)

// ChallengeLifetime is how long a challenge can be answered, and a new
// authenticator app be set up.
const ChallengeLifetime = 15 * time.Minute

// Purpose is what a challenge is for.
type Purpose string

// The purposes.
const (
	settingUpApp   Purpose = "app"    // the seed of an app that is being registered
	registeringKey Purpose = "key"    // of a WebAuthn registration
	usingKey       Purpose = "assert" // of a WebAuthn authentication
)

// Challenge is what a person was asked and has not answered yet. There is one
// at a time for each holder and purpose.
type Challenge struct {
	// Holder is the sign-in or portal session that it belongs to.
	Holder  string
	Purpose Purpose
	UserID  string
	// Data is sealed.
	Data      []byte
	ExpiresAt time.Time
}

// ChallengeTx reads and writes challenges.
type ChallengeTx interface {
	MfaChallenge(holder string, p Purpose) (Challenge, bool, error)
	// PutMfaChallenge stores a challenge in the place of any other with the
	// same holder and purpose.
	PutMfaChallenge(Challenge) error
	// DeleteMfaChallenge deletes a challenge and reports whether there was one.
	DeleteMfaChallenge(holder string, p Purpose) (bool, error)
}

func (c *Challenge) boundTo() []byte { return ChallengeBinding(c.Holder, c.Purpose, c.UserID) }

// ChallengeBinding is what the sealed data of a challenge is bound to.
func ChallengeBinding(holder string, p Purpose, userID string) []byte {
	return []byte("mfa challenge v1:" + holder + "/" + string(p) + "/" + userID)
}

// ask stores what a person is asked.
func (f *Factors) ask(tx ChallengeTx, now time.Time, holder string, p Purpose, userID string, data any) error {
	c := Challenge{Holder: holder, Purpose: p, UserID: userID, ExpiresAt: now.Add(ChallengeLifetime)}
	plain, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("mfa: %w", err)
	}
	if c.Data, err = f.Seeds.Seal(plain, c.boundTo()); err != nil {
		return err
	}
	return tx.PutMfaChallenge(c)
}

// asked reads what a person was asked into data, and reports whether it can
// still be answered.
func (f *Factors) asked(tx ChallengeTx, now time.Time, holder string, p Purpose, userID string, data any) (bool, error) {
	c, found, err := tx.MfaChallenge(holder, p)
	if err != nil || !found || c.UserID != userID || !now.Before(c.ExpiresAt) {
		return false, err
	}
	plain := f.opened(c)
	if plain == nil {
		return false, nil
	}
	if err := json.Unmarshal(plain, data); err != nil {
		return false, fmt.Errorf("mfa: %w", err)
	}
	return true, nil
}

// opened is what a challenge holds; nil when it was sealed by keys that were
// revoked, so that it has to be asked anew.
func (f *Factors) opened(c Challenge) []byte {
	plain, err := f.Seeds.Open(c.Data, c.boundTo())
	if err != nil {
		return nil
	}
	return plain
}

// answered is asked for the last time: the challenge is used up.
// fault.NotFound, subject "mfa_challenge", when there is none.
func (f *Factors) answered(tx ChallengeTx, now time.Time, holder string, p Purpose, userID string, data any) error {
	open, err := f.asked(tx, now, holder, p, userID, data)
	if err != nil {
		return err
	}
	if open {
		if open, err = tx.DeleteMfaChallenge(holder, p); err != nil {
			return err
		}
	}
	if !open {
		return fault.New(fault.NotFound, "mfa_challenge", "This took too long, or was answered already. Try again.")
	}
	return nil
}
