package pages

import (
	"errors"
	"net/http"
	"time"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// The pages on which people look after what guards their account. A root user
// has the same.
const (
	devicesPath  = "/account/devices"
	registerPath = "/account/devices/register"
	verifyPath   = VerifyPath
	// verifiedPath is where those get who came to verifyPath by themselves: a
	// command has sent them.
	verifiedPath = verifyPath + "/done"
	// changedPath is devicesPath after a device was added or removed: it offers
	// to end the other sessions.
	changedPath = devicesPath + "?changed"
)

// VerifyPath is where signed-in people prove that it is them, below the public
// URL.
const VerifyPath = "/account/verify"

// accountPaths are the pages of accounts to which people may be sent.
func accountPaths() []string {
	return []string{registerPath + "/" + appKind, registerPath + "/" + keyKind, registerPath + "/" + builtInKind, registerPath, devicesPath, changePasswordPath, sessionsPath, verifiedPath}
}

// mountAccount adds the addresses of these pages.
func (p *Pages) mountAccount(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"GET " + devicesPath:                   p.devices,
		"POST " + devicesPath + "/forget":      p.forgetBrowsers,
		"GET " + verifyPath:                    p.verify,
		"GET " + verifiedPath:                  p.verifiedMe,
		"POST " + verifyPath + "/factor":       p.verifyFactor,
		"POST " + verifyPath + "/password":     p.verifyPassword,
		"GET " + registerPath:                  p.recent(p.chooseNewDevice),
		"GET " + registerPath + "/{kind}":      p.recent(p.newDeviceForm),
		"POST " + registerPath + "/{kind}":     p.recent(p.addDevice),
		"POST " + devicesPath + "/rename/{id}": p.recent(p.renameDevice),
		"POST " + devicesPath + "/remove/{id}": p.recent(p.removeDevice),
	} {
		mux.Handle(pattern, p.handle(p.anybody(h)))
	}
}

// self is who is signed in: a person, or a root user.
func (v *visit) self() (session.Session, directory.User) {
	if v.root.ID != "" {
		return v.rootSession, v.root
	}
	return v.session, v.user
}

// anybody sends those who are not signed in, as a person or as a root user, to
// do so.
func (p *Pages) anybody(h handler) handler {
	return func(v *visit) error {
		if v.root.ID != "" {
			return h(v)
		}
		return p.signedIn(h)(v)
	}
}

// recent lets those through who have proved who they are lately, and has the
// others do so first: a second factor, or the password of who has none, less
// than signin.StepUpAge ago. It is for everything that changes what guards an
// account. h is for those who are signed in.
func (p *Pages) recent(h handler) handler {
	return steppedUp(func(v *visit) error {
		self, _ := v.self()
		if err := p.Flow.Fresh(v.r.Context(), self.ID); err != nil {
			return err
		}
		return h(v)
	})
}

// steppedUp has those whom h does not let through prove who they are first.
func steppedUp(h handler) handler {
	return func(v *visit) error {
		err := h(v)
		if e, ok := errors.AsType[*fault.Error](err); ok && e.Subject == "step_up" {
			to := v.r.URL.RequestURI()
			if v.r.Method == http.MethodPost {
				to = formPageOf(v.r.URL.Path)
			}
			v.redirect(verifyPath + "?to=" + escape(accountPage(to)))
			return nil
		}
		return err
	}
}

// verify asks a signed-in person to prove who they are.
func (p *Pages) verify(v *visit) error {
	to := verifiedPath
	if asked := v.r.URL.Query().Get("to"); asked != "" {
		to = accountPage(asked)
	}
	return v.askProof(http.StatusOK, to, "")
}

// verifiedMe tells what can be done now.
func (p *Pages) verifiedMe(v *visit) error {
	v.show(http.StatusOK, "notice", "verified.me.title", map[string]any{
		"Text": v.text("verified.me.text"), "Kind": "done", "More": "", "Again": accountHome, "AgainText": "account.title",
	})
	return nil
}

