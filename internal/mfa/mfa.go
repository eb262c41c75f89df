// Package mfa keeps the second factors of people: authenticator apps (RFC 6238)
// and WebAuthn credentials, which are security keys and built-in
// authenticators. It registers and verifies them, and remembers the browsers
// that need not ask again.
//
// What proves a factor is sealed in the store. It leaves this package once: the
// seed of an authenticator app, to the person who is registering it. No
// administrator and no list ever shows it.
//
// Right and wrong answers alike change something: a challenge is used up, a
// code does not work again. So a wrong answer is no error but a result, and the
// transaction is to commit.
package mfa

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
)

// The quotas of AWS: devices of a person, and authenticator apps among them.
const (
	MaxDevices = 8
	MaxApps    = 2
)

// MaxName is the longest name of a device, in characters.
const MaxName = 100

// Device is a second factor of a person.
type Device struct {
	StoreID, UserID string
	ID              string // a UUID
	Name            string
	Type            authsettings.MfaType
	CreatedAt       time.Time
	LastUsedAt      time.Time // zero for never
	// Suspect tells that a security key's counter went backwards: there may be
	// a copy of it. It is not accepted any more.
	Suspect bool
	// Version counts the changes, from 1.
	Version int64
}

// Record is a device with what proves it, as the store keeps it.
type Record struct {
	Device
	// Handle is unique among all devices: the hash of a WebAuthn credential's
	// id, or the id of the device.
	Handle string
	// Secret is sealed: the seed of an authenticator app, or a whole WebAuthn
	// credential.
	Secret []byte
	// LastStep is the time step of an app's last code; 0 for none.
	LastStep int64
}

// Reader reads devices.
type Reader interface {
	// MfaDevices returns the devices of a person, oldest first.
	MfaDevices(storeID, userID string) ([]Record, error)
}

// Tx reads and writes devices and challenges.
type Tx interface {
	Reader
	InsertMfaDevice(Record) error
	// UpdateMfaDevice stores r over the version before r.Version and reports
	// false when that is not what is stored.
	UpdateMfaDevice(r Record) (bool, error)
	DeleteMfaDevice(storeID, userID, id string) (bool, error)
	// HoldDirectoryUser collides with every other transaction that holds or
	// changes a user, and reports whether there is one.
	HoldDirectoryUser(storeID, userID string) (bool, error)
	ChallengeTx
	BrowserTx
}

