package mfa

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// TrustLifetime is how long a browser is trusted.
const TrustLifetime = 30 * 24 * time.Hour

// MaxBrowsers is how many browsers are trusted for one person. Another one takes
// the place of the oldest.
const MaxBrowsers = 20

// Context is where a person signs in from, as far as it tells one place from
// another.
type Context struct {
	Family  string // of the browser and its system: "Firefox on Linux"
	Network string // a prefix of 24 bits, or of 48 with IPv6
}

// NewContext returns the context of an address and a user agent.
func NewContext(from netip.Addr, userAgent string) Context {
	bits := 48
	if from = from.Unmap(); from.Is4() {
		bits = 24
	}
	network, err := from.Prefix(bits)
	if err != nil || !from.IsValid() {
		return Context{Family: family(userAgent), Network: "unknown"}
	}
	return Context{Family: family(userAgent), Network: network.String()}
}

// family names the browser and the system of a user agent. The first that it
// mentions counts, in an order that puts those first who also name others.
func family(userAgent string) string {
	first := func(otherwise string, marks ...[2]string) string {
		for _, m := range marks {
			if strings.Contains(userAgent, m[0]) {
				return m[1]
			}
		}
		return otherwise
	}
	return first("Another browser",
		[2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser/", "Samsung Internet"},
		[2]string{"FxiOS/", "Firefox"}, [2]string{"Firefox/", "Firefox"}, [2]string{"CriOS/", "Chrome"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"Chromium/", "Chrome"}, [2]string{"Safari/", "Safari"},
	) + " on " + first("another system",
		[2]string{"iPhone", "iOS"}, [2]string{"iPad", "iOS"}, [2]string{"Android", "Android"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS X", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"},
	)
}

// Browser is one that a person let be remembered.
type Browser struct {
	StoreID, UserID string
	ID              string // 32 hexadecimal digits
	Context
	CreatedAt, ExpiresAt time.Time
}

// BrowserTx reads and writes trusted browsers.
type BrowserTx interface {
	// TrustedBrowsers returns those of a person, oldest first.
	TrustedBrowsers(storeID, userID string) ([]Browser, error)
	InsertTrustedBrowser(Browser) error
	DeleteTrustedBrowser(storeID, userID, id string) (bool, error)
	// DeleteTrustedBrowsers deletes all of a person and returns how many there
	// were.
	DeleteTrustedBrowsers(storeID, userID string) (int64, error)
}

// A browser keeps a token of each person that it is trusted for: at most
// keptTokens, the newest first, between separators.
const (
	separator  = "~"
	keptTokens = 4
)

// Trust remembers the browser of a person in a context. kept is what the
// browser keeps, and the answer what it has to keep from now on to be
// recognised. The person has just proved who they are in it.
func (f *Factors) Trust(tx BrowserTx, now time.Time, storeID, userID, kept string, in Context) (token string, b Browser, err error) {
	known, err := tx.TrustedBrowsers(storeID, userID)
	if err != nil {
		return "", Browser{}, err
	}
	for i := 0; i <= len(known)-MaxBrowsers; i++ {
		if _, err := tx.DeleteTrustedBrowser(storeID, userID, known[i].ID); err != nil {
			return "", Browser{}, err
		}
	}
	b = Browser{StoreID: storeID, UserID: userID, ID: f.IDs.Hex(32), Context: in, CreatedAt: now, ExpiresAt: now.Add(TrustLifetime)}
	tag, err := f.Cookies.Sign(b.signed())
	if err != nil {
		return "", Browser{}, err
	}
	token = b.ID + "." + base64.RawURLEncoding.EncodeToString(tag)
	for _, t := range tokens(kept) {
		if _, own := f.recognise(storeID, userID, t); !own && strings.Count(token, separator) < keptTokens-1 {
			token += separator + t
		}
	}
	return token, b, tx.InsertTrustedBrowser(b)
}

// tokens are those that a browser keeps, without the empty ones.
func tokens(kept string) []string {
	all := strings.FieldsFunc(kept, func(r rune) bool { return string(r) == separator })
	return all[:min(len(all), keptTokens)]
}

// signed is what the tag in a browser's token is over.
func (b *Browser) signed() []byte {
	return []byte("trusted browser v1:" + b.StoreID + "/" + b.UserID + "/" + b.ID)
}

// recognise reads a token; own tells whether it was made for the person.
func (f *Factors) recognise(storeID, userID, token string) (id string, own bool) {
	id, tag, _ := strings.Cut(token, ".")
	b := Browser{StoreID: storeID, UserID: userID, ID: id}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(tag)
	return id, err == nil && f.Cookies.Verify(b.signed(), raw) == nil
}

// Trusted tells whether what a browser keeps is of one that the person let be
// remembered, in the same context as now. Trust from before since, when the
// password was set, does not count any more.
func (f *Factors) Trusted(tx BrowserTx, now, since time.Time, storeID, userID, kept string, in Context) (bool, error) {
	for _, t := range tokens(kept) {
		id, own := f.recognise(storeID, userID, t)
		if !own {
			continue
		}
		known, err := tx.TrustedBrowsers(storeID, userID)
		i := slices.IndexFunc(known, func(b Browser) bool { return b.ID == id })
		return i >= 0 && now.Before(known[i].ExpiresAt) && !known[i].CreatedAt.Before(since) && known[i].Context == in, err
	}
	return false, nil
}

// Browsers returns the trusted browsers of a person, oldest first.
func Browsers(tx BrowserTx, now time.Time, storeID, userID string) ([]Browser, error) {
	known, err := tx.TrustedBrowsers(storeID, userID)
	var live []Browser
	for _, b := range known {
		if now.Before(b.ExpiresAt) {
			live = append(live, b)
		}
	}
	return live, err
}

// ForgetBrowsers ends the trust in all browsers of a person, and returns how
// many there were.
func ForgetBrowsers(tx BrowserTx, storeID, userID string) (int64, error) {
	return tx.DeleteTrustedBrowsers(storeID, userID)
}
