package pages

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// maxUserName is the longest user name, in characters: AWS's limit.
const maxUserName = 128

// username asks for the user name. Those who are signed in need not give it.
func (p *Pages) username(v *visit) error {
	to := destination(v.r.URL.Query().Get("to"))
	switch {
	case v.user.ID != "":
		v.redirect(to)
		return nil
	case to == signin.RootDestination:
		v.redirect(v.signInPage("", to))
		return nil
	}
	v.show(http.StatusOK, "username", "username.title", map[string]any{"To": to})
	return nil
}

// begin starts an attempt. It goes on the same for every user name.
func (p *Pages) begin(v *visit) error {
	name, ok := userName(v.field("username"))
	if !ok {
		v.redirect(v.signInPage("", destination(v.field("to"))))
		return nil
	}
	a, err := p.Flow.Begin(v.r.Context(), v.Visit, v.instance.IdentityStoreID, name, destination(v.field("to")))
	if err != nil {
		return err
	}
	v.redirect("/signin/" + a.ID)
	return nil
}

// userName is a user name as it was typed; ok is false when it can be nobody's.
func userName(typed string) (name string, ok bool) {
	name = strings.TrimSpace(typed)
	return name, name != "" && utf8.RuneCountInString(name) <= maxUserName && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}

// attempting is for the addresses of a sign-in that is under way in the
// browser.
func (p *Pages) attempting(h handler) handler {
	return func(v *visit) error {
		a, found, err := p.Flow.Begun(v.r.Context(), v.Visit, v.r.PathValue("id"))
		if err != nil {
			return err
		}
		v.attempt, v.asRoot = a, signin.IsRoot(a.StoreID)
		switch {
		case !found || v.asRoot || a.StoreID == v.instance.IdentityStoreID:
			err := h(v)
			if e, ok := errors.AsType[*fault.Error](err); ok && e.Subject == "signin_step" {
				return p.step(v)
			}
			return err
		case v.disabled:
			return errDisabled
		default: // it was of an instance that was deleted since
			return fault.New(fault.NotFound, "signin_attempt", "The identity store of this sign-in does not exist any more.")
		}
	}
}

// startAgain is where a sign-in begins anew that cannot go on.
func (v *visit) startAgain() string {
	if v.attempt.ID != "" {
		return v.signInPage(v.attempt.StoreID, destination(v.attempt.Destination))
	}
	return v.home()
}

// step shows what an attempt needs next, or leads there from another step.
func (p *Pages) step(v *visit) error {
	out, err := p.Flow.Resume(v.r.Context(), v.visitor(), v.r.PathValue("id"))
	switch {
	case fault.Is(err, fault.NotFound) && v.user.ID != "":
		v.redirect("/start") // the browser went back to where it had signed in
	case err != nil:
		return err
	case out.Token == "" && v.r.Method != http.MethodPost && v.r.URL.Path == "/signin/"+out.Attempt.ID:
		return v.showStep(http.StatusOK, out.Attempt, "")
	default:
		return v.proceed(out)
	}
	return nil
}

// showStep shows the page of an attempt's next step, with a message when the
// last try of it failed.
func (v *visit) showStep(status int, a signin.Attempt, message string) error {
	data := map[string]any{"ID": a.ID, "UserName": a.UserName, "Other": v.signInPage(a.StoreID, a.Destination), "Error": message}
	switch a.Next() {
	case signin.StepNewPassword:
		v.show(status, "newpassword", "newpassword.title", data)
	case signin.StepFactor:
		return v.askFactor(status, a, message)
	case signin.StepRegister:
		return v.chooseDevice(a)
	case signin.StepEmailCode:
		return v.askEmailCode(status, a, message)
	case signin.StepBlocked:
		why, err := v.pages.Flow.Blocked(v.r.Context(), a.StoreID)
		if err != nil {
			return err
		}
		v.show(http.StatusForbidden, "refusal", "blocked.title", map[string]any{"Text": v.text(blockedText(why)), "Ask": true, "Again": v.signInPage(a.StoreID, a.Destination), "AgainText": "blocked.again"})
	default:
		return v.showPassword(status, a.StoreID, data)
	}
	return nil
}

