package pages_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
)

// mailKey tells codes apart, which plainKey does not.
type mailKey struct{ plainKey }

func (mailKey) Sign(data []byte) ([]byte, error) {
	h := hmac.New(sha256.New, []byte("a key"))
	h.Write(data)
	return h.Sum(nil), nil
}

func (k mailKey) Verify(data, tag []byte) error {
	if want, err := k.Sign(data); err != nil || !hmac.Equal(want, tag) {
		return errors.New("another code")
	}
	return nil
}

// newMailSite is a site that sends mail, whose people choose their first
// password by mail. sam.lee has an address.
func newMailSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.flow.Mail = &mail.Outbox{Keys: mailKey{}, IDs: ident.NewSource(rand.Reader)}
	s.update(func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, s.in.IdentityStoreID, func(a *authsettings.Settings) { a.NoPassword = authsettings.NoPasswordEmail })
		if err != nil {
			return err
		}
		_, s.sam, err = directory.UpdateUser(tx, directory.Stamp{At: s.now, By: "test"}, s.in.IdentityStoreID, s.sam.ID,
			[]directory.Operation{{Path: "emails", Value: []any{map[string]any{"value": "sam.lee@example.com"}}}})
		return err
	})
	return s
}

// newPerson adds a person without password.
func (s *site) newPerson(name, email string) (u directory.User) {
	s.t.Helper()
	in := directory.NewUser{Attributes: directory.Attributes{
		UserName: name, DisplayName: "New Person", Name: directory.Name{GivenName: "New", FamilyName: "Person"},
	}}
	if email != "" {
		in.Emails = []directory.Email{{Value: email}}
	}
	s.update(func(tx *store.Tx) (err error) {
		u, err = directory.CreateUser(tx, ident.NewSource(rand.Reader), directory.Stamp{At: s.clock(), By: "test"}, s.in.IdentityStoreID, in)
		return err
	})
	return u
}

// letters empties the outbox and returns what is sent.
func (s *site) letters() (sent []mail.Letter) {
	s.t.Helper()
	var mu sync.Mutex // several are sent at once
	sender := &mail.Sender{
		DB: store.Bind[mail.QueueTx](s.store), Keys: mailKey{}, Transport: nowhere{}, IDs: ident.NewSource(rand.Reader), Now: s.clock,
		Write: func(l mail.Letter) (mail.Message, error) {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, l)
			return mail.Message{}, nil
		},
		Report: func(err error) { s.t.Error(err) },
	}
	for {
		taken, err := sender.Once(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		if taken == 0 {
			return sent
		}
	}
}

type nowhere struct{}

func (nowhere) Deliver(context.Context, mail.Message) error { return nil }

// letter is the one letter that is sent.
func (s *site) letter(kind mail.Kind) mail.Content {
	s.t.Helper()
	all := s.letters()
	if len(all) != 1 || all[0].Kind != kind {
		s.t.Fatalf("sent: %+v; want one %s", all, kind)
	}
	return all[0].Content
}

// passwordPage goes to the page that wants the password of a user name.
func (s *site) passwordPage(name string) *browser {
	s.t.Helper()
	return s.browser().get("/start").submit("/signin", "username", name).shows(200, "Password")
}

func TestForgotPassword(t *testing.T) {
	s := newMailSite(t)
	b := s.passwordPage("sam.lee")
	step := b.path
	b.get(step+"/mail/forgot").shows(200, "Forgot password", "sam.lee")
	if len(s.letters()) != 0 {
		t.Error("looking at the page sent a letter")
	}
	b.submit(step+"/mail/forgot").shows(200, "Check your mail", "sam.lee")
	link := s.letter(mail.PasswordReset).Path

	elsewhere := s.browser() // the mail is read on a phone
	for range 3 {
		elsewhere.get(link).shows(200, "New password", "Confirm password", "sam.lee")
	}
	elsewhere.submit(link, "password", chosen, "confirm", "x"+chosen).shows(422, "not the same")
	elsewhere.submit(link, "password", "short", "confirm", "short").shows(422, "8 to 64")
	elsewhere.submit(link, "password", "Sam.lee-1", "confirm", "Sam.lee-1").shows(422, "too easy to guess")
	old := s.browser()
	old.signIn("/start").shows(200, "Signed in as Sam Lee") // with the one-time password, and a new one
	b.get(link).shows(410, "This link cannot be used", "Your password or your address was changed")

	s.pass(time.Hour)
	b = s.passwordPage("sam.lee")
	b.get(b.path + "/mail/forgot").submit(strings.TrimSuffix(b.path, "/sent"))
	link = s.letter(mail.PasswordReset).Path
	const another = "Other-Vt8-kelp"
	b.get(link).submit(link, "password", chosen, "confirm", chosen).shows(422, "one of your last three")
	b.submit(link, "password", another, "confirm", another).shows(200, "Your password is set. Sign in with it.", "sam.lee")
	s.letter(mail.PasswordChanged)
	old.get("/start").shows(200, "Username") // signed out
	b.submit(strings.TrimSuffix(b.path, "?set")+"/password", "password", another).shows(200, "Signed in as Sam Lee")
	b.get(link).shows(410, "The link was used already", "Forgot password to get another link")
	b.post(link, url.Values{"password": {chosen}, "confirm": {chosen}, "csrf": {"x"}}, http.Header{"Sec-Fetch-Site": {"same-origin"}})
	b.shows(410, "The link was used already")
	b.get("/link/nothing-like-a-token").shows(410, "The link is not known here")
	s.pass(48 * time.Hour)
	s.browser().get(link).shows(410, "The link was used already")
}

