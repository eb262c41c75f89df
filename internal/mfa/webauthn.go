package mfa

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
)

// newParty describes this server to authenticators. Its id is the host that
// people know, without the port.
func newParty(o Options) (*webauthn.WebAuthn, error) {
	party, err := webauthn.New(&webauthn.Config{
		RPID: o.URL.Hostname(), RPDisplayName: o.Name, RPOrigins: []string{o.URL.Scheme + "://" + o.URL.Host},
		AttestationPreference: protocol.PreferNoAttestation,
	})
	if err != nil {
		return nil, fmt.Errorf("mfa: %w", err)
	}
	return party, nil
}

// person is a user as the WebAuthn library wants it.
type person struct {
	user        directory.User
	credentials []webauthn.Credential
}

func (p *person) WebAuthnID() []byte                         { return []byte(p.user.ID) }
func (p *person) WebAuthnName() string                       { return p.user.UserName }
func (p *person) WebAuthnDisplayName() string                { return p.user.DisplayName }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

func (p *person) descriptors() []protocol.CredentialDescriptor {
	list := make([]protocol.CredentialDescriptor, len(p.credentials))
	for i := range p.credentials {
		list[i] = p.credentials[i].Descriptor()
	}
	return list
}

// keysOf reads the WebAuthn devices of a user, and what proves them.
func (f *Factors) keysOf(tx Reader, u directory.User) (person, []Record, error) {
	p := person{user: u}
	all, err := tx.MfaDevices(u.StoreID, u.ID)
	if err != nil {
		return p, nil, err
	}
	var keys []Record
	for _, r := range all {
		if r.Type != authsettings.Webauthn {
			continue
		}
		var c webauthn.Credential
		plain, err := f.Seeds.Open(r.Secret, boundTo(&r))
		if err == nil {
			err = json.Unmarshal(plain, &c)
		}
		if err != nil {
			return p, nil, fmt.Errorf("%w: %s", errDamaged, r.ID)
		}
		keys, p.credentials = append(keys, r), append(p.credentials, c)
	}
	return p, keys, nil
}

// challengeFor returns the challenge that is open, if it is for all of the
// credentials and none else, so that a page that is opened again leaves the one
// before it good; and a new one otherwise.
func (f *Factors) challengeFor(tx ChallengeTx, now time.Time, holder string, p Purpose, who *person, all [][]byte) (challenge []byte, open bool, err error) {
	var asked webauthn.SessionData
	if open, err = f.asked(tx, now, holder, p, who.user.ID, &asked); err != nil {
		return nil, false, err
	}
	if open && slices.EqualFunc(asked.AllowedCredentialIDs, all, bytes.Equal) {
		if challenge, err = base64.RawURLEncoding.DecodeString(asked.Challenge); err == nil {
			return challenge, true, nil
		}
	}
	return f.IDs.Bytes(challengeSize), false, nil
}

// BeginKey starts the registration of a security key, or of the authenticator
// that is built into the person's own computer or phone, or goes on with it. It
// returns the options for the browser, in JSON. It is a fault.Quota when the person has as many
// devices as may be.
func (f *Factors) BeginKey(tx Tx, now time.Time, holder string, u directory.User, builtIn bool) ([]byte, error) {
	if err := f.room(tx, u.StoreID, u.ID, authsettings.Webauthn); err != nil {
		return nil, err
	}
	p, _, err := f.keysOf(tx, u)
	if err != nil {
		return nil, err
	}
	challenge, open, err := f.challengeFor(tx, now, holder, registeringKey, &p, nil)
	if err != nil {
		return nil, err
	}
	attachment := protocol.CrossPlatform
	if builtIn {
		attachment = protocol.Platform
	}
	options, asked, err := f.party.BeginRegistration(&p,
		webauthn.WithExclusions(p.descriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			AuthenticatorAttachment: attachment, ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		}),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = challenge
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("mfa: %w", err)
	}
	if !open {
		if err := f.ask(tx, now, holder, registeringKey, u.ID, asked); err != nil {
			return nil, err
		}
	}
	return json.Marshal(options.Response)
}

// challengeSize is how long a WebAuthn challenge is, in bytes.
const challengeSize = 32

