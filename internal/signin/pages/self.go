package pages

import (
	"errors"
	"net/http"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/signin"
)

// The pages at which people look after their own account.
const (
	accountHome        = "/account"
	changePasswordPath = "/account/password"
	sessionsPath       = "/account/sessions"
)

// mountSelf adds the addresses of these pages, which are for everybody who is
// signed in. Those that change how a person proves who they are, or where they
// are signed in, ask for a proof that is a short while old.
func (p *Pages) mountSelf(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"GET " + accountHome:                            p.account,
		"GET " + changePasswordPath:                     steppedUp(p.changePasswordForm),
		"POST " + changePasswordPath:                    steppedUp(p.changePassword),
		"GET " + changePasswordPath + "/done":           p.passwordDone,
		"GET " + sessionsPath:                           p.sessions,
		"POST " + sessionsPath + "/end":                 steppedUp(p.endSession),
		"POST " + sessionsPath + "/remove-access":       p.removeAccess,
		"POST " + sessionsPath + "/sign-out-others":     steppedUp(p.endOtherSessions),
		"POST " + sessionsPath + "/sign-out-everywhere": p.recent(p.endAllSessions),
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
			{changePasswordPath, "account.password", "account.password.help"},
			{devicesPath, "account.devices", "account.devices.help"},
			{sessionsPath, "account.sessions", "account.sessions.help"},
		},
	})
	return nil
}

// accountLink is a page of the account, with the keys of its name and of what
// it is for.
type accountLink struct{ Path, Title, Help string }

// changePasswordForm asks for the current password and a new one.
func (p *Pages) changePasswordForm(v *visit) error {
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
	wrong := func(status int, field, message string) error {
		v.showChangePassword(status, field, message, in.EndOthers)
		return nil
	}
	if in.New != v.field("confirm") {
		return wrong(http.StatusUnprocessableEntity, "password", v.text("newpassword.mismatch"))
	}
	self, _ := v.self()
	err := p.Flow.ChangePassword(v.r.Context(), v.visitor(), self, in)
	if err == nil {
		v.redirect(changePasswordPath + "/done")
		return nil
	}
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && e.Category == fault.Denied && e.Subject == "password":
		return wrong(http.StatusUnprocessableEntity, "current", v.text("changepassword.wrong"))
	case ok && e.Category == fault.Invalid && e.Subject == "password":
		return wrong(http.StatusUnprocessableEntity, "password", v.text("newpassword."+e.Reason))
	case ok && e.Category == fault.Throttled:
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
		return wrong(http.StatusTooManyRequests, "current", v.text("throttled.text", "wait", v.wait(e.RetryAfter)))
	}
	return err
}

func (p *Pages) passwordDone(v *visit) error {
	v.show(http.StatusOK, "notice", "passworddone.title", map[string]any{
		"Text": v.text("passworddone.text"), "Kind": "done", "More": "", "Again": accountHome, "AgainText": "account.title",
	})
	return nil
}
