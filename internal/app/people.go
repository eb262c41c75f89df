package app

import (
	"context"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/webui"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// newPages makes the pages of signing in.
func (p *Program) newPages(ctx context.Context) (*pages.Pages, error) {
	installation, err := installationID(ctx, p.Store, p.ids)
	if err != nil {
		return nil, err
	}
	web, err := webui.New()
	if err != nil {
		return nil, err
	}
	factors, err := p.newFactors()
	if err != nil {
		return nil, err
	}
	return pages.New(pages.Options{
		Flow: p.comparing(p.mailTo(&signin.Flow{
			DB: store.BindSnapshot[signin.Tx](p.Store), Hasher: p.passwords, Factors: factors, Known: oauthKey{sealer{p.ring, keys.Cookies}}, Audit: p.trail, IDs: p.ids, Now: p.Now,
			Admit: newAdmission(p.Now).take, Policies: iam.NewCompiler(awsManaged, roleDocuments),
		})),
		Root: p.rootConsole(),
		DB:   store.BindSnapshot[pages.Tx](p.Store), Keys: p.oauthKeys(), IDs: p.ids, Now: p.Now, Log: p.Log,
		ClientIP: clientIP(p.TrustedProxies), Secure: secure(p.TrustedProxies),
		Installation: installation, Endpoints: p.endpoints(), Web: web,
		Observe: func(e pages.Event) {
			p.metrics.observe(gateway.Event{Service: "pages", Operation: e.Page, Status: e.Status, Duration: e.Duration})
		},
	})
}

// installationID is the number of the installation, in hexadecimal. The first
// node that asks draws it.
func installationID(ctx context.Context, s *store.Store, ids ident.Source) (id string, err error) {
	const fact = "installation"
	err = s.Update(ctx, func(tx *store.Tx) error {
		var found bool
		if id, found, err = tx.Meta(fact); err != nil || found {
			return err
		}
		id = ids.Hex(16)
		return tx.SetMeta(fact, id)
	})
	return id, err
}
