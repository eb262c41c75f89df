package oauth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
)

// Client is a registered program. What it calls its client id is the whole
// registration, sealed: so a registration needs no table, survives any
// restart, and is known at the authorization endpoint, where no secret comes
// along.
type Client struct {
	// ID is what the store knows the client by: 32 hexadecimal digits.
	ID string
	// Name is what the client calls itself. Nobody has verified it.
	Name string
	// Scopes and GrantTypes are what it may ask for. Empty GrantTypes are those
	// of the device flow: device code and refresh.
	Scopes, GrantTypes []string
	RedirectURIs       []string
	// IssuerURL is the start URL of the instance that the client authorizes
	// at, "" for clients of the device flow only.
	IssuerURL           string
	IssuedAt, ExpiresAt time.Time
}

// NewClient is a client to register.
type NewClient struct {
	Name, Type             string
	Scopes, GrantTypes     []string
	RedirectURIs           []string
	IssuerURL              string
	EntitledApplicationARN string
}

// Credentials are what a client authenticates with.
type Credentials struct{ ClientID, ClientSecret string }

// What a registration may hold: it has to fit into an address.
const (
	maxClientName   = 256 // characters
	maxRedirectURIs = 10
	maxRedirectURI  = 255  // bytes
	maxIssuerURL    = 1024 // bytes
)

// registration is a Client as it is sealed.
type registration struct {
	ID        string   `json:"i"`
	Name      string   `json:"n"`
	Scopes    []string `json:"s,omitempty"`
	Grants    []string `json:"g,omitempty"`
	Redirects []string `json:"r,omitempty"`
	Issuer    string   `json:"u,omitempty"`
	IssuedAt  int64    `json:"t"` // Unix seconds
}

const (
	clientContext = "atrium oauth client v1"
	proofContext  = "atrium oauth client proof v1:"
)

// Register returns a new client with its credentials. Nothing is stored. The
// caller has checked that IssuerURL, if there is one, is that of an instance.
func Register(keys Keys, now time.Time, ids ident.Source, in NewClient) (Client, Credentials, error) {
	if err := in.check(); err != nil {
		return Client{}, Credentials{}, err
	}
	r := registration{
		ID: ids.Hex(32), Name: in.Name, Scopes: in.Scopes, Grants: in.GrantTypes,
		Redirects: in.RedirectURIs, Issuer: in.IssuerURL, IssuedAt: now.Unix(),
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return Client{}, Credentials{}, err
	}
	sealed, err := keys.Clients.Seal(plain, []byte(clientContext))
	if err != nil {
		return Client{}, Credentials{}, err
	}
	id := base64.RawURLEncoding.EncodeToString(sealed)
	tag, err := keys.Clients.Sign([]byte(proofContext + id))
	return r.client(), Credentials{ClientID: id, ClientSecret: base64.RawURLEncoding.EncodeToString(tag)}, err
}

func (r registration) client() Client {
	issued := time.Unix(r.IssuedAt, 0).UTC()
	return Client{
		ID: r.ID, Name: r.Name, Scopes: r.Scopes, GrantTypes: r.Grants, RedirectURIs: r.Redirects, IssuerURL: r.Issuer,
		IssuedAt: issued, ExpiresAt: issued.Add(RegistrationLifetime),
	}
}

// Identify returns the client of a client id. It proves nothing about who
// shows the id. fault.Invalid, subject "invalid_client".
func Identify(keys Keys, now time.Time, clientID string) (Client, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(clientID)
	if err != nil {
		return Client{}, errClient()
	}
	plain, err := keys.Clients.Open(sealed, []byte(clientContext))
	if err != nil {
		return Client{}, errClient()
	}
	var r registration
	if err := json.Unmarshal(plain, &r); err != nil {
		return Client{}, errClient()
	}
	c := r.client()
	if !now.Before(c.ExpiresAt) {
		return Client{}, invalid("invalid_client", "The client registration has expired. Register again.")
	}
	return c, nil
}

// Authenticate returns the client whose credentials these are. fault.Invalid,
// subject "invalid_client".
func Authenticate(keys Keys, now time.Time, in Credentials) (Client, error) {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(in.ClientSecret)
	if err != nil || keys.Clients.Verify([]byte(proofContext+in.ClientID), tag) != nil {
		return Client{}, errClient()
	}
	return Identify(keys, now, in.ClientID)
}

func errClient() *fault.Error {
	return invalid("invalid_client", "Client ID or client secret is invalid")
}

// MayUse tells whether the client registered for a grant type.
func (c Client) MayUse(grantType string) bool {
	if len(c.GrantTypes) == 0 {
		return grantType != GrantAuthorizationCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// refreshes tells whether a login of the client gets refresh tokens.
func (c Client) refreshes(scopes []string) bool {
	return slices.Contains(scopes, ScopeAccountAccess) && c.MayUse(GrantRefreshToken)
}

func (in NewClient) check() error {
	switch {
	case in.Type != "public":
		return invalid("invalid_client_metadata", "Client type must be public")
	case !showable(in.Name) || utf8.RuneCountInString(in.Name) > maxClientName:
		return invalid("invalid_client_metadata", "Client name must have 1 to %d printable characters", maxClientName)
	case in.EntitledApplicationARN != "":
		return invalid("invalid_request", "Registrations for an entitled application are not supported")
	case len(in.IssuerURL) > maxIssuerURL:
		return invalid("invalid_request", "The issuer URL is too long")
	}
	for _, s := range in.Scopes {
		if s != ScopeAccountAccess && s != ScopePortal {
			return invalid("invalid_scope", "Invalid scope requested: only %s and %s can be", ScopeAccountAccess, ScopePortal)
		}
	}
	for _, g := range in.GrantTypes {
		if g != GrantDeviceCode && g != GrantAuthorizationCode && g != GrantRefreshToken {
			return invalid("unsupported_grant_type", "Grant type not supported for public clients: only %s, %s and %s are", GrantAuthorizationCode, GrantDeviceCode, GrantRefreshToken)
		}
	}
	if len(in.Scopes) > 2 || len(in.GrantTypes) > 3 {
		return invalid("invalid_request", "A scope or grant type is named more than once")
	}
	return in.checkRedirects()
}

func (in NewClient) checkRedirects() error {
	if len(in.RedirectURIs) > maxRedirectURIs {
		return invalid("invalid_redirect_uri", "At most %d redirect URIs can be registered", maxRedirectURIs)
	}
	for _, uri := range in.RedirectURIs {
		if _, ok := loopback(uri); !ok {
			return invalid("invalid_redirect_uri", "A redirect URI must be http://127.0.0.1 or http://[::1] with or without a port, and have neither query nor fragment")
		}
	}
	if slices.Contains(in.GrantTypes, GrantAuthorizationCode) {
		if len(in.RedirectURIs) == 0 {
			return invalid("invalid_redirect_uri", "The authorization_code grant type needs a redirect URI")
		}
		if in.IssuerURL == "" {
			return invalid("invalid_request", "The authorization_code grant type needs an issuer URL")
		}
	}
	return nil
}

// showable tells whether a name can be shown to people as it is: no control
// characters, and none that change the direction or hide.
func showable(name string) bool {
	return utf8.ValidString(name) && strings.TrimSpace(name) != "" &&
		strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
