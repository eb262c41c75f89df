package mfa

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"

	"github.com/atrium-iam/atrium/internal/authsettings"
)

// The parameters of authenticator apps: those of RFC 6238 that every app has.
const (
	codeDigits = 6
	stepLength = 30 * time.Second
	seedSize   = 20 // bytes, of SHA-1 as RFC 4226 has it
	// drift is how many steps a clock may be wrong, either way.
	drift = 1
)

// NewApp is an authenticator app to be set up.
type NewApp struct {
	// Secret is the seed, in base32, for people who type it.
	Secret string
	// URI is the seed for apps that read it from a QR code.
	URI string
}

// seed is what a challenge keeps of an app.
type seed struct {
	Seed []byte `json:"seed"`
}

// BeginApp starts setting up an authenticator app, or goes on with it: asked
// again, it returns the same seed until that is used or too old. It is a
// fault.Quota when the person has as many as may be.
func (f *Factors) BeginApp(tx Tx, now time.Time, holder, storeID, userID, userName string) (NewApp, error) {
	if err := f.room(tx, storeID, userID, authsettings.Totp); err != nil {
		return NewApp{}, err
	}
	var s seed
	open, err := f.asked(tx, now, holder, settingUpApp, userID, &s)
	if err != nil {
		return NewApp{}, err
	}
	if !open {
		s.Seed = f.IDs.Bytes(seedSize)
		if err := f.ask(tx, now, holder, settingUpApp, userID, s); err != nil {
			return NewApp{}, err
		}
	}
	secret := spelled(s.Seed)
	label := url.PathEscape(f.Name) + ":" + url.PathEscape(userName)
	return NewApp{
		Secret: secret,
		URI:    "otpauth://totp/" + label + "?secret=" + secret + "&issuer=" + url.QueryEscape(f.Name),
	}, nil
}

// FinishApp registers the authenticator app that BeginApp set up, if two codes
// come from it, one right after the other. Wrong ones can be tried again.
// fault.NotFound, subject "mfa_challenge", when there is none to be set up.
func (f *Factors) FinishApp(tx Tx, now time.Time, holder, storeID, userID, name, first, second string) (d Device, right bool, err error) {
	var s seed
	open, err := f.asked(tx, now, holder, settingUpApp, userID, &s)
	if err != nil {
		return Device{}, false, err
	}
	if !open {
		return Device{}, false, f.answered(tx, now, holder, settingUpApp, userID, &s)
	}
	// The first code was read some time ago.
	step, right := matching(s.Seed, second, stepAt(now)-2*drift, stepAt(now)+drift)
	if right {
		_, right = matching(s.Seed, first, step-1, step-1)
	}
	if !right {
		return Device{}, false, nil
	}
	if err := f.answered(tx, now, holder, settingUpApp, userID, &s); err != nil {
		return Device{}, false, err
	}
	d, err = f.add(tx, now, storeID, userID, name, authsettings.Totp, func(r *Record) error {
		r.LastStep = step
		var err error
		r.Secret, err = f.Seeds.Seal(s.Seed, boundTo(r))
		return err
	})
	return d, err == nil, err
}

// VerifyCode verifies a code of one of the person's authenticator apps. A code
// is right once: neither it nor an older one of the same app is afterwards.
func (f *Factors) VerifyCode(tx Tx, now time.Time, storeID, userID, code string) (d Device, right bool, err error) {
	records, err := tx.MfaDevices(storeID, userID)
	if err != nil {
		return Device{}, false, err
	}
	for _, r := range records {
		if r.Type != authsettings.Totp {
			continue
		}
		plain, err := f.Seeds.Open(r.Secret, boundTo(&r))
		if err != nil {
			return Device{}, false, fmt.Errorf("%w: %s", errDamaged, r.ID)
		}
		step, right := matching(plain, code, max(stepAt(now)-drift, r.LastStep+1), stepAt(now)+drift)
		if !right {
			continue
		}
		r.LastStep, r.LastUsedAt = step, now
		return r.Device, true, update(tx, &r)
	}
	return Device{}, false, nil
}

// matching returns the step between two, inclusive, at which an app shows code.
func matching(seed []byte, code string, from, to int64) (step int64, right bool) {
	code = strings.Join(strings.Fields(code), "")
	if len(code) != codeDigits {
		return 0, false
	}
	for s := max(from, 0); s <= to; s++ {
		shown, err := hotp.GenerateCode(spelled(seed), uint64(s))
		if err == nil && subtle.ConstantTimeCompare([]byte(shown), []byte(code)) == 1 {
			step, right = s, true
		}
	}
	return step, right
}

func stepAt(t time.Time) int64 { return t.Unix() / int64(stepLength/time.Second) }

func spelled(seed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}
