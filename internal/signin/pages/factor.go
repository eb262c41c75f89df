package pages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"rsc.io/qr"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// trustedCookie lets a browser be recognised that a person trusts.
const trustedCookie = "_trusted"

// knownCookie tells that somebody has signed in with the browser before.
const knownCookie = "_known"

// visitor is the visit, with what the browser keeps to be recognised.
func (v *visit) visitor() signin.Visit {
	out := v.Visit
	out.Trusted, out.Known, out.Session = v.cookie(trustedCookie), v.cookie(knownCookie), v.cookie(sessionCookie)
	return out
}

// mountFactors adds the addresses of the steps about second factors.
func (p *Pages) mountFactors(mux *http.ServeMux) {
	for pattern, h := range map[string]handler{
		"POST /signin/{id}/factor":          p.factor,
		"POST /signin/{id}/emailed":         p.emailCode,
		"POST /signin/{id}/emailed/again":   p.emailCodeAgain,
		"GET /signin/{id}/register/{kind}":  p.registerForm,
		"POST /signin/{id}/register/{kind}": p.register,
	} {
		mux.Handle(pattern, p.handle(p.attempting(h)))
	}
}

// askFactor shows the step that asks for a second factor.
func (v *visit) askFactor(status int, a signin.Attempt, message string) error {
	asked, err := v.pages.Flow.AskFactor(v.r.Context(), v.visitor(), a.ID)
	if err != nil {
		return err
	}
	v.showAsked(status, "factor.title", asked, map[string]any{
		"Action": "/signin/" + a.ID + "/factor", "UserName": a.UserName, "Intro": "", "To": "", "Other": v.signInPage(a.StoreID, a.Destination), "Submit": "factor.submit", "Error": message,
	})
	return nil
}

// showAsked shows a page on which a person proves a second factor.
func (v *visit) showAsked(status int, title string, asked signin.Asked, data map[string]any) {
	var apps, keys []string
	var last mfa.Device
	for _, d := range asked.Devices {
		if d.Type == authsettings.Totp {
			apps = append(apps, d.Name)
		} else {
			keys = append(keys, d.Name)
		}
		if !d.LastUsedAt.Before(last.LastUsedAt) {
			last = d
		}
	}
	data["Apps"], data["Keys"], data["Options"] = strings.Join(apps, ", "), strings.Join(keys, ", "), string(asked.Key)
	data["KeyFirst"] = asked.Key != nil && (len(apps) == 0 || last.Type == authsettings.Webauthn)
	data["Trust"] = asked.Trust
	v.show(status, "factor", title, data)
}

// proof reads what a person proves a second factor with.
func (v *visit) proof() signin.Proof {
	p := signin.Proof{Code: v.field("code"), Trust: v.field("trust") != ""}
	if key := v.field("credential"); key != "" {
		p.Key = []byte(key)
	}
	return p
}

// factor takes a second factor.
func (p *Pages) factor(v *visit) error {
	id := v.r.PathValue("id")
	out, err := p.Flow.Factor(v.r.Context(), v.visitor(), id, v.proof())
	if err == nil {
		return v.proceed(out)
	}
	status, message := v.factorProblem(err, v.field("credential") != "")
	if message == "" {
		return err
	}
	return v.stepAgain(id, status, message)
}

// askEmailCode shows the step that asks for a code that was mailed.
func (v *visit) askEmailCode(status int, a signin.Attempt, message string) error {
	asked, err := v.pages.Flow.AskEmailCode(v.r.Context(), v.visitor(), a.ID)
	if err != nil {
		return err
	}
	v.show(status, "emailcode", "factor.title", map[string]any{
		"Action": "/signin/" + a.ID + "/emailed", "UserName": a.UserName, "Other": v.signInPage(a.StoreID, a.Destination),
		"Address": asked.To, "Trust": asked.Trust, "Error": message, "Note": v.sentNote("emailcode.sent"),
	})
	return nil
}