// FinishKey registers the authenticator that answered what BeginKey asked.
// response is the browser's credential, in JSON. fault.NotFound, subject
// "mfa_challenge", when nothing was asked, or too long ago.
func (f *Factors) FinishKey(tx Tx, now time.Time, holder string, u directory.User, name string, response []byte) (d Device, right bool, err error) {
	if _, err := checkName(name); err != nil {
		return Device{}, false, err // before the challenge is used up
	}
	var asked webauthn.SessionData
	if err := f.answered(tx, now, holder, registeringKey, u.ID, &asked); err != nil {
		return Device{}, false, err
	}
	p, _, err := f.keysOf(tx, u)
	if err != nil {
		return Device{}, false, err
	}
	made := f.created(&p, asked, response)
	if made == nil {
		return Device{}, false, nil
	}
	d, err = f.add(tx, now, u.StoreID, u.ID, name, authsettings.Webauthn, func(r *Record) error {
		sum := sha256.Sum256(made.ID)
		r.Handle = hex.EncodeToString(sum[:])
		return f.keep(r, made)
	})
	return d, err == nil, err
}

// created returns the credential that a response registers; nil when it is not
// the answer to what was asked.
func (f *Factors) created(p *person, asked webauthn.SessionData, response []byte) *webauthn.Credential {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil
	}
	made, err := f.party.CreateCredential(p, asked, parsed)
	if err != nil {
		return nil
	}
	return made
}

// keep seals a whole credential into a record.
func (f *Factors) keep(r *Record, c *webauthn.Credential) error {
	plain, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("mfa: %w", err)
	}
	r.Secret, err = f.Seeds.Seal(plain, boundTo(r))
	return err
}

// AskKey asks for one of the person's security keys or built-in
// authenticators. It returns the options for the browser, in JSON: asked again,
// the same, until they are answered, too old, or not all keys any more.
func (f *Factors) AskKey(tx Tx, now time.Time, holder string, u directory.User) ([]byte, error) {
	p, _, err := f.keysOf(tx, u)
	if err != nil {
		return nil, err
	}
	ids := make([][]byte, len(p.credentials))
	for i := range p.credentials {
		ids[i] = p.credentials[i].ID
	}
	challenge, open, err := f.challengeFor(tx, now, holder, usingKey, &p, ids)
	if err != nil {
		return nil, err
	}
	options, asked, err := f.party.BeginLogin(&p, webauthn.WithUserVerification(protocol.VerificationPreferred), webauthn.WithChallenge(challenge))
	if err != nil {
		return nil, fmt.Errorf("mfa: %w", err)
	}
	if !open {
		if err := f.ask(tx, now, holder, usingKey, u.ID, asked); err != nil {
			return nil, err
		}
	}
	return json.Marshal(options.Response)
}

// VerifyKey verifies what a key answered to AskKey. response is the browser's
// credential, in JSON. An answer to another challenge, from another origin, by
// a key that is not the person's, or by what may be a copy of one, is not
// right. fault.NotFound, subject "mfa_challenge", when nothing was asked, or
// too long ago.
func (f *Factors) VerifyKey(tx Tx, now time.Time, holder string, u directory.User, response []byte) (d Device, right bool, err error) {
	var asked webauthn.SessionData
	if err := f.answered(tx, now, holder, usingKey, u.ID, &asked); err != nil {
		return Device{}, false, err
	}
	p, records, err := f.keysOf(tx, u)
	if err != nil {
		return Device{}, false, err
	}
	used := f.used(&p, asked, response)
	if used == nil {
		return Device{}, false, nil
	}
	for i, r := range records {
		if string(p.credentials[i].ID) != string(used.ID) {
			continue
		}
		if r.Suspect = used.Authenticator.CloneWarning; !r.Suspect {
			r.LastUsedAt = now
		}
		if err := f.keep(&r, used); err != nil {
			return Device{}, false, err
		}
		return r.Device, !r.Suspect, update(tx, &r)
	}
	return Device{}, false, nil
}

// used returns the credential that a response proves, as it is from now on; nil
// when it is not the answer to what was asked.
func (f *Factors) used(p *person, asked webauthn.SessionData, response []byte) *webauthn.Credential {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil
	}
	used, err := f.party.ValidateLogin(p, asked, parsed)
	if err != nil {
		return nil
	}
	return used
}
