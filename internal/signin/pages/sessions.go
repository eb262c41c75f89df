package pages

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/session"
)

// sessionsPage is how many sessions a page shows: more than a person has.
const sessionsPage = 100

// loginsShown is how many logins of programs are shown, the newest: more than a
// person has.
const loginsShown = 500

// signedInAt is a session as a person reads of it.
type signedInAt struct {
	ID, Browser, Address string
	Since, Until         string
	How                  string // what was proved to begin it
	Confirmed            string // when a second factor was proved again; "" for not
	Last                 string // when it was last used, as far as that is known; "" for not since it began
	Current              bool
	Programs             []program
}

// program is a program that a person lets use their access, in one session.
type program struct {
	ID, Client   string
	Scopes       []string
	Since, Until string
	Last         string // when it renewed its access; "" for not yet
	Renews       bool   // it holds a refresh token
}

// sessions lists where the person is signed in, this browser first and then
// the newest, with the programs that hang on each.
func (p *Pages) sessions(v *visit) error {
	self, user := v.self()
	var found []session.Session
	var logins []oauth.Family
	var next string
	after := v.r.URL.Query().Get("after")
	err := p.DB.View(v.r.Context(), func(tx Tx) error {
		var err error
		if found, next, err = session.List(tx, v.now, user.StoreID, user.ID, after, sessionsPage); err != nil {
			return err
		}
		logins, err = oauth.Logins(tx, v.now, user.StoreID, user.ID, loginsShown)
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
		list[i] = v.describeSession(s, logins, s.ID == self.ID)
	}
	note := ""
	if v.r.URL.Query().Has("ended") {
		note = v.text("sessions.ended")
	}
	v.show(http.StatusOK, "sessions", "sessions.title", map[string]any{
		"Sessions": list, "Next": next, "Note": note, "Programs": len(logins) > 0,
	})
	return nil
}

func rank(first bool) int {
	if first {
		return 1
	}
	return 0
}

// describeSession describes a session, with those of the logins that hang on it.
func (v *visit) describeSession(s session.Session, logins []oauth.Family, current bool) signedInAt {
	out := signedInAt{
		ID: s.ID, Address: s.Client.IP, Since: written(s.CreatedAt), Until: written(s.ExpiresAt), How: v.text(howOf(s.Factor)), Current: current,
	}
	if s.MFAAt.After(s.CreatedAt) {
		out.Confirmed = written(s.MFAAt)
	}
	last := latest(latest(s.CreatedAt, s.MFAAt), s.PasswordAt)
	for _, f := range logins {
		if f.SessionID == s.ID {
			out.Programs = append(out.Programs, v.describeProgram(f))
			last = latest(latest(last, f.CreatedAt), f.RenewedAt())
		}
	}
	if last.After(s.CreatedAt) && !current {
		out.Last = written(last)
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

func (v *visit) describeProgram(f oauth.Family) program {
	out := program{
		ID: f.ID, Client: clipped(f.ClientName), Scopes: v.describeScopes(f.Scopes),
		Since: written(f.CreatedAt), Until: written(f.Until()), Renews: f.Renews(),
	}
	if out.Client == "" { // of a login from before names were kept
		out.Client = v.text("sessions.program.unknown")
	}
	if at := f.RenewedAt(); !at.IsZero() {
		out.Last = written(at)
	}
	return out
}

// howOf is the text that says what was proved to begin a session.
func howOf(factor string) string {
	switch authsettings.MfaType(factor) {
	case "":
		return "sessions.how.password"
	case authsettings.Totp:
		return "sessions.how.app"
	case authsettings.Webauthn:
		return "sessions.how.key"
	default:
		return "sessions.how.mail"
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// written is a time as pages show it.
func written(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 MST") }

// endSession ends one of the person's sessions: this one at once, another one
// after a proof of who they are. One that is not there any more, or is somebody
// else's, is passed over: the list then shows what is.
func (p *Pages) endSession(v *visit) error {
	self, user := v.self()
	id := v.field("session")
	if id == self.ID {
		return p.signOut(v)
	}
	if err := p.Flow.Fresh(v.r.Context(), self.ID); err != nil {
		return err
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

// removeAccess revokes the login of a program. What it has opened in accounts
// goes on until it expires, as when the program itself signs out; ending the
// session ends that too.
func (p *Pages) removeAccess(v *visit) error {
	_, user := v.self()
	err := p.DB.Update(v.r.Context(), func(tx Tx) error {
		f, found, err := oauth.RevokeLogin(tx, v.now, user.StoreID, user.ID, v.field("program"))
		if err != nil || !found {
			return err
		}
		return v.recordDecision(tx, "RevokeAuthorization", f.ClientID, f.Scopes)
	})
	if err == nil {
		v.redirect(sessionsPath)
	}
	return err
}

// endOtherSessions signs the person out everywhere but here.
func (p *Pages) endOtherSessions(v *visit) error {
	self, _ := v.self()
	if _, err := p.Flow.EndOthers(v.r.Context(), v.visitor(), self.ID); err != nil {
		return err
	}
	v.redirect(sessionsPath + "?ended")
	return nil
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
	v.leave()
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