// TestLinksNeedTheirButton has forms from elsewhere press it.
func TestLinksNeedTheirButton(t *testing.T) {
	s := newMailSite(t)
	b := s.passwordPage("sam.lee")
	b.get(b.path + "/mail/forgot").submit(b.path)
	link := s.letter(mail.PasswordReset).Path
	values := url.Values{"password": {chosen}, "confirm": {chosen}}
	for name, tc := range map[string]struct {
		header http.Header
		status int // 200 is of the link's own page
	}{
		"from another site": {http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, 403},
		"without token":     {http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}}, 200},
	} {
		attacker := s.browser()
		attacker.get(link)
		attacker.post(link, values, tc.header)
		if attacker.status != tc.status || attacker.path != link {
			t.Errorf("%s: %d, at %s", name, attacker.status, attacker.path)
		}
	}
	b.get(link).shows(200, "New password")
}

func TestInvitation(t *testing.T) {
	s := newMailSite(t)
	u := s.newPerson("new.person", "new@example.com")
	s.update(func(tx *store.Tx) error { return maillink.Invite(tx, s.clock(), s.flow.Mail, u) })
	link := s.letter(mail.Invitation).Path
	b := s.browser()
	b.get(link).shows(200, "Accept the invitation", "Welcome, New Person", "new.person")
	b.submit(link, "password", chosen, "confirm", chosen).shows(200, "Your password is set")
	b.submit(strings.TrimSuffix(b.path, "?set")+"/password", "password", chosen).shows(200, "Signed in as New Person")
	s.browser().get(link).shows(410, "used already", "ask an administrator to invite you again")

	late := s.newPerson("late", "late@example.com")
	s.update(func(tx *store.Tx) error { return maillink.Invite(tx, s.clock(), s.flow.Mail, late) })
	link = s.letter(mail.Invitation).Path
	s.pass(7 * 24 * time.Hour)
	s.browser().get(link).shows(410, "The link has expired", "ask an administrator to invite you again")
}

func TestFirstPasswordByCode(t *testing.T) {
	s := newMailSite(t)
	s.newPerson("new.person", "new@example.com")
	b := s.passwordPage("new.person").shows(200, "Email me a code")
	step := b.path
	b.submit(step+"/mail/code").shows(200, "Enter the code", "new.person")
	s.letter(mail.PasswordCode)
	if strings.Contains(b.page, "Another code") {
		t.Error("the first code is another one")
	}
	b.submit(step+"/mail/code").shows(200, "Enter the code", "Another code was asked for")
	code := s.letter(mail.PasswordCode).Code
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
	b.submit(step+"/mail/check", "code", wrong).shows(422, "This code is not correct")
	b.submit(step+"/mail/check", "code", code[:4]+" "+code[4:]).shows(200, "New password", "new.person")
	link := b.path
	b.submit(link, "password", chosen, "confirm", chosen).shows(200, "Your password is set")
	b.submit(strings.TrimSuffix(b.path, "?set")+"/password", "password", chosen).shows(200, "Signed in as New Person")
	b = s.passwordPage("new.person")
	b.submit(b.path + "/mail/code")
	if all := s.letters(); len(all) != 0 {
		t.Errorf("somebody with a password got a code: %+v", all)
	}
	b.submit(strings.TrimSuffix(b.path, "/code")+"/check", "code", code).shows(422, "not correct")
}

