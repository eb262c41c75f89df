package pages

import (
	"errors"
	"net/http"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/signin"
)

// mountMail adds the pages that ask for letters, and those that letters lead
// to. A GET of a link changes nothing: programs that inspect mail follow links
// too. What a link is for happens by the POST of its page's button.
func (p *Pages) mountMail(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"GET /signin/{id}/mail/forgot":  p.forgot,
		"POST /signin/{id}/mail/forgot": p.sendReset,
		"GET /signin/{id}/mail/sent":    p.resetSent,
		"POST /signin/{id}/mail/code":   p.sendCode,
		"GET /signin/{id}/mail/code":    p.askCode,
		"POST /signin/{id}/mail/check":  p.checkCode,
	} {
		mux.Handle(pattern, p.handle(p.attempting(h)))
	}
	mux.Handle("GET /link/{token}", p.handle(p.link))
	mux.Handle("POST /link/{token}", p.handle(p.followLink))
}

// showPassword shows the page that wants the password. What it offers beside is
// the same for every user name.
func (v *visit) showPassword(status int, store string, data map[string]any) error {
	code, err := v.pages.Flow.OffersCode(v.r.Context(), store)
	if err != nil {
		return err
	}
	data["Mail"], data["Code"], data["Note"] = v.pages.Flow.Mail.Sends() && !signin.IsRoot(store), code, ""
	data["ForgotHelp"] = "password.forgot.help"
	if signin.IsRoot(store) {
		data["ForgotHelp"] = "root.signin.help"
	}
	if v.r.URL.Query().Has("set") {
		data["Note"] = v.text("password.set")
	}
	v.show(status, "password", "password.title", data)
	return nil
}

// waiting returns the attempt of the address, which waits for a password.
func (v *visit) waiting() (signin.Attempt, error) {
	a, err := v.pages.Flow.Find(v.r.Context(), v.Visit, v.r.PathValue("id"))
	if err == nil && a.Next() != signin.StepPassword {
		err = fault.New(fault.NotFound, "signin_step", "This sign-in does not wait for a password.")
	}
	return a, err
}

// forgot explains what happens to those who have forgotten their password.
func (p *Pages) forgot(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	v.show(http.StatusOK, "forgot", "forgot.title", map[string]any{"ID": a.ID, "UserName": a.UserName, "Mail": p.Flow.Mail.Sends(), "Error": ""})
	return nil
}

// sendReset has the link sent. Its answer is the same for every user name.
func (p *Pages) sendReset(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	err = p.Flow.Forgot(v.r.Context(), v.visitor(), a.ID)
	if message, throttled := v.throttled(err); throttled {
		v.show(http.StatusTooManyRequests, "forgot", "forgot.title", map[string]any{"ID": a.ID, "UserName": a.UserName, "Mail": p.Flow.Mail.Sends(), "Error": message})
		return nil
	}
	if err != nil {
		return err
	}
	v.redirect("/signin/" + a.ID + "/mail/sent")
	return nil
}

func (p *Pages) resetSent(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	v.show(http.StatusOK, "notice", "sent.title", map[string]any{
		"Text": v.text("sent.text", "user", a.UserName), "Kind": "done", "More": v.text("sent.more"), "Again": "/signin/" + a.ID, "AgainText": "sent.back",
	})
	return nil
}

// sendCode has a code sent. Its answer is the same for every user name.
func (p *Pages) sendCode(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	err = p.Flow.SendPasswordCode(v.r.Context(), v.visitor(), a.ID)
	if message, throttled := v.throttled(err); throttled {
		v.showCode(http.StatusTooManyRequests, a, message)
		return nil
	}
	if err != nil {
		return err
	}
	to := "/signin/" + a.ID + "/mail/code"
	if v.field("again") != "" {
		to += "?sent"
	}
	v.redirect(to)
	return nil
}

// askCode asks for the code.
func (p *Pages) askCode(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	v.showCode(http.StatusOK, a, "")
	return nil
}

func (v *visit) showCode(status int, a signin.Attempt, message string) {
	v.show(status, "mailcode", "mailcode.title", map[string]any{"ID": a.ID, "UserName": a.UserName, "Error": message, "Note": v.sentNote("mailcode.sent")})
}