// sentNote says that another code was sent, on the page that follows it.
func (v *visit) sentNote(key string) string {
	if !v.r.URL.Query().Has("sent") {
		return ""
	}
	return v.text(key)
}

// emailCode takes a code that was mailed.
func (p *Pages) emailCode(v *visit) error {
	id := v.r.PathValue("id")
	out, err := p.Flow.EmailCode(v.r.Context(), v.visitor(), id, v.proof())
	if err == nil {
		return v.proceed(out)
	}
	status, message := v.factorProblem(err, false)
	if message == "" {
		return err
	}
	if status == http.StatusUnprocessableEntity {
		message = v.text("emailcode.wrong")
	}
	return v.stepAgain(id, status, message)
}

// emailCodeAgain has another code mailed.
func (p *Pages) emailCodeAgain(v *visit) error {
	id := v.r.PathValue("id")
	err := p.Flow.ResendEmailCode(v.r.Context(), v.visitor(), id)
	if err == nil {
		v.redirect("/signin/" + id + "?sent")
		return nil
	}
	status, message := v.factorProblem(err, false)
	if message == "" {
		return err
	}
	return v.stepAgain(id, status, message)
}

// factorProblem is what to tell a person whose second factor was not accepted;
// "" when there is nothing to try again.
func (v *visit) factorProblem(err error, key bool) (status int, message string) {
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok:
		return 0, ""
	case e.Category == fault.Denied && e.Subject == "factor" && key:
		return http.StatusUnprocessableEntity, v.text("factor.wrong.key")
	case e.Category == fault.Denied && e.Subject == "factor":
		return http.StatusUnprocessableEntity, v.text("factor.wrong")
	case e.Subject == "mfa_challenge":
		return http.StatusUnprocessableEntity, v.text("factor.late")
	case e.Subject == "mfa_device_name":
		return http.StatusUnprocessableEntity, v.text("register.name.wrong")
	case e.Category == fault.Quota || e.Category == fault.Conflict && e.Subject == "mfa_device":
		return http.StatusUnprocessableEntity, v.told(e)
	case e.Category == fault.Throttled:
		v.w.Header().Set("Retry-After", seconds(e.RetryAfter))
		return http.StatusTooManyRequests, v.text("throttled.text", "wait", v.wait(e.RetryAfter))
	default:
		return 0, ""
	}
}

// chooseDevice shows the step that has a person register a second factor.
func (v *visit) chooseDevice(a signin.Attempt) error {
	r, err := v.pages.Flow.Registering(v.r.Context(), v.visitor(), a.ID)
	if err != nil {
		return err
	}
	v.show(http.StatusOK, "register", "register.title", map[string]any{
		"Base": "/signin/" + a.ID + "/register", "Intro": v.text("register.required"), "Back": "",
		"App": r.Offers(authsettings.Totp), "Key": r.Offers(authsettings.Webauthn),
	})
	return nil
}

// registerForm shows how a device is registered during a sign-in.
func (p *Pages) registerForm(v *visit) error { return v.registering(http.StatusOK, "") }

func (v *visit) registering(status int, message string) error {
	id, ctx, flow := v.r.PathValue("id"), v.r.Context(), v.pages.Flow
	kind, err := v.kind()
	if err != nil {
		return err
	}
	r, err := flow.Registering(ctx, v.visitor(), id)
	if err != nil {
		return err
	}
	form := registration{
		action: "/signin/" + id + "/register/" + kind, back: "/signin/" + id, trust: r.Trust, message: message,
	}
	if kind != appKind {
		options, err := flow.BeginKey(ctx, v.visitor(), id, kind == builtInKind)
		if err != nil {
			return err
		}
		v.showNewKey(status, form, options)
		return nil
	}
	app, err := flow.BeginApp(ctx, v.visitor(), id)
	if err != nil {
		return err
	}
	return v.showNewApp(status, form, app)
}

// The kinds of devices, in addresses. All but apps answer to the browser.
const (
	appKind     = "app"
	keyKind     = "key"
	builtInKind = "builtin"
)

