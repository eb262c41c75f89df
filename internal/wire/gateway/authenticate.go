package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// Credential is the secret of an access key and who it belongs to.
type Credential struct {
	Secret    string // never log it
	Principal iam.Principal
}

// KeyDatabase finds credentials.
type KeyDatabase interface {
	// FindKey returns the credential of an access key and, for temporary
	// keys, its session token. It fails with a *sigv4.Error of kind
	// UnknownAccessKey, InvalidToken or ExpiredToken when there is none that
	// may be used.
	FindKey(ctx context.Context, accessKeyID, sessionToken string) (Credential, error)
}

// authenticate establishes the caller from the request's signature.
func (c *call) authenticate(r *http.Request) *wireError {
	s := c.target.service.desc
	claim, refusal := sigv4.Parse(r)
	if refusal != nil {
		return c.refuseSignature(refusal)
	}
	c.request.Region = claim.Scope.Region
	opts := sigv4.Options{Now: c.request.Time, Skew: s.ClockSkew, Service: s.SigningName}
	if !s.Global {
		opts.Region = c.gateway.Region
	}
	if refusal := claim.Check(opts); refusal != nil {
		return c.refuseSignature(refusal)
	}
	credential, err := c.gateway.Keys.FindKey(r.Context(), claim.AccessKeyID, claim.SessionToken)
	if err != nil {
		if refusal, ok := errors.AsType[*sigv4.Error](err); ok {
			return c.refuseSignature(refusal)
		}
		return translate(s, c.request.ID, err)
	}
	if _, refusal := c.gateway.verifier.Verify(claim, credential.Secret, c.body, opts); refusal != nil {
		return c.refuseSignature(refusal)
	}
	c.caller = credential.Principal
	return nil
}

func (c *call) refuseSignature(e *sigv4.Error) *wireError {
	dialects := map[schema.Protocol]sigv4.Dialect{
		schema.AWSJSON11: sigv4.JSON, schema.RESTJSON1: sigv4.RESTJSON, schema.AWSQuery: sigv4.Query,
	}
	code, status, message := sigv4.Refusal(e, dialects[c.target.service.desc.Protocol])
	return refuse(status, code, message)
}

// scopeOf is the service of a request's credential scope, "" when it carries
// none that can be read.
func scopeOf(r *http.Request) string {
	claim, err := sigv4.Parse(r)
	if err != nil {
		return ""
	}
	return claim.Scope.Service
}
