package app

import (
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/store"
)

// newS3 makes the door to what accounts store.
func (p *Program) newS3(found *credentials, policies *iam.Compiler) *s3.Handler {
	return s3.New(s3.Options{
		Connector: p.Storage, Keys: found, DB: store.Bind[s3.Tx](p.Store), Policies: policies,
		Audit: p.trail, Observe: p.metrics.observe,
		IDs: p.ids, Now: p.Now, Log: p.Log, Region: p.Region, URL: p.DataURL,
		ClientIP: clientIP(p.TrustedProxies), Secure: secure(p.TrustedProxies),
	})
}