// blockedText is the text that says why a person cannot sign in.
func blockedText(why signin.Blocked) string {
	switch why {
	case signin.BlockedMail:
		return "blocked.mail"
	case signin.BlockedAddress:
		return "blocked.address"
	default:
		return "blocked.device"
	}
}

// givePassword takes the password.
func (p *Pages) givePassword(v *visit) error {
	id := v.r.PathValue("id")
	out, err := p.Flow.Password(v.r.Context(), v.visitor(), id, v.field("password"))
	if err == nil {
		return v.proceed(out)
	}
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && e.Category == fault.Denied && e.Subject == "one_time_password":
		return v.stepAgain(id, http.StatusUnprocessableEntity, v.text("fault.denied.one_time_password"))
	case ok && e.Category == fault.Denied:
		return v.stepAgain(id, http.StatusUnprocessableEntity, v.text("password.wrong"))
	case ok && e.Category == fault.Throttled:
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
		ways := "throttled.ways"
		switch {
		case v.asRoot:
			ways = "throttled.ways.root"
		case v.pages.Flow.Mail.Sends():
			ways = "throttled.ways.mail"
		}
		return v.stepAgain(id, http.StatusTooManyRequests, v.text("throttled.text", "wait", v.wait(e.RetryAfter))+" "+v.text(ways))
	}
	return err
}

// newPassword takes the password that replaces a one-time one.
func (p *Pages) newPassword(v *visit) error {
	id := v.r.PathValue("id")
	if v.field("password") != v.field("confirm") {
		return v.stepAgain(id, http.StatusUnprocessableEntity, v.text("newpassword.mismatch"))
	}
	out, err := p.Flow.NewPassword(v.r.Context(), v.visitor(), id, v.field("password"))
	if err == nil {
		return v.proceed(out)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Category == fault.Invalid && e.Subject == "password" {
		return v.stepAgain(id, http.StatusUnprocessableEntity, v.text("newpassword."+e.Reason))
	}
	return err
}

// stepAgain shows the step once more, with what was wrong.
func (v *visit) stepAgain(id string, status int, message string) error {
	a, err := v.pages.Flow.Find(v.r.Context(), v.Visit, id)
	if err != nil {
		return err
	}
	return v.showStep(status, a, message)
}

// proceed goes where the dispatcher says: to the next step, or signed in to
// the destination.
func (v *visit) proceed(out signin.Outcome) error {
	if out.Token == "" {
		v.redirect("/signin/" + out.Attempt.ID)
		return nil
	}
	v.signedInTo(out, destination(out.Attempt.Destination))
	return nil
}

// signedInTo gives the browser what it keeps of a sign-in, and goes on to a
// page.
func (v *visit) signedInTo(out signin.Outcome, to string) {
	v.setCookie(sessionCookie, out.Token, out.Session.ExpiresAt)
	if out.Known != "" {
		v.setCookie(knownCookie, out.Known, v.now.Add(signin.KnownLifetime))
	}
	if out.Trusted != "" {
		v.setCookie(trustedCookie, out.Trusted, out.TrustedUntil)
	}
	v.redirect(to)
}

// signOut ends the session and the tokens that clients were given in it.
func (p *Pages) signOut(v *visit) error {
	if _, held := v.actor(); held.ID != "" {
		err := p.DB.Update(v.r.Context(), func(tx Tx) error {
			err := session.SignOut(tx, held.ID)
			if fault.Is(err, fault.NotFound) {
				return nil // it ended by itself
			}
			if err != nil {
				return err
			}
			return v.record(tx, portalSource, "Logout", nil)
		})
		if err != nil {
			return err
		}
	}
	v.leave()
	return nil
}

// leave goes on after the session of who is signed in was ended: the browser
// forgets it, and what it has kept of the pages. What tells the browser apart
// from others stays: it is known, and trusted, all the same.
func (v *visit) leave() {
	v.setCookie(sessionCookie, "", v.now)
	v.w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	if v.root.ID != "" {
		v.redirect("/root/signed-out")
		return
	}
	v.redirect("/signin/signed-out")
}

func (p *Pages) signedOut(v *visit) error {
	v.showSignedOut("/start")
	return nil
}

func (v *visit) showSignedOut(again string) {
	v.show(http.StatusOK, "notice", "signedout.title", map[string]any{
		"Text": v.text("signedout.text"), "Kind": "done", "More": "", "Again": again, "AgainText": "signedout.again",
	})
}
