package signin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// The limits of guessing. One account takes the longest to guess at, from
// anywhere; addresses and networks are shared by many people who mistype now
// and then, so theirs are wider.
func accountLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/account", Free: 5, First: 2 * time.Second, Most: 5 * time.Minute, Forget: time.Hour}
}

func addressLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/address", Free: 50, First: time.Second, Most: 30 * time.Second, Forget: 15 * time.Minute}
}

func networkLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/network", Free: 200, First: time.Second, Most: 30 * time.Second, Forget: 15 * time.Minute}
}

func beginLimit() throttle.Limit {
	return throttle.Limit{Scope: "signin/address", Free: 60, First: time.Second, Most: 30 * time.Second, Forget: 15 * time.Minute}
}

// beginningAt is what a new attempt counts against.
func beginningAt(from netip.Addr) throttle.Subject {
	return throttle.Subject{Limit: beginLimit(), Key: addressKey(from)}
}

// guessesOf is what a guess at an attempt's password counts against. It counts
// the same whether there is such a person or not.
func guessesOf(a Attempt, from netip.Addr) []throttle.Subject {
	return []throttle.Subject{guessedAccount(a), guessedFrom(from), guessedFromNetwork(from)}
}

func guessedAccount(a Attempt) throttle.Subject {
	name := sha256.Sum256([]byte(a.StoreID + "/" + directory.Key(a.UserName)))
	return throttle.Subject{Limit: accountLimit(), Key: hex.EncodeToString(name[:])}
}

func guessedFrom(from netip.Addr) throttle.Subject {
	return throttle.Subject{Limit: addressLimit(), Key: addressKey(from)}
}

func guessedFromNetwork(from netip.Addr) throttle.Subject {
	return throttle.Subject{Limit: networkLimit(), Key: prefixKey(from, 24, 48)}
}

// forgive takes back what the right password of an attempt has counted.
func forgive(tx throttle.Tx, now time.Time, a Attempt, from netip.Addr) error {
	if err := throttle.Clear(tx, guessedAccount(a)); err != nil {
		return err
	}
	if err := throttle.GiveBack(tx, now, guessedFrom(from)); err != nil {
		return err
	}
	return throttle.GiveBack(tx, now, guessedFromNetwork(from))
}

// addressKey names an address: with IPv6, the network of 64 bits of which one
// customer has all addresses.
func addressKey(a netip.Addr) string { return prefixKey(a, 32, 64) }

func prefixKey(a netip.Addr, bits4, bits6 int) string {
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
