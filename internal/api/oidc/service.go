// Package oidc serves sso-oidc: clients register, have a person approve them,
// and get tokens. Beside its modelled operations stands the authorization
// endpoint, to which a client sends the person's browser.
package oidc

import (
	"errors"
	"net/url"

	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/oauth"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// Tx is what the operations need of a transaction.
type Tx interface {
	gateway.Tx
	instance.PortalReader
	oauth.Tx
}

// call is what an operation runs with.
type call = gateway.Context[Tx]

// Service implements the operations of sso-oidc that Atrium serves.
type Service struct {
	wire.Unimplemented[*call]
	Keys oauth.Keys
	// URL is the server's public URL.
	URL *url.URL
}

var _ wire.Service[*call] = Service{}

// RegisterClient returns the credentials of a new client. It stores nothing.
func (s Service) RegisterClient(c *call, in *wire.RegisterClientRequest) (*wire.RegisterClientResponse, error) {
	issuer := text(in.IssuerUrl)
	if issuer != "" {
		if _, err := instance.ByStartURL(c.Tx, s.URL, issuer); err != nil {
			return nil, err
		}
	}
	client, credentials, err := oauth.Register(s.Keys, c.Request.Time, c.IDs, oauth.NewClient{
		Name: *in.ClientName, Type: *in.ClientType, Scopes: in.Scopes, GrantTypes: in.GrantTypes,
		RedirectURIs: in.RedirectUris, IssuerURL: issuer, EntitledApplicationARN: text(in.EntitledApplicationArn),
	})
	if err != nil {
		return nil, err
	}
	return &wire.RegisterClientResponse{
		ClientId: &credentials.ClientID, ClientSecret: &credentials.ClientSecret,
		ClientIdIssuedAt: new(client.IssuedAt.Unix()), ClientSecretExpiresAt: new(client.ExpiresAt.Unix()),
		AuthorizationEndpoint: new(s.URL.JoinPath("authorize").String()), TokenEndpoint: new(s.URL.JoinPath("token").String()),
	}, nil
}

// StartDeviceAuthorization begins an authorization that a person approves with
// a short code.
func (s Service) StartDeviceAuthorization(c *call, in *wire.StartDeviceAuthorizationRequest) (*wire.StartDeviceAuthorizationResponse, error) {
	client, err := oauth.Authenticate(s.Keys, c.Request.Time, oauth.Credentials{ClientID: *in.ClientId, ClientSecret: *in.ClientSecret})
	if err != nil {
		return nil, err
	}
	i, err := instance.ByStartURL(c.Tx, s.URL, *in.StartUrl)
	if err != nil {
		return nil, err
	}
	c.Identify(iam.Principal{AccountID: i.OwnerAccountID})
	settings, err := authsettings.Of(c.Tx, i.IdentityStoreID)
	if err != nil {
		return nil, err
	}
	from := oauth.Requester{IP: c.Request.SourceIP, UserAgent: c.Request.UserAgent}
	if err := oauth.MayAsk(settings, from); err != nil {
		return nil, err
	}
	d, code, err := oauth.StartDevice(c.Tx, c.Request.Time, c.IDs, client, i.IdentityStoreID, from)
	if err != nil {
		return nil, err
	}
	page := s.URL.JoinPath("device")
	out := &wire.StartDeviceAuthorizationResponse{
		DeviceCode: &code, UserCode: &d.UserCode, VerificationUri: new(page.String()),
		ExpiresIn: new(int32(oauth.DeviceLifetime.Seconds())), Interval: new(int32(oauth.DeviceInterval.Seconds())),
	}
	page.RawQuery = url.Values{"user_code": {d.UserCode}}.Encode()
	out.VerificationUriComplete = new(page.String())
	return out, nil
}

// CreateToken exchanges a device code, an authorization code or a refresh
// token for tokens.
func (s Service) CreateToken(c *call, in *wire.CreateTokenRequest) (*wire.CreateTokenResponse, error) {
	client, err := oauth.Authenticate(s.Keys, c.Request.Time, oauth.Credentials{ClientID: *in.ClientId, ClientSecret: *in.ClientSecret})
	if err != nil {
		return nil, err
	}
	tokens, err := s.exchange(c, client, in)
	if err != nil {
		return nil, refuse(c, err)
	}
	identify(c, tokens.Family)
	out := &wire.CreateTokenResponse{
		AccessToken: &tokens.Access, TokenType: new("Bearer"), ExpiresIn: new(int32(tokens.Expires.Seconds())),
	}
	if tokens.Refresh != "" {
		out.RefreshToken = &tokens.Refresh
	}
	return out, nil
}

// exchange does what the grant type asks for. As in AWS the scope of a request
// is not looked at: what the client registered and the person approved counts.
func (s Service) exchange(c *call, client oauth.Client, in *wire.CreateTokenRequest) (oauth.Tokens, error) {
	now := c.Request.Time
	switch *in.GrantType {
	case oauth.GrantDeviceCode:
		if err := required("deviceCode", in.DeviceCode); err != nil {
			return oauth.Tokens{}, err
		}
		return oauth.RedeemDevice(c.Tx, now, c.IDs, s.Keys, client, *in.DeviceCode)
	case oauth.GrantAuthorizationCode:
		for name, value := range map[string]*string{"code": in.Code, "redirectUri": in.RedirectUri, "codeVerifier": in.CodeVerifier} {
			if err := required(name, value); err != nil {
				return oauth.Tokens{}, err
			}
		}
		return oauth.RedeemCode(c.Tx, now, c.IDs, s.Keys, client, *in.Code, *in.RedirectUri, *in.CodeVerifier)
	case oauth.GrantRefreshToken:
		if err := required("refreshToken", in.RefreshToken); err != nil {
			return oauth.Tokens{}, err
		}
		return oauth.Refresh(c.Tx, now, s.Keys, client, *in.RefreshToken)
	default:
		return oauth.Tokens{}, fault.New(fault.Invalid, "unsupported_grant_type", "Grant type not supported")
	}
}

// refuse returns the refusal err so that what it has changed lasts.
func refuse(c *call, err error) error {
	kept, ok := errors.AsType[*oauth.Kept](err)
	if !ok {
		return err
	}
	if kept.Revoked.ID != "" {
		identify(c, kept.Revoked)
	}
	return gateway.Refuse(kept.Err)
}

// identify tells for whom tokens are.
func identify(c *call, f oauth.Family) {
	c.Identify(iam.IdentityCenterUser(f.OwnerAccountID, f.StoreID, f.UserID, f.SessionID))
}

func required(name string, value *string) error {
	if value == nil || *value == "" {
		return fault.New(fault.Invalid, "", "Missing required parameter: %s", name)
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
