// Package authsettings holds how the people of an identity store prove who
// they are: what Identity Center's console shows under Settings,
// Authentication. It says what is to happen; internal/signin does it.
//
// AWS gives no public API for these. Their names and values are those of the
// console's own calls, as its IAM actions and audit events show them.
package authsettings

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/rootuser"
)

// MfaMode tells when a person is asked for a second factor.
type MfaMode string

// The modes.
const (
	// MfaDisabled never asks.
	MfaDisabled MfaMode = "DISABLED"
	// MfaContextAware asks when the browser, the network or the device are not
	// those of an earlier sign-in that the person let be remembered.
	MfaContextAware MfaMode = "CONTEXT_AWARE"
	// MfaAlwaysOn asks at every sign-in.
	MfaAlwaysOn MfaMode = "ALWAYS_ON"
)

// MfaType is a kind of second factor.
type MfaType string

// The types.
const (
	// Totp is an authenticator app (RFC 6238).
	Totp MfaType = "TOTP"
	// Webauthn is a security key or a built-in authenticator.
	Webauthn MfaType = "WEBAUTHN"
)

// NoMfa is what happens at a sign-in that needs a second factor, to a person
// who has none.
type NoMfa string

// What can happen then.
const (
	// NoMfaEnroll has the person register a device first.
	NoMfaEnroll NoMfa = "ALLOWED_WITH_ENROLLMENT"
	// NoMfaEmail sends a code to the person's e-mail address.
	NoMfaEmail NoMfa = "EMAIL_OTP"
	// NoMfaBlock refuses.
	NoMfaBlock NoMfa = "BLOCKED"
	// NoMfaAllow lets the person in.
	NoMfaAllow NoMfa = "ALLOWED"
)

// NoPassword is what happens at a sign-in to a person without a password.
type NoPassword string

// What can happen then.
const (
	// NoPasswordEmail sends a code to the person's e-mail address, at which a
	// password is chosen.
	NoPasswordEmail NoPassword = "EMAIL_OTP"
	// NoPasswordBlock refuses, in the words of a wrong password.
	NoPasswordBlock NoPassword = "BLOCKED"
)

// DeviceGrant tells how a client may be approved by a code (RFC 8628).
type DeviceGrant string

// How it may be.
const (
	// DeviceGrantAllow takes a code from the link, to be compared; when the
	// client and the person come from different networks, it has to be typed.
	DeviceGrantAllow DeviceGrant = "ALLOW"
	// DeviceGrantTyped has the person type the code, always.
	DeviceGrantTyped DeviceGrant = "TYPE_CODE"
	// DeviceGrantDisabled refuses every request for a code.
	DeviceGrantDisabled DeviceGrant = "DISABLED"
)

// The bounds of a portal session, and how long it is unless set.
const (
	MinSession     = 15 * time.Minute
	MaxSession     = 90 * 24 * time.Hour
	DefaultSession = 8 * time.Hour
)

// MaxNetworks is how many networks may be listed, and MaxContact how many
// bytes the line about whom to ask may have.
const (
	MaxNetworks = 50
	MaxContact  = 200
)

// Settings are those of an identity store.
type Settings struct {
	StoreID string `json:"-"`

	MfaMode      MfaMode    `json:"mfaMode"`
	MfaTypes     []MfaType  `json:"mfaTypes"` // at least one; which may be registered and used
	NoMfa        NoMfa      `json:"noMfa"`
	NoPassword   NoPassword `json:"noPassword"`
	OwnDevices   bool       `json:"ownDevices"`   // see ManagesOwnDevices
	SessionLimit int64      `json:"sessionLimit"` // seconds that a portal session lasts from sign-in

	DeviceGrant DeviceGrant `json:"deviceGrant"`
	// DeviceNetworks are the networks (CIDR) that clients may ask for a code
	// from; empty means any.
	DeviceNetworks []string `json:"deviceNetworks"`
	// Contact tells people whom to ask who cannot go on: with an empty portal,
	// without an MFA device.
	Contact string `json:"contact"`

	// Version counts the edits, from 1; 0 is of settings never edited.
	Version int64 `json:"-"`
}

// RootSession is how long a root user's session lasts, as in AWS's console.
const RootSession = 12 * time.Hour

// Default are the settings of an identity store that nobody has edited. A
// second factor is asked for and has to be registered, as in AWS's newer
// instances. A root user, whose settings nobody can edit, is asked every time.
func Default(storeID string) Settings {
	s := Settings{
		StoreID: storeID, MfaMode: MfaContextAware, MfaTypes: []MfaType{Totp, Webauthn}, NoMfa: NoMfaEnroll,
		NoPassword: NoPasswordBlock, OwnDevices: true, SessionLimit: int64(DefaultSession / time.Second), DeviceGrant: DeviceGrantAllow,
	}
	if _, isRoot := rootuser.AccountOf(storeID); isRoot {
		s.MfaMode, s.SessionLimit = MfaAlwaysOn, int64(RootSession/time.Second)
	}
	return s
}

