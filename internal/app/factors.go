package app

import (
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// newFactors makes what registers and verifies second factors at the people
// host.
func (p *Program) newFactors() (*mfa.Factors, error) {
	return mfa.New(mfa.Options{
		URL: p.PeopleURL, Name: "Atrium", IDs: p.ids,
		Seeds: sealer{p.ring, keys.Factors}, Cookies: oauthKey{sealer{p.ring, keys.Cookies}},
	})
}
