package pages

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// The pages at which people look after their own account.
const (
	accountHome  = "/account"
	passwordPath = "/account/password"
	sessionsPath = "/account/sessions"
)

// mountSelf adds the addresses of these pages, which are for everybody who is
// signed in. Those that change how a person proves who they are ask for a
// second factor that was proved a short while ago.
func (p *Pages) mountSelf(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"GET " + accountHome:                            p.account,
		"GET " + passwordPath:                           steppedUp(p.askPassword),
		"POST " + passwordPath:                          steppedUp(p.changePassword),
		"GET " + passwordPath + "/done":                 p.passwordDone,
		"GET " + sessionsPath:                           p.sessions,
		"POST " + sessionsPath + "/end":                 p.endSession,
		"POST " + sessionsPath + "/sign-out-everywhere": p.endAllSessions,
	} {
		mux.Handle(pattern, p.handle(p.anybody(h)))
	}
}

// account leads to what people can look after themselves.
func (p *Pages) account(v *visit) error {
	_, user := v.self()
	v.show(http.StatusOK, "account", "account.title", map[string]any{
		"Name": user.DisplayName, "UserName": user.UserName, "Email": user.Email(), "Home": v.home(),
		"Links": []accountLink{
			{passwordPath, "account.password", "account.password.help"},
			{devicesPath, "account.devices", "account.devices.help"},
			{sessionsPath, "account.sessions", "account.sessions.help"},
		},
	})
	return nil
}

// accountLink is a page of the account, with the keys of its name and of what
// it is for.
type accountLink struct{ Path, Title, Help string }

// askPassword asks for the current password and a new one.
func (p *Pages) askPassword(v *visit) error {
	self, _ := v.self()
	if err := p.Flow.MayChangePassword(v.r.Context(), self); err != nil {
		return err
	}
	v.showChangePassword(http.StatusOK, "", "", true)
	return nil
}

// showChangePassword shows the form, with what was wrong about one of its
// fields.
func (v *visit) showChangePassword(status int, field, message string, endOthers bool) {
	_, user := v.self()
	v.show(status, "changepassword", "changepassword.title", map[string]any{
		"UserName": user.UserName, "Field": field, "Error": message, "EndOthers": endOthers,
	})
}

// changePassword takes the current password and the new one.
func (p *Pages) changePassword(v *visit) error {
	in := signin.PasswordChange{Current: v.field("current"), New: v.field("password"), EndOthers: v.field("end_others") != ""}
	again := func(status int, field, message string) error {
		v.showChangePassword(status, field, message, in.EndOthers)
		return nil
	}
	if in.New != v.field("confirm") {
		return again(http.StatusUnprocessableEntity, "password", v.text("newpassword.mismatch"))
	}
	self, _ := v.self()
	err := p.Flow.ChangePassword(v.r.Context(), v.visitor(), self, in)
	if err == nil {
		v.redirect(passwordPath + "/done")
		return nil
	}
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && e.Category == fault.Denied && e.Subject == "password":
		return again(http.StatusUnprocessableEntity, "current", v.text("changepassword.wrong"))
	case ok && e.Category == fault.Invalid && e.Subject == "password":
		return again(http.StatusUnprocessableEntity, "password", v.text("newpassword."+e.Reason))
	case ok && e.Category == fault.Throttled:
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
		return again(http.StatusTooManyRequests, "current", v.text("throttled.text", "wait", v.wait(e.RetryAfter)))
	}
	return err
}

func (p *Pages) passwordDone(v *visit) error {
	v.show(http.StatusOK, "notice", "passworddone.title", map[string]any{
		"Text": v.text("passworddone.text"), "Kind": "done", "More": "", "Again": accountHome, "AgainText": "account.title",
	})
	return nil
}

// sessionsPage is how many sessions a page shows: more than a person has.
const sessionsPage = 100

// signedInAt is a session as a person reads of it.
type signedInAt struct {
	ID, Browser, Address string
	Since, Until         string
	Current              bool
}

// sessions lists where the person is signed in, this browser first and then
// the newest.
func (p *Pages) sessions(v *visit) error {
	self, user := v.self()
	var found []session.Session
	var next string
	after := v.r.URL.Query().Get("after")
	err := p.DB.View(v.r.Context(), func(tx Tx) error {
		var err error
		found, next, err = session.List(tx, v.now, user.StoreID, user.ID, after, sessionsPage)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b session.Session) int {
		return cmp.Or(cmp.Compare(rank(b.ID == self.ID), rank(a.ID == self.ID)), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	list := make([]signedInAt, len(found))
	for i, s := range found {
		list[i] = v.describeSession(s, s.ID == self.ID)
	}
	v.show(http.StatusOK, "sessions", "sessions.title", map[string]any{"Sessions": list, "Next": next})
	return nil
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

func (v *visit) describeSession(s session.Session, current bool) signedInAt {
	out := signedInAt{
		ID: s.ID, Address: s.Client.IP, Since: written(s.CreatedAt), Until: written(s.ExpiresAt), Current: current,
	}
	browser, system := readAgent(s.Client.UserAgent)
	switch {
	case browser != "" && system != "":
		out.Browser = v.text("sessions.browser.on", "browser", browser, "system", system)
	case browser != "" || system != "":
		out.Browser = browser + system
	default:
		out.Browser = v.text("sessions.browser.unknown")
	}
	return out
}

// written is a time as pages show it.
func written(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 MST") }

// endSession ends one of the person's sessions. One that is not there any
// more, or is somebody else's, is passed over: the list then shows what is.
func (p *Pages) endSession(v *visit) error {
	self, user := v.self()
	id := v.field("session")
	if id == self.ID {
		return p.signOut(v)
	}
	err := p.DB.Update(v.r.Context(), func(tx Tx) error {
		found, err := session.OfUser(tx, v.now, user.StoreID, user.ID, []string{id})
		if err != nil || len(found) == 0 {
			return err
		}
		if err := session.End(tx, id); err != nil {
			return err
		}
		return v.recordEnd(tx, map[string]any{"sessionIds": []string{id}})
	})
	if err == nil {
		v.redirect(sessionsPath)
	}
	return err
}

// endAllSessions signs the person out everywhere, here too.
func (p *Pages) endAllSessions(v *visit) error {
	_, user := v.self()
	err := p.DB.Update(v.r.Context(), func(tx Tx) error {
		n, err := session.EndAll(tx, user.StoreID, user.ID)
		if err != nil {
			return err
		}
		return v.recordEnd(tx, map[string]any{"allSessions": true, "deletedCount": n})
	})
	if err != nil {
		return err
	}
	v.setCookie(sessionCookie, "", v.now)
	v.redirect("/signin/signed-out")
	return nil
}

// recordEnd records that a person ended sessions, under the name of the
// operation by which administrators do.
func (v *visit) recordEnd(tx Tx, what map[string]any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return v.record(tx, "sso-directory.amazonaws.com", "BatchDeleteSession", data)
}