func (v *visit) askProof(status int, to, message string) error {
	self, user := v.self()
	asked, err := v.pages.Flow.AskProof(v.r.Context(), self.ID)
	if err != nil {
		return err
	}
	data := map[string]any{"UserName": user.UserName, "Intro": v.text("verify.me.intro"), "To": to, "Other": "", "Submit": "verify.submit", "Error": message, "Action": verifyPath + "/factor"}
	if len(asked.Devices) == 0 {
		v.show(status, "verifypassword", "verify.me.title", data)
		return nil
	}
	v.showAsked(status, "verify.me.title", asked, data)
	return nil
}

// verifyFactor takes a second factor, and goes back to what needed it.
func (p *Pages) verifyFactor(v *visit) error {
	self, _ := v.self()
	to := accountPage(v.field("to"))
	token, err := p.Flow.ProveAgain(v.r.Context(), v.visitor(), self.ID, v.proof())
	if err == nil {
		v.verified(self, token, to)
		return nil
	}
	status, message := v.factorProblem(err, v.field("credential") != "")
	if message == "" {
		return err
	}
	return v.askProof(status, to, message)
}

// verifyPassword takes the password of who has no second factor.
func (p *Pages) verifyPassword(v *visit) error {
	self, _ := v.self()
	to := accountPage(v.field("to"))
	token, err := p.Flow.PasswordAgain(v.r.Context(), v.visitor(), self.ID, v.field("password"))
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case err == nil:
		v.verified(self, token, to)
		return nil
	case ok && e.Category == fault.Denied && e.Subject == "password":
		return v.askProof(http.StatusUnprocessableEntity, to, v.text("verify.wrong"))
	case ok && e.Category == fault.Throttled:
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
		return v.askProof(http.StatusTooManyRequests, to, v.text("throttled.text", "wait", v.wait(e.RetryAfter)))
	}
	return err
}

// verified goes on, with the token that proves the session from now on.
func (v *visit) verified(self session.Session, token, to string) {
	if token != "" {
		v.setCookie(sessionCookie, token, self.ExpiresAt)
	}
	v.redirect(to)
}

// shownDevice is a device in words.
type shownDevice struct {
	ID, Name, Type, Created, Used string
	Suspect, Off                  bool
	Renaming, Removing            bool // its form is open
}

// kindOf is the text that names a type of device.
func kindOf(t authsettings.MfaType) string {
	if t == authsettings.Totp {
		return "register.app"
	}
	return "devices.key"
}

// shownBrowser is a trusted browser in words.
type shownBrowser struct{ Family, Network, Since, Until string }

// devices lists what a person has of second factors.
func (p *Pages) devices(v *visit) error { return v.showDevices(http.StatusOK, "") }

func (v *visit) showDevices(status int, message string) error {
	self, user := v.self()
	own, err := v.pages.Flow.Own(v.r.Context(), self.ID)
	if err != nil {
		return err
	}
	again := repeated(v.r)
	var devices []shownDevice
	for _, d := range own.Devices {
		devices = append(devices, shownDevice{
			ID: d.ID, Name: d.Name, Type: v.text(kindOf(d.Type)),
			Created: day(d.CreatedAt), Used: day(d.LastUsedAt), Suspect: d.Suspect, Off: !own.Registering.Offers(d.Type),
			Renaming: again == "rename-"+d.ID, Removing: again == "remove-"+d.ID,
		})
	}
	var browsers []shownBrowser
	for _, b := range own.Browsers {
		browsers = append(browsers, shownBrowser{b.Family, b.Network, day(b.CreatedAt), day(b.ExpiresAt)})
	}
	query := v.r.URL.Query()
	data := map[string]any{
		"UserName": user.UserName, "Devices": devices, "Browsers": browsers, "May": own.May, "Error": message,
		"Changed": query.Has("changed"), "GoOn": "",
	}
	if query.Has("to") { // a sign-in goes on
		data["GoOn"] = destination(query.Get("to"))
	}
	v.show(status, "devices", "devices.title", data)
	return nil
}

