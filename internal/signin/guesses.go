package signin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/atrium-iam/atrium/internal/credential"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// The limits of guessing. One account takes the longest to guess at from one
// network; from everywhere together it takes no more than a hundred guesses in
// a row (NIST SP 800-63B, section 3.2.2). Addresses and networks are shared by
// many people who mistype now and then, so theirs are wider.
func accountLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/account", Free: 100, First: 30 * time.Second, Most: 5 * time.Minute, Forget: time.Hour}
}

func accountInNetworkLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/account-network", Free: 5, First: 2 * time.Second, Most: 5 * time.Minute, Forget: time.Hour}
}

func addressLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/address", Free: 50, First: time.Second, Most: 30 * time.Second, Forget: 15 * time.Minute}
}

// knownLimit is of a browser in which the person has signed in before.
func knownLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/browser", Free: 10, First: 2 * time.Second, Most: 5 * time.Minute, Forget: time.Hour}
}

func networkLimit() throttle.Limit {
	return throttle.Limit{Scope: "password/network", Free: 200, First: time.Second, Most: 30 * time.Second, Forget: 15 * time.Minute}
}

// The limits of asking for letters: an account's, so that nobody's mailbox is
// filled, from one network and from everywhere; and wider ones of addresses and
// networks. Whoever asks, the letters go to the person: when others use a limit
// up, the person has letters. A browser in which the person has signed in before
// has a limit of its own.
func askedAccountLimit() throttle.Limit {
	return throttle.Limit{Scope: "mail/account", Free: 10, First: time.Minute, Most: 30 * time.Minute, Forget: 12 * time.Hour}
}

func askedAccountInNetworkLimit() throttle.Limit {
	l := askedAccountLimit()
	l.Scope, l.Free = "mail/account-network", 3
	return l
}

func askedKnownLimit() throttle.Limit {
	l := askedAccountInNetworkLimit()
	l.Scope = "mail/browser"
	return l
}

func askedAddressLimit() throttle.Limit {
	return throttle.Limit{Scope: "mail/address", Free: 20, First: 10 * time.Second, Most: 10 * time.Minute, Forget: time.Hour}
}

func askedNetworkLimit() throttle.Limit {
	return throttle.Limit{Scope: "mail/network", Free: 100, First: 10 * time.Second, Most: 10 * time.Minute, Forget: time.Hour}
}

// asked is what asking for a letter counts against, whether there is such a
// person or not: letters, of which the person gets no more for a while when they
// are spent, and place, from which nobody may then ask for a while.
type asked struct{ letters, place []throttle.Subject }

// askedFor says what asking for a letter counts against.
func (f *Flow) askedFor(v Visit, a Attempt) asked {
	if id, by := f.known(v, a); by != notKnown {
		return asked{letters: []throttle.Subject{{Limit: askedKnownLimit(), Key: id}}}
	}
	account := guessedAccount(a)
	account.Limit = askedAccountLimit()
	return asked{
		letters: []throttle.Subject{
			account,
			{Limit: askedAccountInNetworkLimit(), Key: account.Key + " " + prefixKey(v.Address, 24, 48)},
		},
		place: []throttle.Subject{
			{Limit: askedAddressLimit(), Key: prefixKey(v.Address, 32, 64)},
			{Limit: askedNetworkLimit(), Key: prefixKey(v.Address, 24, 48)},
		},
	}
}

// admit counts that a letter is asked for, and tells whether one is to be sent.
// Whose letters are spent is answered as always: there are some of less than half
// an hour ago (Most), whose links are good for twice as long (ResetLifetime), so
// that whoever asks all the time keeps nobody out. fault.Throttled when too many
// were asked for from the place.
func (g asked) admit(tx throttle.Tx, now time.Time) (send bool, err error) {
	if err := throttle.Take(tx, now, g.place...); err != nil {
		return false, err
	}
	err = throttle.Take(tx, now, g.letters...)
	if fault.Is(err, fault.Throttled) {
		return false, nil
	}
	return err == nil, err
}

// ForgetGuesses forgets what was counted of guesses at a person's password and
// factors, and of letters to the person: an administrator has helped.
func ForgetGuesses(tx throttle.Tx, u directory.User) error {
	account := guessedAccount(Attempt{StoreID: u.StoreID, UserName: u.UserName}).Key
	person := u.StoreID + "/" + u.ID
	for _, s := range []throttle.Subject{
		{Limit: accountLimit(), Key: account},
		{Limit: accountInNetworkLimit(), Key: account},
		{Limit: askedAccountLimit(), Key: account},
		{Limit: askedAccountInNetworkLimit(), Key: account},
		{Limit: factorLimit(), Key: person},
		{Limit: codeMails(), Key: person},
	} {
		if err := throttle.ClearAll(tx, s); err != nil {
			return err
		}
	}
	return nil
}

func guessedAccount(a Attempt) throttle.Subject {
	name := sha256.Sum256([]byte(a.StoreID + "/" + directory.Key(a.UserName)))
	return throttle.Subject{Limit: accountLimit(), Key: hex.EncodeToString(name[:])}
}

// guessedFrom is what wrong guesses from an address count against.
func guessedFrom(from netip.Addr) []throttle.Subject {
	return []throttle.Subject{
		{Limit: addressLimit(), Key: prefixKey(from, 32, 64)},
		{Limit: networkLimit(), Key: prefixKey(from, 24, 48)},
	}
}

// hasher is the Hasher in which a visitor waits behind others of the same
// network only.
func (f *Flow) hasher(v Visit) *credential.Hasher { return f.Hasher.For(prefixKey(v.Address, 24, 48)) }

// prefixKey names the network of so many bits that an address lies in. With
// IPv6 one customer has a whole network of 64 bits.
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
