package pages

import (
	"net/http"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/throttle"
)

// codeLimit slows down those who guess user codes: by person, since only who
// is signed in can try.
func codeLimit() throttle.Limit {
	return throttle.Limit{Scope: "device/user", Free: 10, First: 2 * time.Second, Most: 5 * time.Minute, Forget: time.Hour}
}

// device asks for a device's code, or shows the one of the link to be compared.
func (p *Pages) device(v *visit) error {
	code := v.r.URL.Query().Get("user_code")
	if code == "" {
		v.askCode(http.StatusOK, "", "", "")
		return nil
	}
	return p.compare(v, code, false)
}

// enterCode takes a code that was typed.
func (p *Pages) enterCode(v *visit) error { return p.compare(v, v.field("user_code"), true) }

// compare shows a request and its code. A code that was in a link, and has to
// be typed, is asked for.
func (p *Pages) compare(v *visit, code string, typed bool) error {
	d, mustType, err := p.lookUp(v, code)
	if fault.Is(err, fault.NotFound) {
		v.askCode(http.StatusUnprocessableEntity, code, v.text("device.unknown"), "")
		return nil
	}
	if err != nil {
		return err
	}
	if mustType && !typed {
		v.askCode(http.StatusOK, "", "", v.text("device.type"))
		return nil
	}
	v.show(http.StatusOK, "compare", "compare.title", map[string]any{"Code": d.UserCode, "Request": v.describeDevice(d)})
	return nil
}

// lookUp finds the open request of a code, and tells whether the person has to
// type it. Wrong codes count against the person.
func (p *Pages) lookUp(v *visit, code string) (d oauth.Device, mustType bool, err error) {
	var refused error // is to commit, with the try that it counted
	person := throttle.Subject{Limit: codeLimit(), Key: v.user.ID}
	err = p.DB.Update(v.r.Context(), func(tx Tx) error {
		if refused = throttle.Take(tx, v.now, person); refused != nil {
			return refused
		}
		d, refused = oauth.DeviceByUserCode(tx, v.now, v.session.StoreID, code)
		if fault.Is(refused, fault.NotFound) {
			return nil
		}
		if refused != nil {
			return refused
		}
		settings, err := authsettings.Of(tx, d.StoreID)
		if err != nil {
			return err
		}
		mustType = d.MustType(settings, v.Address)
		return throttle.GiveBack(tx, v.now, person)
	})
	if err == nil {
		err = refused
	}
	return d, mustType, err
}

// askCode asks for a code, with what was typed and why it is no good, or with a
// warning.
func (v *visit) askCode(status int, typed, message, warning string) {
	v.show(status, "device", "device.title", map[string]any{"Typed": typed, "Error": message, "Warning": warning})
}

// confirmDevice asks for consent, after the code was compared.
func (p *Pages) confirmDevice(v *visit) error {
	d, _, err := p.lookUp(v, v.field("user_code"))
	if err != nil {
		return err
	}
	v.showConsent(v.describeDevice(d), consentForm{Action: "/device", Field: "user_code", Value: d.UserCode}, "")
	return nil
}

func (p *Pages) allowDevice(v *visit) error {
	return p.decide(v, oauth.ApproveDevice, "ApproveDeviceAuthorization", "/device/done")
}

func (p *Pages) denyDevice(v *visit) error {
	return p.decide(v, oauth.DenyDevice, "DenyDeviceAuthorization", "/device/denied")
}

// decide carries out what the person has decided on a device, and records it
// as event.
func (p *Pages) decide(v *visit, how func(oauth.DeviceTx, time.Time, session.Session, string) (oauth.Device, error), event, to string) error {
	err := p.DB.Update(v.r.Context(), func(tx Tx) error {
		d, err := how(tx, v.now, v.session, v.field("user_code"))
		if err != nil {
			return err
		}
		return v.recordDecision(tx, event, d.ClientID, d.Scopes)
	})
	if err == nil {
		v.redirect(to)
	}
	return err
}

func (p *Pages) deviceDone(v *visit) error {
	v.show(http.StatusOK, "notice", "done.title", map[string]any{
		"Text": v.text("done.text"), "Kind": "done", "More": "", "Again": "/start", "AgainText": "done.portal",
	})
	return nil
}

func (p *Pages) deviceDenied(v *visit) error {
	v.show(http.StatusOK, "notice", "denied.title", map[string]any{
		"Text": v.text("denied.text"), "Kind": "denied", "More": v.text("denied.report"), "Again": "/start", "AgainText": "done.portal",
	})
	return nil
}