// home is where a signed-in person came from.
func (v *visit) home() string {
	if v.root.ID != "" || v.disabled {
		return signin.RootDestination
	}
	return "/start"
}

func day(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

func (p *Pages) forgetBrowsers(v *visit) error {
	self, _ := v.self()
	if err := p.Flow.ForgetBrowsers(v.r.Context(), v.Visit, self.ID); err != nil {
		return err
	}
	// The browser keeps its cookie: it may be trusted for others who use it.
	v.redirect(devicesPath)
	return nil
}

// chooseNewDevice asks which kind of device is to be registered.
func (p *Pages) chooseNewDevice(v *visit) error {
	self, _ := v.self()
	own, err := p.Flow.Own(v.r.Context(), self.ID)
	if err != nil {
		return err
	}
	if !own.May {
		return v.showDevices(http.StatusForbidden, "")
	}
	v.show(http.StatusOK, "register", "register.title", map[string]any{
		"Base": registerPath, "Intro": v.text("register.another"), "Back": devicesPath,
		"App": own.Registering.Offers(authsettings.Totp), "Key": own.Registering.Offers(authsettings.Webauthn),
	})
	return nil
}

func (p *Pages) newDeviceForm(v *visit) error { return v.addingDevice(http.StatusOK, "") }

func (v *visit) addingDevice(status int, message string) error {
	self, _ := v.self()
	ctx, flow := v.r.Context(), v.pages.Flow
	kind, err := v.kind()
	if err != nil {
		return err
	}
	form := registration{action: registerPath + "/" + kind, back: devicesPath, message: message}
	if kind != appKind {
		var options []byte
		if options, err = flow.NewKey(ctx, v.visitor(), self.ID, kind == builtInKind); err == nil {
			v.showNewKey(status, form, options)
			return nil
		}
	} else {
		app, begun := flow.NewApp(ctx, v.visitor(), self.ID)
		if begun == nil {
			return v.showNewApp(status, form, app)
		}
		err = begun
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && (e.Category == fault.Quota || e.Subject == "own_devices") {
		return v.showDevices(http.StatusUnprocessableEntity, v.told(e))
	}
	return err
}

// addDevice registers another device.
func (p *Pages) addDevice(v *visit) error {
	self, _ := v.self()
	if _, err := v.kind(); err != nil {
		return err
	}
	err := p.Flow.AddDevice(v.r.Context(), v.visitor(), self.ID, v.newDevice())
	if err == nil {
		v.redirect(changedPath)
		return nil
	}
	status, message := v.registerProblem(err)
	if message == "" {
		return err
	}
	return v.addingDevice(status, message)
}

func (p *Pages) renameDevice(v *visit) error {
	self, _ := v.self()
	return v.changed(p.Flow.RenameDevice(v.r.Context(), v.visitor(), self.ID, v.r.PathValue("id"), v.field("name")), devicesPath)
}

func (p *Pages) removeDevice(v *visit) error {
	self, _ := v.self()
	return v.changed(p.Flow.RemoveDevice(v.r.Context(), v.visitor(), self.ID, v.r.PathValue("id")), changedPath)
}

// changed goes on to an address after a device was changed.
func (v *visit) changed(err error, to string) error {
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case err == nil:
		v.redirect(to)
		return nil
	case ok && e.Subject == "mfa_device_name":
		return v.showDevices(http.StatusUnprocessableEntity, v.text("register.name.wrong"))
	case ok && (e.Subject == "mfa_device" || e.Subject == "own_devices" || e.Subject == "last_administrator"):
		return v.showDevices(http.StatusUnprocessableEntity, v.told(e))
	}
	return err
}
