package app

import (
	"github.com/atrium-iam/atrium/internal/api/oidc"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
)

// oauthKey protects what clients hold with the keys of one purpose.
type oauthKey struct{ sealer }

// Sign returns a tag over data.
func (k oauthKey) Sign(data []byte) ([]byte, error) { return k.ring.MAC(k.purpose, data) }

// Verify checks a tag that Sign made.
func (k oauthKey) Verify(data, tag []byte) error { return k.ring.VerifyMAC(k.purpose, data, tag) }

// oauthKeys are the keys of clients' registrations and of their tokens.
func (p *Program) oauthKeys() oauth.Keys {
	return oauth.Keys{
		Clients: oauthKey{sealer{p.ring, keys.ClientSecrets}},
		Tokens:  oauthKey{sealer{p.ring, keys.Sessions}},
	}
}

// authorization serves what clients ask for beside the operations of sso-oidc.
// People answer on shown's pages.
func (p *Program) authorization(shown *pages.Pages) *oidc.Pages {
	return &oidc.Pages{
		DB: store.Bind[instance.PortalReader](p.Store), Keys: p.oauthKeys(), URL: p.PeopleURL, Now: p.Now,
		Consent: pages.ConsentPath + "?request=", Fail: shown.Fail,
	}
}