// kind is the kind of device in the address.
func (v *visit) kind() (string, error) {
	kind := v.r.PathValue("kind")
	switch kind {
	case appKind, keyKind, builtInKind:
		return kind, nil
	default:
		return "", errNotFound
	}
}

// registration is a form that registers a device.
type registration struct {
	action, back, message string
	trust                 bool // the browser can be remembered
}

func (v *visit) showNewKey(status int, f registration, options []byte) {
	title, intro, name := "register.key.title", "register.key.intro", "register.key"
	if v.r.PathValue("kind") == builtInKind {
		title, intro, name = "register.builtin.title", "register.builtin.intro", "register.builtin"
	}
	v.show(status, "registerkey", title, map[string]any{
		"Action": f.action, "Back": f.back, "Error": f.message, "Trust": f.trust, "Options": string(options),
		"Intro": v.text(intro), "Name": v.typedName(name),
	})
}

func (v *visit) showNewApp(status int, f registration, app mfa.NewApp) error {
	code, err := drawQR(app.URI)
	if err != nil {
		return err
	}
	v.show(status, "registerapp", "register.app.title", map[string]any{
		"Action": f.action, "Back": f.back, "Error": f.message, "Trust": f.trust, "QR": code, "Secret": grouped(app.Secret),
		"Name": v.typedName("register.app"),
	})
	return nil
}

// typedName is the name that was typed for a device, or a proposal.
func (v *visit) typedName(proposal string) string {
	if name := v.field("name"); name != "" {
		return name
	}
	return v.text(proposal)
}

// newDevice reads a form that registers a device.
func (v *visit) newDevice() signin.NewDevice {
	n := signin.NewDevice{Name: v.field("name"), First: v.field("first"), Second: v.field("second"), Trust: v.field("trust") != ""}
	if v.r.PathValue("kind") != appKind {
		n.Key = []byte(v.field("credential"))
	}
	return n
}

// register registers a device during a sign-in.
func (p *Pages) register(v *visit) error {
	if _, err := v.kind(); err != nil {
		return err
	}
	out, err := p.Flow.Register(v.r.Context(), v.visitor(), v.r.PathValue("id"), v.newDevice())
	if err == nil {
		return v.registered(out)
	}
	status, message := v.registerProblem(err)
	if message == "" {
		return err
	}
	return v.registering(status, message)
}

// registered goes on after a device was registered in a sign-in. Who is signed
// in elsewhere too can end that first.
func (v *visit) registered(out signin.Outcome) error {
	if out.Token == "" {
		return v.proceed(out)
	}
	var all []session.Session
	err := v.pages.DB.View(v.r.Context(), func(tx Tx) (err error) {
		all, _, err = session.List(tx, v.now, out.Session.StoreID, out.Session.UserID, "", 2)
		return err
	})
	if err != nil {
		return err
	}
	to := destination(out.Attempt.Destination)
	if len(all) > 1 {
		to = changedPath + "&to=" + escape(to)
	}
	v.signedInTo(out, to)
	return nil
}

// registerProblem is factorProblem for a device that is being registered.
func (v *visit) registerProblem(err error) (status int, message string) {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Category == fault.Denied && e.Subject == "factor" {
		if v.r.PathValue("kind") != appKind {
			return http.StatusUnprocessableEntity, v.text("register.key.wrong")
		}
		return http.StatusUnprocessableEntity, v.text("register.app.wrong")
	}
	return v.factorProblem(err, false)
}

// drawing is a QR code: a square of Size modules with the dark ones as Path.
type drawing struct {
	Size int
	Path string
}

// drawQR draws a QR code with the quiet zone of four modules that readers need.
func drawQR(text string) (drawing, error) {
	const quiet = 4
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return drawing{}, err
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				path.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return drawing{Size: code.Size + 2*quiet, Path: path.String()}, nil
}

// grouped writes a secret in groups of four, as people type it.
func grouped(secret string) string {
	var b strings.Builder
	for i, r := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
