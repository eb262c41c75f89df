package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// A browser in which a person has signed in before keeps a signed cookie that
// says so. Guesses from it have a budget of their own, so that whoever guesses
// at the person's password from elsewhere, or from the same network, does not
// keep the person out. The cookie proves nothing else and opens nothing.

// KnownLifetime is how long a browser is known: as long as browsers keep a
// cookie (RFC 6265bis, section 5.5: 400 days).
const KnownLifetime = 400 * 24 * time.Hour

// Signer signs what browsers keep.
type Signer interface {
	Sign(data []byte) ([]byte, error)
	Verify(data, tag []byte) error
}

// knownID is how many random bytes name a known browser.
const knownID = 16

// knownBy is what a browser is known by.
type knownBy string

// What browsers are known by. Who reads a person's mail can make as many known by
// letter as they like: guesses at second factors in those have no budget of their
// own.
const (
	notKnown      knownBy = ""
	knownBySignIn knownBy = "atrium known browser\n"
	knownByLetter knownBy = "atrium browser of a letter\n"
)

// knownAs is what is signed: that the browser named id has been a person's.
func knownAs(by knownBy, storeID, userName string, id []byte) []byte {
	name := sha256.Sum256([]byte(storeID + "/" + directory.Key(userName)))
	return append(append([]byte(by), name[:]...), id...)
}

// know returns what the browser of a person keeps from now on; "" when it is
// known already, by that or by more.
func (f *Flow) know(v Visit, a Attempt, by knownBy) (string, error) {
	if _, already := f.known(v, a); already == by || already == knownBySignIn {
		return "", nil
	}
	id := f.IDs.Bytes(knownID)
	tag, err := f.Known.Sign(knownAs(by, a.StoreID, a.UserName, id))
	return base64.RawURLEncoding.EncodeToString(append(id, tag...)), err
}

// known returns the name of the visitor's browser and what it is known by, if
// the person of an attempt has signed in with it before, or has chosen a password
// in it by mail.
func (f *Flow) known(v Visit, a Attempt) (id string, by knownBy) {
	raw, err := base64.RawURLEncoding.DecodeString(v.Known)
	if err != nil || len(raw) <= knownID {
		return "", notKnown
	}
	for _, by := range []knownBy{knownBySignIn, knownByLetter} {
		if f.Known.Verify(knownAs(by, a.StoreID, a.UserName, raw[:knownID]), raw[knownID:]) == nil {
			return hex.EncodeToString(raw[:knownID]), by
		}
	}
	return "", notKnown
}

// guess is what a try at an attempt's password counts against: own, and the
// account whoever tries, before it is looked at; shared when it was wrong. It
// is the same whether there is such a person or not.
type guess struct {
	own     throttle.Subject
	account []throttle.Subject
	shared  []throttle.Subject
}

// guessAt says what a try at the password of an attempt counts against.
func (f *Flow) guessAt(v Visit, a Attempt) guess {
	if id, by := f.known(v, a); by != notKnown {
		return guess{own: throttle.Subject{Limit: knownLimit(), Key: id}}
	}
	account := guessedAccount(a)
	own := throttle.Subject{Limit: accountInNetworkLimit(), Key: account.Key + " " + prefixKey(v.Address, 24, 48)}
	return guess{own: own, account: []throttle.Subject{account}, shared: guessedFrom(v.Address)}
}

// admit counts the try, and lets it pass if nothing that it counts against has
// to wait: fault.Throttled otherwise.
func (g guess) admit(tx throttle.Tx, now time.Time) error {
	if err := throttle.Check(tx, now, g.shared...); err != nil {
		return err
	}
	return throttle.Take(tx, now, append([]throttle.Subject{g.own}, g.account...)...)
}

// admitOneTime is admit for what looks like an administrator's one-time password.
// It does not wait for others who guess at the account: nobody guesses one of 92
// bits. tooMany is the answer to whatever is not a one-time password that is right,
// so that nothing else is tried in this way.
func (g guess) admitOneTime(tx throttle.Tx, now time.Time) (tooMany, err error) {
	if err := throttle.Check(tx, now, g.shared...); err != nil {
		return nil, err
	}
	if err := throttle.Take(tx, now, g.own); err != nil {
		return nil, err
	}
	err = throttle.Take(tx, now, g.account...)
	if fault.Is(err, fault.Throttled) {
		return err, nil
	}
	return nil, err
}

// wrong counts a try that was wrong.
func (g guess) wrong(tx throttle.Tx, now time.Time) error {
	return throttle.Count(tx, now, g.shared...)
}

// right forgets the tries before one that was right; those of others at the
// account are not forgotten.
func (g guess) right(tx throttle.Tx, now time.Time) error {
	for _, s := range g.account {
		if err := throttle.GiveBack(tx, now, s); err != nil {
			return err
		}
	}
	return throttle.Clear(tx, g.own)
}

// KnowBrowser returns what the visitor's browser keeps from now on because the
// person has chosen a password in it by mail: see KnownLifetime.
func (f *Flow) KnowBrowser(v Visit, u directory.User) (string, error) {
	return f.know(v, Attempt{StoreID: u.StoreID, UserName: u.UserName}, knownByLetter)
}
