package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
)

// Authorization is a client's request, made through the person's own browser,
// to act for that person. It is stored nowhere: its id is the request itself,
// sealed.
type Authorization struct {
	ClientID string // of Client.ID
	// ClientName is what the client calls itself. Nobody has verified it.
	ClientName string
	Scopes     []string
	StoreID    string // whose people may approve it
	// RedirectURI is where the answer goes: an address of the machine that the
	// browser runs on.
	RedirectURI, State string
	Challenge          string // PKCE's, S256
	ExpiresAt          time.Time
}

// NewAuthorization is a request as it arrives at the authorization endpoint.
type NewAuthorization struct {
	ResponseType       string
	RedirectURI, State string
	Scopes             []string // empty: those that the client registered
	Challenge, Method  string
}

// Code is an authorization code.
type Code struct {
	Code        Hash
	ClientID    string // of Client.ID
	RedirectURI string
	Challenge   string
	Scopes      []string
	SessionID   string // of the person who approved
	CreatedAt   time.Time
	ExpiresAt   time.Time
	FamilyID    string // the login that it was redeemed for; "" until then
}

// CodeTx reads and writes authorization codes.
type CodeTx interface {
	SessionReader
	AuthorizationCode(Hash) (Code, bool, error)
	InsertAuthorizationCode(Code) error
	RedeemAuthorizationCode(code Hash, familyID string) error
}

// MaxState is the length of the longest state that is handed back, in bytes.
const MaxState = 1024

const requestContext = "atrium oauth authorization request v1"

// CheckRedirect tells whether the answer to a request may go to redirectURI:
// only then may errors go there too. fault.Invalid, subjects
// "unauthorized_client" and "invalid_redirect_uri".
func CheckRedirect(c Client, redirectURI string) error {
	if !c.MayUse(GrantAuthorizationCode) {
		return errUnauthorizedClient(GrantAuthorizationCode)
	}
	if !redirectAllowed(c.RedirectURIs, redirectURI) {
		return invalid("invalid_redirect_uri", "The redirect URI is not one that the client registered")
	}
	return nil
}