// TestACodeIsOfItsBrowser has another browser type it.
func TestACodeIsOfItsBrowser(t *testing.T) {
	s := newMailSite(t)
	s.newPerson("new.person", "new@example.com")
	b := s.passwordPage("new.person")
	step := b.path
	b.submit(step + "/mail/code")
	code := s.letter(mail.PasswordCode).Code
	other := s.passwordPage("new.person")
	other.get(step + "/mail/code").shows(410)
	other.get("/signin")
	own := s.passwordPage("new.person")
	own.submit(own.path + "/mail/code")
	s.letters()
	own.submit(strings.TrimSuffix(own.path, "/code")+"/check", "code", code).shows(422)
	for range maillink.CodeTries - 1 {
		own.submit(strings.TrimSuffix(own.path, "/check")+"/check", "code", code)
	}
	own.shows(422, "cannot be used any more")
}

func TestCodesAreOfferedToAllOrNone(t *testing.T) {
	s := newMailSite(t)
	s.passwordPage("nobody").shows(200, "Email me a code")
	s.update(func(tx *store.Tx) error {
		_, err := authsettings.Change(tx, s.in.IdentityStoreID, func(a *authsettings.Settings) { a.NoPassword = authsettings.NoPasswordBlock })
		return err
	})
	s.newPerson("new.person", "new@example.com")
	b := s.passwordPage("new.person")
	if strings.Contains(b.page, "Email me a code") {
		t.Error("a code is offered, though the settings forbid it")
	}
	form := url.Values{"csrf": {formToken.FindStringSubmatch(b.page)[1]}}
	b.post(b.path+"/mail/code", form, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {s.url}})
	b.shows(410)
	b = s.passwordPage("new.person")
	b.get(b.path + "/mail/forgot").submit(b.path)
	if all := s.letters(); len(all) != 0 {
		t.Errorf("letters, though the settings forbid a first password by mail: %+v", all)
	}
}

// TestLettersTellNothing compares what a browser sees when letters are asked
// for: for somebody, somebody without address, somebody disabled, and nobody.
func TestLettersTellNothing(t *testing.T) {
	s := newMailSite(t)
	s.newPerson("no.address", "")
	s.newPerson("no.password", "no.password@example.com")
	gone := s.newPerson("disabled", "disabled@example.com")
	s.update(func(tx *store.Tx) error {
		_, _, err := directory.DisableUser(tx, directory.Stamp{At: s.clock(), By: "test"}, s.in.IdentityStoreID, gone.ID)
		return err
	})
	see := func(name string) (seen []string) {
		varying := regexp.MustCompile(`[A-Za-z0-9_-]{22,}|nonce="[^"]*"|` + regexp.QuoteMeta(name))
		note := func(b *browser) {
			h := b.header.Clone()
			for _, ever := range []string{"Date", "Set-Cookie", "Content-Length", "Content-Security-Policy"} {
				h.Del(ever)
			}
			var header strings.Builder
			_ = h.Write(&header)
			seen = append(seen, http.StatusText(b.status)+varying.ReplaceAllString(b.path+header.String()+b.page, "…"))
		}
		s.pass(13 * time.Hour) // nothing counts any longer that was asked for from here
		b := s.passwordPage(name)
		step := b.path
		note(b)
		note(b.submit(step + "/mail/code"))
		note(b.submit(step+"/mail/check", "code", "00000000"))
		note(b.get(step + "/mail/forgot"))
		note(b.submit(step + "/mail/forgot"))
		for range 4 { // longer than letters are sent
			note(b.get(step + "/mail/forgot").submit(step + "/mail/forgot"))
		}
		return seen
	}
	want := see("sam.lee")
	if last := want[len(want)-1]; !strings.Contains(last, "Check your mail") || !strings.Contains(last, "one that you got within the last half hour still works") {
		t.Errorf("asking again and again is answered: %s", last)
	}
	for _, name := range []string{"nobody", "no.address", "no.password", "disabled"} {
		got := see(name)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s, page %d differs:\n%s\n%s", name, i, got[i], want[i])
			}
		}
	}
}

func TestVerifyEmail(t *testing.T) {
	s := newMailSite(t)
	s.update(func(tx *store.Tx) error { return maillink.SendVerification(tx, s.clock(), s.flow.Mail, s.sam) })
	link := s.letter(mail.EmailVerification).Path
	verified := func() (is bool) {
		s.update(func(tx *store.Tx) (err error) {
			is, err = maillink.Verified(tx, s.sam)
			return err
		})
		return is
	}
	b := s.browser().get(link).shows(200, "Verify your email address", "sam.lee@example.com")
	if verified() {
		t.Error("looking at the link verified the address")
	}
	b.submit(link).shows(200, "Your address is verified")
	if !verified() {
		t.Error("the address is not verified")
	}
	b.get(link).shows(410, "used already", "there is nothing to do")
}