// SessionDuration is how long a portal session lasts from sign-in.
func (s *Settings) SessionDuration() time.Duration {
	return time.Duration(s.SessionLimit) * time.Second
}

// Allows tells whether factors of a type may be registered and used.
func (s *Settings) Allows(t MfaType) bool { return slices.Contains(s.MfaTypes, t) }

// ManagesOwnDevices tells whether people may register, rename and remove their
// own devices. They may wherever they have to register one to sign in, as in
// AWS's console.
func (s *Settings) ManagesOwnDevices() bool {
	return s.OwnDevices || s.MfaMode != MfaDisabled && s.NoMfa == NoMfaEnroll
}

// AllowsClient tells whether a client at an address may ask for a code.
func (s *Settings) AllowsClient(from netip.Addr) bool {
	if s.DeviceGrant == DeviceGrantDisabled {
		return false
	}
	return len(s.DeviceNetworks) == 0 || slices.ContainsFunc(s.DeviceNetworks, func(text string) bool {
		network, err := netip.ParsePrefix(text)
		return err == nil && network.Contains(from.Unmap())
	})
}

// Tx reads and writes settings.
type Tx interface {
	Reader
	// PutAuthSettings stores s over the version before s.Version and reports
	// false when that is not what is stored.
	PutAuthSettings(s Settings) (bool, error)
}

// Reader reads settings.
type Reader interface {
	AuthSettings(storeID string) (Settings, bool, error)
}

// Of returns the settings of an identity store.
func Of(tx Reader, storeID string) (Settings, error) {
	s, found, err := tx.AuthSettings(storeID)
	if err == nil && !found {
		s = Default(storeID)
	}
	return s, err
}

// Change edits the settings of an identity store. fault.Invalid, and nothing is
// changed, when the result is none that may be; fault.Conflict when somebody
// else edited them at the same time.
func Change(tx Tx, storeID string, edit func(*Settings)) (Settings, error) {
	s, err := Of(tx, storeID)
	if err != nil {
		return Settings{}, err
	}
	edit(&s)
	if err := s.check(); err != nil {
		return Settings{}, err
	}
	s.Version++
	stored, err := tx.PutAuthSettings(s)
	if err == nil && !stored {
		err = fault.New(fault.Conflict, "auth_settings", "The settings were changed at the same time. Read them again and repeat the change.")
	}
	return s, err
}

func (s *Settings) check() error {
	switch {
	case !slices.Contains([]MfaMode{MfaDisabled, MfaContextAware, MfaAlwaysOn}, s.MfaMode):
		return invalid("MfaMode must be DISABLED, CONTEXT_AWARE or ALWAYS_ON.")
	case len(s.MfaTypes) == 0 || slices.ContainsFunc(s.MfaTypes, func(t MfaType) bool { return t != Totp && t != Webauthn }):
		return invalid("AllowedMfaTypes must hold TOTP, WEBAUTHN or both.")
	case !slices.Contains([]NoMfa{NoMfaEnroll, NoMfaEmail, NoMfaBlock, NoMfaAllow}, s.NoMfa):
		return invalid("NoMfaSignInBehavior must be ALLOWED_WITH_ENROLLMENT, EMAIL_OTP, BLOCKED or ALLOWED.")
	case s.NoPassword != NoPasswordEmail && s.NoPassword != NoPasswordBlock:
		return invalid("NoPasswordSignInBehavior must be EMAIL_OTP or BLOCKED.")
	case s.SessionDuration() < MinSession || s.SessionDuration() > MaxSession:
		return invalid("The session duration must be from 15 minutes to 90 days (129,600 minutes).")
	case !slices.Contains([]DeviceGrant{DeviceGrantAllow, DeviceGrantTyped, DeviceGrantDisabled}, s.DeviceGrant):
		return invalid("DeviceGrant must be ALLOW, TYPE_CODE or DISABLED.")
	case len(s.DeviceNetworks) > MaxNetworks:
		return invalid("At most 50 networks may be listed.")
	case len(s.Contact) > MaxContact || strings.ContainsFunc(s.Contact, func(r rune) bool { return r < ' ' }):
		return invalid("The contact must be one line of at most 200 bytes.")
	}
	for _, text := range s.DeviceNetworks {
		if network, err := netip.ParsePrefix(text); err != nil || network != network.Masked() || network.Addr().Is4In6() {
			return invalid("Networks must be in CIDR form, such as 192.0.2.0/24 or 2001:db8::/32.")
		}
	}
	return nil
}

func invalid(message string) error { return fault.New(fault.Invalid, "auth_settings", "%s", message) }