// BeginAuthorization checks a request of a client for the people of an
// identity store and returns its id. Its errors have subjects that a client
// understands, see ErrorRedirect.
func BeginAuthorization(keys Keys, now time.Time, c Client, storeID string, in NewAuthorization) (id string, err error) {
	if err := CheckRedirect(c, in.RedirectURI); err != nil {
		return "", err
	}
	switch {
	case in.ResponseType != "code":
		return "", invalid("unsupported_response_type", "The response type must be code")
	case in.Method != "S256":
		return "", invalid("invalid_request", "The code challenge method must be S256")
	case !isChallenge(in.Challenge):
		return "", invalid("invalid_request", "The code challenge must be a SHA-256 hash in base64url")
	case len(in.State) > MaxState:
		return "", invalid("invalid_request", "The state is too long")
	}
	if len(in.Scopes) == 0 {
		in.Scopes = c.Scopes
	}
	for _, s := range in.Scopes {
		if !slices.Contains(c.Scopes, s) {
			return "", invalid("invalid_scope", "The client has not registered for a scope that it asks for")
		}
	}
	plain, err := json.Marshal(Authorization{
		ClientID: c.ID, ClientName: c.Name, Scopes: in.Scopes, StoreID: storeID,
		RedirectURI: in.RedirectURI, State: in.State, Challenge: in.Challenge, ExpiresAt: now.Add(RequestLifetime),
	})
	if err != nil {
		return "", err
	}
	sealed, err := keys.Tokens.Seal(plain, []byte(requestContext))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// AuthorizationByID returns a request. fault.NotFound, subject
// "authorization_request", when it is none, or has expired.
func AuthorizationByID(keys Keys, now time.Time, id string) (Authorization, error) {
	var a Authorization
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil {
		return a, errRequest()
	}
	plain, err := keys.Tokens.Open(sealed, []byte(requestContext))
	if err != nil || json.Unmarshal(plain, &a) != nil || !now.Before(a.ExpiresAt) {
		return Authorization{}, errRequest()
	}
	return a, nil
}

// ApproveAuthorization lets the client of a request act for the person of a
// portal session, and returns the address that the browser goes to, with the
// code. It fails as AuthorizationByID does, and with fault.Denied, subject
// "authorization_request", for a person of another directory.
func ApproveAuthorization(tx CodeTx, now time.Time, ids ident.Source, keys Keys, s session.Session, id string) (redirect string, err error) {
	a, err := AuthorizationByID(keys, now, id)
	if err != nil {
		return "", err
	}
	if a.StoreID != s.StoreID {
		return "", fault.New(fault.Denied, "authorization_request", "You are signed in to another directory than the request is for.")
	}
	code := base64.RawURLEncoding.EncodeToString(ids.Bytes(32))
	err = tx.InsertAuthorizationCode(Code{
		Code: hash(code), ClientID: a.ClientID, RedirectURI: a.RedirectURI, Challenge: a.Challenge, Scopes: a.Scopes,
		SessionID: s.ID, CreatedAt: now, ExpiresAt: now.Add(CodeLifetime),
	})
	return answer(a.RedirectURI, url.Values{"code": {code}}, a.State), err
}

// DenyAuthorization returns the address that the browser goes to when the
// person refuses. It fails as AuthorizationByID does.
func DenyAuthorization(keys Keys, now time.Time, id string) (redirect string, err error) {
	a, err := AuthorizationByID(keys, now, id)
	if err != nil {
		return "", err
	}
	denied := fault.New(fault.Denied, "access_denied", "The person has denied the request")
	return ErrorRedirect(a.RedirectURI, a.State, denied), nil
}

// ErrorRedirect returns the address that tells a client of an error.
// redirectURI has passed CheckRedirect.
func ErrorRedirect(redirectURI, state string, err *fault.Error) string {
	return answer(redirectURI, url.Values{"error": {err.Subject}, "error_description": {err.Message}}, state)
}

// answer adds values to a redirect URI, which has no query of its own.
func answer(redirectURI string, values url.Values, state string) string {
	if state != "" {
		values.Set("state", state)
	}
	return redirectURI + "?" + values.Encode()
}

// RedeemCode gives a client the tokens that a person approved. All refusals
// are fault.Invalid, subject "invalid_grant": of a code that is another
// client's, was made for another redirect URI, or whose verifier does not fit
// its challenge. A code that comes again revokes what it was redeemed for, in
// a *Kept.
func RedeemCode(tx Tx, now time.Time, ids ident.Source, keys Keys, c Client, code, redirectURI, verifier string) (Tokens, error) {
	if !c.MayUse(GrantAuthorizationCode) {
		return Tokens{}, errUnauthorizedClient(GrantAuthorizationCode)
	}
	stored, found, err := tx.AuthorizationCode(hash(code))
	switch {
	case err != nil:
		return Tokens{}, err
	case !found || stored.ClientID != c.ID:
		return Tokens{}, errGrant()
	case stored.FamilyID != "":
		return Tokens{}, replayed(tx, stored.FamilyID)
	case !now.Before(stored.ExpiresAt), stored.RedirectURI != redirectURI, !fits(verifier, stored.Challenge):
		return Tokens{}, errGrant()
	}
	a, err := approvalOf(tx, stored.SessionID, stored.Scopes)
	if err != nil {
		return Tokens{}, err
	}
	t, err := begin(tx, now, ids, keys, c, a)
	if err != nil {
		return Tokens{}, err
	}
	return t, tx.RedeemAuthorizationCode(stored.Code, t.Family.ID)
}

// isChallenge tells whether s is an S256 challenge.
func isChallenge(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == sha256.Size && len(s) == 43
}

// fits tells whether a verifier is the one that a challenge was made of.
func fits(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 || strings.ContainsFunc(verifier, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
	}) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

func errRequest() error {
	return fault.New(fault.NotFound, "authorization_request", "The request is not valid or has expired. Start again where you came from.")
}