func TestThisWasntMe(t *testing.T) {
	s := newMailSite(t)
	victim := s.browser()
	victim.signIn("/start").shows(200, "Signed in as Sam Lee")
	s.letters()
	s.update(func(tx *store.Tx) error {
		return maillink.Notify(tx, s.clock(), s.flow.Mail, s.sam, maillink.Notice{Kind: mail.FactorAdded, About: "Phone"})
	})
	link := s.letter(mail.FactorAdded).NotMe
	b := s.browser().get(link).shows(200, "This wasn't me", "sam.lee")
	victim.get("/start").shows(200, "Signed in as Sam Lee")
	b.submit(link).shows(200, "Your account is secured", "We have sent you a link")
	victim.get("/start").shows(200, "Username")
	wrong := s.passwordPage("sam.lee")
	wrong.submit(wrong.path+"/password", "password", chosen).shows(422, "not correct")
	reset := s.letter(mail.PasswordReset).Path
	b.get(reset).submit(reset, "password", "Other-Vt8-kelp", "confirm", "Other-Vt8-kelp").shows(200, "Your password is set")
	b.get(link).shows(410, "used already")
	s.update(func(tx *store.Tx) error {
		live, _, err := session.List(tx, s.clock(), s.in.IdentityStoreID, s.sam.ID, "", 10)
		if len(live) != 0 {
			t.Errorf("sessions are left: %+v", live)
		}
		return err
	})
}

// TestThisWasntMeOfAnOnlyDevice says so about the one device of a person, which
// is how a mailbox alone could take the place of password and device: everything
// ends, and nothing but an administrator opens it again.
func TestThisWasntMeOfAnOnlyDevice(t *testing.T) {
	s := newMailSite(t)
	s.settings(func(a *authsettings.Settings) {
		a.MfaMode, a.NoMfa = authsettings.MfaAlwaysOn, authsettings.NoMfaEnroll
	})
	victim := s.browser().signIn("/start").shows(200, "Register MFA device")
	secret := victim.registerApp()
	victim.shows(200, "Signed in as Sam Lee")
	link := s.letter(mail.FactorAdded).NotMe
	b := s.browser().get(link).shows(200, "This wasn't me", "sam.lee")
	b.submit(link).shows(200, "Your account is secured", "Ask an administrator of IAM Identity Center")
	victim.get("/start").shows(200, "Username")
	for _, l := range s.letters() {
		if l.Content.Path != "" || l.Content.Code != "" {
			t.Errorf("a letter opens the account: %s", l.Kind)
		}
	}
	s.update(func(tx *store.Tx) error {
		left, err := mfa.List(tx, s.in.IdentityStoreID, s.sam.ID)
		if len(left) != 0 {
			t.Errorf("the device is left: %+v", left)
		}
		return err
	})
	s.pass(time.Minute)
	wrong := s.passwordPage("sam.lee")
	wrong.submit(wrong.path+"/password", "password", chosen).shows(422, "not correct")
	// Nor does the mailbox open it later.
	forgot := s.passwordPage("sam.lee")
	attempt := forgot.at()
	forgot.get(attempt+"/mail/forgot").submit(attempt+"/mail/forgot").shows(200, "Check your mail")
	forgot.get(attempt).submit(attempt+"/mail/code").shows(200, "Enter the code")
	for _, l := range s.letters() {
		if l.To != "" {
			t.Errorf("a letter opens the account later: %s to %s", l.Kind, l.To)
		}
	}
	if strings.Contains(s.trail(), secret) {
		t.Error("the secret is in the audit trail")
	}
}

// TestWithoutMail is of a server that sends none.
func TestWithoutMail(t *testing.T) {
	s := newSite(t)
	b := s.passwordPage("sam.lee").shows(200, "Forgot password", "Ask an administrator")
	if strings.Contains(b.page, "Email me a code") || strings.Contains(b.page, "/mail/") {
		t.Error("letters are offered that nobody sends")
	}
	b.get(b.path+"/mail/forgot").shows(200, "Ask an administrator")
	if strings.Contains(b.page, `method="post" action="/signin/`) {
		t.Error("letters are offered that nobody sends")
	}
}
