package pages

import (
	"context"
	"net/http"
	"strings"

	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/rootuser"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/signin"
)

// RootConsole is what a root user sees and does of the account.
type RootConsole interface {
	// RootStore is the identity store of the root user who may sign in here.
	RootStore(ctx context.Context) (string, error)
	// RootView describes the account of a root user.
	RootView(ctx context.Context, accountID string) (RootView, error)
	// EnableIdentityCenter enables IAM Identity Center with AWS Organizations,
	// in the name of the account's root user. fault.Conflict when it is
	// enabled already.
	EnableIdentityCenter(ctx context.Context, by signin.Visit, accountID string) error
}

// RootView is what a root user sees of the account. Its instance is that of
// Identity Center; empty when it is not enabled.
type RootView struct {
	AccountID, Name, Email, OrganizationID, Region string
	InstanceARN, IdentityStoreID, StartURL         string
}

// rootPages are the addresses of root users, on which Identity Center need not
// be enabled.
func (p *Pages) rootPages() map[string]handler {
	return map[string]handler{
		"GET /root":               p.rootSignedIn(p.root),
		"POST /root/enable":       p.rootSignedIn(p.enable),
		"GET /root/signin":        p.rootUserName,
		"GET /root/signed-out":    p.rootSignedOut,
		"POST /root/signin":       p.rootBegin,
		"GET /root/link/{token}":  p.rootLink,
		"POST /root/link/{token}": p.redeemRootLink,
	}
}

// needsInstance tells whether a page is of Identity Center, and not of the
// root user or of a sign-in that may be the root user's.
func needsInstance(path string) bool {
	return path != "/root" && !strings.HasPrefix(path, "/root/") && !strings.HasPrefix(path, "/signin/") && path != accountHome && !strings.HasPrefix(path, accountHome+"/")
}

// rootSignedIn sends all but a root user to sign in as one.
func (p *Pages) rootSignedIn(h handler) handler {
	return func(v *visit) error {
		if v.root.ID != "" {
			return h(v)
		}
		v.redirect(v.signInPage("", signin.RootDestination))
		return nil
	}
}

// rootUserName asks for the root user's e-mail address.
func (p *Pages) rootUserName(v *visit) error {
	to := rootDestination(v.r.URL.Query().Get("to"))
	if v.root.ID != "" {
		v.redirect(to)
		return nil
	}
	v.show(http.StatusOK, "rootsignin", "root.signin.title", map[string]any{"To": to})
	return nil
}

// rootSignedOut is signedOut for root users.
func (p *Pages) rootSignedOut(v *visit) error {
	v.asRoot = true
	v.showSignedOut(v.signInPage("", signin.RootDestination))
	return nil
}

// rootBegin starts the sign-in of a root user. It goes on the same for every
// address.
func (p *Pages) rootBegin(v *visit) error {
	to := rootDestination(v.field("to"))
	store, err := p.Root.RootStore(v.r.Context())
	if err != nil {
		return err
	}
	name, ok := userName(v.field("username"))
	if !ok {
		v.redirect(v.signInPage(store, to))
		return nil
	}
	a, err := p.Flow.Begin(v.r.Context(), v.Visit, store, name, to)
	if err != nil {
		return err
	}
	v.redirect("/signin/" + a.ID)
	return nil
}

// rootLink shows where a link leads. Whatever looks at links before people do
// does not use it up.
func (p *Pages) rootLink(v *visit) error {
	token := v.r.PathValue("token")
	if err := p.Flow.RootLink(v.r.Context(), token); err != nil {
		return err
	}
	v.show(http.StatusOK, "rootlink", "root.link.title", map[string]any{"Link": token})
	return nil
}

// redeemRootLink uses a link up: the root user goes on to choose a password.
func (p *Pages) redeemRootLink(v *visit) error {
	a, err := p.Flow.RedeemRootLink(v.r.Context(), v.Visit, v.r.PathValue("token"))
	if err != nil {
		return err
	}
	v.redirect("/signin/" + a.ID)
	return nil
}

// actor returns the session of whoever is signed in, and the instance that
// this is recorded for. A root user's has nothing but its account.
func (v *visit) actor() (instance.Instance, session.Session) {
	if account, isRoot := rootuser.AccountOf(v.rootSession.StoreID); isRoot {
		return instance.Instance{IdentityStoreID: v.rootSession.StoreID, OwnerAccountID: account, Region: v.instance.Region}, v.rootSession
	}
	return v.instance, v.session
}

// root shows the account, and whether Identity Center is enabled in it.
func (p *Pages) root(v *visit) error {
	account, _ := rootuser.AccountOf(v.root.StoreID)
	view, err := p.Root.RootView(v.r.Context(), account)
	if err != nil {
		return err
	}
	v.show(http.StatusOK, "root", "root.title", map[string]any{
		"Account": view, "PortalURL": p.Endpoints.People + "/start", "Until": v.rootSession.ExpiresAt.Format("2006-01-02 15:04 MST"),
	})
	return nil
}

// enable enables Identity Center.
func (p *Pages) enable(v *visit) error {
	account, _ := rootuser.AccountOf(v.root.StoreID)
	if err := p.Root.EnableIdentityCenter(v.r.Context(), v.Visit, account); err != nil {
		return err
	}
	v.redirect(signin.RootDestination)
	return nil
}