// Sealer encrypts secrets at rest, bound to what they belong to.
type Sealer interface {
	Seal(plaintext, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// Signer signs what browsers keep.
type Signer interface {
	Sign(data []byte) ([]byte, error)
	Verify(data, tag []byte) error
}

// Options is what Factors are made of. All are required.
type Options struct {
	// URL is where people reach the pages. Its host, which is a name, is for
	// good: WebAuthn credentials belong to it.
	URL *url.URL
	// Name is what authenticators call the place that a factor is for.
	Name    string
	Seeds   Sealer
	Cookies Signer
	IDs     ident.Source
}

// Factors registers and verifies second factors. It is safe for concurrent use.
type Factors struct {
	Options
	party *webauthn.WebAuthn
}

// New prepares Factors.
func New(o Options) (*Factors, error) {
	party, err := newParty(o)
	return &Factors{Options: o, party: party}, err
}

// List returns the devices of a person, oldest first.
func List(tx Reader, storeID, userID string) ([]Device, error) {
	records, err := tx.MfaDevices(storeID, userID)
	list := make([]Device, len(records))
	for i := range records {
		list[i] = records[i].Device
	}
	return list, err
}

// Usable returns those of the devices that the settings allow at a sign-in.
func Usable(devices []Device, s authsettings.Settings) []Device {
	return slices.DeleteFunc(slices.Clone(devices), func(d Device) bool { return !s.Allows(d.Type) })
}

// Find returns a device. fault.NotFound, subject "mfa_device", when the person
// has none with the id.
func Find(tx Reader, storeID, userID, id string) (Device, error) {
	r, err := find(tx, storeID, userID, id)
	return r.Device, err
}

func find(tx Reader, storeID, userID, id string) (Record, error) {
	records, err := tx.MfaDevices(storeID, userID)
	if err != nil {
		return Record{}, err
	}
	i := slices.IndexFunc(records, func(r Record) bool { return r.ID == id })
	if i < 0 {
		return Record{}, errNoDevice()
	}
	return records[i], nil
}

// Rename gives a device another name. fault.Invalid, subject "mfa_device_name",
// for one that may not be.
func Rename(tx Tx, storeID, userID, id, name string) (Device, error) {
	name, err := checkName(name)
	if err != nil {
		return Device{}, err
	}
	r, err := find(tx, storeID, userID, id)
	if err != nil || r.Name == name {
		return r.Device, err
	}
	r.Name = name
	return r.Device, update(tx, &r)
}

// Remove takes a device from a person, and with it the trust in browsers that
// it may have given.
func Remove(tx Tx, storeID, userID, id string) (Device, error) {
	d, err := Find(tx, storeID, userID, id)
	if err != nil {
		return Device{}, err
	}
	removed, err := tx.DeleteMfaDevice(storeID, userID, id)
	if err != nil {
		return Device{}, err
	}
	if !removed {
		return Device{}, errNoDevice()
	}
	_, err = ForgetBrowsers(tx, storeID, userID)
	return d, err
}

// ResetTx is what resetting needs of a transaction.
type ResetTx interface {
	Tx
	session.Ender
}

// Reset is Remove by an administrator: a device that is lost, or that somebody
// else has. Whatever the person has open ends, wherever it was opened.
func Reset(tx ResetTx, storeID, userID, id string) (Device, error) {
	d, err := Remove(tx, storeID, userID, id)
	if err != nil {
		return Device{}, err
	}
	_, err = session.EndAll(tx, storeID, userID)
	return d, err
}

// add stores a new device, unless the person has too many. fault.Quota, subject
// "mfa_device", then; fault.Conflict when the device is registered already.
func (f *Factors) add(tx Tx, now time.Time, storeID, userID, name string, of authsettings.MfaType, fill func(*Record) error) (Device, error) {
	name, err := checkName(name)
	if err != nil {
		return Device{}, err
	}
	if err := f.room(tx, storeID, userID, of); err != nil {
		return Device{}, err
	}
	id := f.IDs.UUID()
	r := Record{
		Device: Device{StoreID: storeID, UserID: userID, ID: id, Name: name, Type: of, CreatedAt: now, LastUsedAt: now, Version: 1},
		Handle: id,
	}
	if err := fill(&r); err != nil {
		return Device{}, err
	}
	if err := tx.InsertMfaDevice(r); fault.Is(err, fault.Conflict) {
		return Device{}, fault.New(fault.Conflict, "mfa_device", "This device is registered already.")
	} else if err != nil {
		return Device{}, err
	}
	return r.Device, nil
}

// room holds the person and refuses a device too many.
func (f *Factors) room(tx Tx, storeID, userID string, of authsettings.MfaType) error {
	held, err := tx.HoldDirectoryUser(storeID, userID)
	if err != nil {
		return err
	}
	if !held {
		return fault.New(fault.NotFound, "user", "The user does not exist.")
	}
	devices, err := List(tx, storeID, userID)
	if err != nil {
		return err
	}
	if len(devices) >= MaxDevices {
		return fault.New(fault.Quota, "mfa_device", "At most %d MFA devices can be registered. Remove one first.", MaxDevices)
	}
	apps := 0
	for _, d := range devices {
		if d.Type == authsettings.Totp {
			apps++
		}
	}
	if of == authsettings.Totp && apps >= MaxApps {
		return fault.New(fault.Quota, "mfa_device", "At most %d authenticator apps can be registered. Remove one first.", MaxApps)
	}
	return nil
}

// update stores a changed record. fault.Conflict when it was changed meanwhile.
func update(tx Tx, r *Record) error {
	r.Version++
	stored, err := tx.UpdateMfaDevice(*r)
	if err == nil && !stored {
		err = fault.New(fault.Conflict, "mfa_device", "The device was changed at the same time. Try again.")
	}
	return err
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > MaxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.New(fault.Invalid, "mfa_device_name", "A device's name has 1 to %d characters that can be printed.", MaxName)
	}
	return name, nil
}

func errNoDevice() error {
	return fault.New(fault.NotFound, "mfa_device", "The MFA device does not exist.")
}

// errDamaged is of a secret in the store that does not open.
var errDamaged = errors.New("mfa: what the store has of a device cannot be read")

// boundTo names what a device's secret belongs to.
func boundTo(r *Record) []byte { return SecretBinding(r.StoreID, r.UserID, r.ID) }

// SecretBinding is what the sealed secret of a device is bound to.
func SecretBinding(storeID, userID, deviceID string) []byte {
	return []byte("mfa device v1:" + storeID + "/" + userID + "/" + deviceID)
}