// checkCode takes the code, and leads to where a password is chosen.
func (p *Pages) checkCode(v *visit) error {
	a, err := v.waiting()
	if err != nil {
		return err
	}
	token, err := p.Flow.PasswordCode(v.r.Context(), v.visitor(), a.ID, v.field("code"))
	if err == nil {
		v.redirect(maillink.Path(token))
		return nil
	}
	if message, throttled := v.throttled(err); throttled {
		v.showCode(http.StatusTooManyRequests, a, message)
		return nil
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Subject == "mail_code" {
		key := "mailcode.wrong"
		if e.Category == fault.NotFound {
			key = "mailcode.gone"
		}
		v.showCode(http.StatusUnprocessableEntity, a, v.text(key))
		return nil
	}
	return err
}

// throttled tells whether an error is that of too many tries, and what to say.
func (v *visit) throttled(err error) (message string, throttled bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Category != fault.Throttled {
		return "", false
	}
	v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
	return v.text("throttled.text", "wait", v.wait(e.RetryAfter)), true
}

// link shows what a link is for.
func (p *Pages) link(v *visit) error {
	l, err := p.Flow.Link(v.r.Context(), v.r.PathValue("token"))
	if err != nil {
		return v.linkGone(err)
	}
	v.showLink(http.StatusOK, l, "")
	return nil
}

func (v *visit) showLink(status int, l signin.Linked, message string) {
	data := map[string]any{
		"Token": v.r.PathValue("token"), "UserName": l.User.UserName, "Name": l.User.DisplayName, "Email": l.User.Email(), "Error": message,
	}
	switch {
	case l.Purpose == maillink.Invitation:
		data["Intro"] = v.text("invitation.intro", "name", l.User.DisplayName)
		v.show(status, "choose", "invitation.title", data)
	case l.Purpose.SetsPassword():
		data["Intro"] = v.text("reset.intro")
		v.show(status, "choose", "newpassword.title", data)
	case l.Purpose == maillink.Verification:
		data["Intro"], data["Warning"], data["Button"] = v.text("verify.intro", "email", l.User.Email()), "", v.text("verify.button")
		v.show(status, "confirm", "verify.title", data)
	case l.Purpose == maillink.NotMe:
		data["Intro"], data["Warning"], data["Button"] = v.text("notme.intro", "user", l.User.UserName), v.text("notme.warning"), v.text("notme.button")
		v.show(status, "confirm", "notme.title", data)
	default:
		data["Intro"], data["Warning"], data["Button"] = v.text("enroll.intro", "user", l.User.UserName), "", v.text("enroll.button")
		v.show(status, "confirm", "enroll.title", data)
	}
}

// followLink does what a link is for.
func (p *Pages) followLink(v *visit) error {
	token := v.r.PathValue("token")
	l, err := p.Flow.Link(v.r.Context(), token)
	if err != nil {
		return v.linkGone(p.Flow.Replayed(v.r.Context(), v.Visit, token, err))
	}
	switch {
	case l.Purpose.SetsPassword():
		return v.linkedPassword(l, token)
	case l.Purpose == maillink.Verification:
		if _, err := p.Flow.VerifyEmail(v.r.Context(), v.Visit, token); err != nil {
			return v.linkGone(err)
		}
		v.done("verified.title", v.text("verified.text", "email", l.User.Email()))
	case l.Purpose == maillink.NotMe:
		denied, err := p.Flow.DenyChange(v.r.Context(), v.Visit, token)
		if err != nil {
			return v.linkGone(err)
		}
		text := "secured.ask"
		switch {
		case denied.Kept:
			text = "secured.kept"
		case denied.Mailed:
			text = "secured.mailed"
		}
		v.done("secured.title", v.text(text))
	default: // a device is to be registered
		a, err := p.Flow.Enroll(v.r.Context(), v.Visit, token)
		if err != nil {
			return v.linkGone(err)
		}
		v.redirect("/signin/" + a.ID)
	}
	return nil
}

func (v *visit) done(title, text string) {
	v.show(http.StatusOK, "notice", title, map[string]any{"Text": text, "Kind": "done", "More": "", "Again": "/start", "AgainText": "link.signin"})
}

// linkedPassword takes the password that is chosen at a link, and goes on to
// signing in with it.
func (v *visit) linkedPassword(l signin.Linked, token string) error {
	if v.field("password") != v.field("confirm") {
		v.showLink(http.StatusUnprocessableEntity, l, v.text("newpassword.mismatch"))
		return nil
	}
	u, err := v.pages.Flow.LinkedPassword(v.r.Context(), v.visitor(), token, v.field("password"))
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Category == fault.Invalid && e.Subject == "password" {
		v.showLink(http.StatusUnprocessableEntity, l, v.text("newpassword."+e.Reason))
		return nil
	}
	if err != nil {
		return v.linkGone(err)
	}
	known, err := v.pages.Flow.KnowBrowser(v.visitor(), u)
	if err != nil {
		return err
	}
	if known != "" {
		v.setCookie(knownCookie, known, v.now.Add(signin.KnownLifetime))
	}
	a, err := v.pages.Flow.Begin(v.r.Context(), v.Visit, u.StoreID, u.UserName, "/start")
	if err != nil { // the password is set all the same
		v.redirect("/signin")
		return nil //nolint:nilerr // it is told at the sign-in
	}
	v.redirect("/signin/" + a.ID + "?set")
	return nil
}

// linkGone says why a link cannot be followed, and what to do instead. Other
// errors are returned.
func (v *visit) linkGone(err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Subject != "mail_link" {
		return err
	}
	next := "linknext.other"
	switch maillink.Purpose(e.ResourceType) {
	case maillink.Invitation:
		next = "linknext.invitation"
	case maillink.Reset, maillink.FirstPassword:
		next = "linknext.reset"
	case maillink.Verification:
		next = "linknext.verification"
	case maillink.NotMe:
		next = "linknext.notme"
	default:
	}
	v.show(http.StatusGone, "refusal", "linkgone.title", map[string]any{
		"Text": v.text("linkgone."+e.Reason) + " " + v.text(next), "Ask": false, "Again": "/start", "AgainText": "link.signin",
	})
	return nil
}
