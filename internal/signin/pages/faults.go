package pages

import (
	"strconv"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// faultKey is the key of the text that tells a person of a fault: by its
// category, and by its subject when it has one.
func faultKey(e *fault.Error) string {
	key := "fault." + e.Category.String()
	if e.Subject != "" {
		key += "." + e.Subject
	}
	return key
}

// told is what a person is told of a fault. It is always a text of the
// catalogue: what the domain says is for those who call its operations. A fault
// that has none is told as one of ours, with the number to report.
func (v *visit) told(e *fault.Error) string {
	key := faultKey(e)
	switch {
	case e.Category == fault.Throttled:
		return v.text("throttled.text", "wait", v.wait(e.RetryAfter))
	case key == "fault.quota.mfa_device":
		return v.text("fault.quota.mfa_device", "devices", strconv.Itoa(mfa.MaxDevices), "apps", strconv.Itoa(mfa.MaxApps))
	case v.pages.view.texts.Has(key):
		return v.text(key)
	default:
		return v.text("error.internal", "request", v.RequestID)
	}
}
