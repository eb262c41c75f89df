package rolesession_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/epoch"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/rolesession"
)

const account = "111122223333"

var now = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// keyOf is one key of AES-GCM.
type keyOf [32]byte

func (k keyOf) aead() cipher.AEAD {
	block, _ := aes.NewCipher(k[:])
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	return aead
}

func (k keyOf) Seal(plaintext, aad []byte) ([]byte, error) {
	return k.aead().Seal(nil, nil, plaintext, aad), nil
}

func (k keyOf) Open(sealed, aad []byte) ([]byte, error) { return k.aead().Open(nil, nil, sealed, aad) }

func (k keyOf) Derive(_ []byte, info string, length int) ([]byte, error) {
	return hkdf.Expand(sha256.New, k[:], info, length)
}

func newIDs() ident.Source { return ident.NewSource(rand.Reader) }

func role() iam.Role {
	return iam.Role{
		AccountID: account, ID: "AROAEXAMPLE", Name: "AWSReservedSSO_Admin_0123456789abcdef", Path: "/aws-reserved/sso.amazonaws.com/",
		SessionDuration: 4 * time.Hour, MaxSessionDuration: 12 * time.Hour,
	}
}

// session is a role session with everything that one can have.
func session() iam.Principal {
	p := role().Session("sam.lee")
	p.IssuedAt, p.IdentityStoreUserID, p.SourceIdentity, p.MFAAt = now, "user-1", "sam", now.Add(-time.Minute)
	p.Tags = map[string]string{"team": "blue", "cost": "1"}
	p.Session = &iam.Session{
		ExpiresAt: now.Add(time.Hour), Change: 7, TransitiveTagKeys: []string{"team"},
		Policies: []string{`{"Statement":[]}`}, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		DependsOn: []epoch.Ref{{Scope: epoch.User, ID: "user-1"}, {Scope: epoch.Principal, ID: "AROAEXAMPLE"}},
	}
	return p
}

func issue(t testing.TB, keys rolesession.Keys, p iam.Principal) rolesession.Credentials {
	t.Helper()
	c, err := rolesession.Issue(keys, newIDs(), p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssueAndOpen(t *testing.T) {
	user := iam.Principal{
		Kind: iam.KindUser, AccountID: account, ARN: "arn:aws:iam::111122223333:user/ops/sam", ID: "AIDAEXAMPLE", UserID: "AIDAEXAMPLE", UserName: "sam",
		IssuedAt: now, Session: &iam.Session{ExpiresAt: now.Add(time.Hour)},
	}
	bare := role().Session("x")
	bare.Session = &iam.Session{ExpiresAt: now.Add(time.Second)}
	for name, p := range map[string]iam.Principal{"full": session(), "bare": bare, "user": user} {
		t.Run(name, func(t *testing.T) {
			c := issue(t, keyOf{}, p)
			if len(c.AccessKeyID) != 20 || c.AccessKeyID[:4] != "ASIA" || len(c.SecretAccessKey) != 40 || ident.AccessKeyAccount(c.AccessKeyID) != account {
				t.Errorf("credentials %q, %q have not AWS's form", c.AccessKeyID, c.SecretAccessKey)
			}
			got, secret, err := rolesession.Open(keyOf{}, now, c.AccessKeyID, c.SessionToken)
			if err != nil || secret != c.SecretAccessKey {
				t.Fatalf("opening them: %v; same secret: %v", err, secret == c.SecretAccessKey)
			}
			p.AccessKeyID = c.AccessKeyID
			if diff := cmp.Diff(p, got); diff != "" {
				t.Errorf("(-issued +opened):\n%s", diff)
			}
			if _, _, err := rolesession.Open(keyOf{}, p.Session.ExpiresAt.Add(-1), c.AccessKeyID, c.SessionToken); err != nil {
				t.Errorf("just before the end: %v", err)
			}
			if _, _, err := rolesession.Open(keyOf{}, p.Session.ExpiresAt, c.AccessKeyID, c.SessionToken); !errors.Is(err, rolesession.ErrExpired) {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}

// Two sessions of the same principal have nothing in common.
func TestCredentialsAreUnique(t *testing.T) {
	a, b := issue(t, keyOf{}, session()), issue(t, keyOf{}, session())
	if a.AccessKeyID == b.AccessKeyID || a.SecretAccessKey == b.SecretAccessKey || a.SessionToken == b.SessionToken {
		t.Error("two sessions share a credential")
	}
}

// A token opens with its own key only, and the way it was issued only.
func TestTokensAreBound(t *testing.T) {
	c, other := issue(t, keyOf{}, session()), issue(t, keyOf{}, session())
	refuse := func(name string, keys rolesession.Keys, id, token string) {
		t.Helper()
		p, secret, err := rolesession.Open(keys, now, id, token)
		if !errors.Is(err, rolesession.ErrInvalid) || secret != "" || p.Kind != iam.KindAnonymous {
			t.Errorf("%s: opened as %q: %v", name, p.ARN, err)
		}
	}
	refuse("another session's key", keyOf{}, other.AccessKeyID, c.SessionToken)
	refuse("a long-term key", keyOf{}, "AKIA"+c.AccessKeyID[4:], c.SessionToken)
	refuse("no key", keyOf{}, "", c.SessionToken)
	refuse("no token", keyOf{}, c.AccessKeyID, "")
	refuse("another sealing key", keyOf{1}, c.AccessKeyID, c.SessionToken)
	refuse("a long token", keyOf{}, c.AccessKeyID, strings.Repeat("A", 1<<20))
	refuse("a padded token", keyOf{}, c.AccessKeyID, c.SessionToken+"=")
	refuse("a spaced token", keyOf{}, c.AccessKeyID, c.SessionToken+"\n")
	for i := range c.SessionToken {
		for _, r := range "A-_9z" {
			if byte(r) != c.SessionToken[i] {
				refuse(fmt.Sprintf("character %d changed", i), keyOf{}, c.AccessKeyID, c.SessionToken[:i]+string(r)+c.SessionToken[i+1:])
			}
		}
		refuse(fmt.Sprintf("cut at %d", i), keyOf{}, c.AccessKeyID, c.SessionToken[:i])
	}
}

// The token shows nothing of what it holds.
func TestTokensAreOpaque(t *testing.T) {
	c := issue(t, keyOf{}, session())
	raw, err := base64.RawURLEncoding.DecodeString(c.SessionToken)
	if err != nil || strings.Contains(string(raw), "sam") || strings.Contains(string(raw), "Reserved") {
		t.Errorf("the token can be read: %v", err)
	}
}

func TestTooMuchForAToken(t *testing.T) {
	p := session()
	p.Session.Policies = []string{strings.Repeat("x", 2000)}
	c := issue(t, keyOf{}, p)
	if c.PackedSize < 48 || c.PackedSize > 60 {
		t.Errorf("packed size %d%%", c.PackedSize)
	}
	if len(c.SessionToken) > 8<<10 {
		t.Errorf("the token has %d characters", len(c.SessionToken))
	}
	p.Tags = map[string]string{"a": strings.Repeat("x", 2200)}
	if _, err := rolesession.Issue(keyOf{}, newIDs(), p); !fault.Is(err, fault.Quota) {
		t.Errorf("got %v, want a quota", err)
	}
}

// TestSessionsSurviveSealing issues and opens sessions drawn at random.
func TestSessionsSurviveSealing(t *testing.T) {
	text := rapid.StringN(0, 12, 40)
	rapid.Check(t, func(t *rapid.T) {
		p := iam.Role{AccountID: account, ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), Path: text.Draw(t, "path")}.Session(text.Draw(t, "session"))
		p.IdentityStoreUserID, p.SourceIdentity = text.Draw(t, "user"), text.Draw(t, "source")
		if rapid.Bool().Draw(t, "mfa") {
			p.MFAAt = time.UnixMilli(rapid.Int64Range(1, 1<<42).Draw(t, "mfa at")).UTC()
		}
		p.IssuedAt = time.UnixMilli(rapid.Int64Range(1, 1<<42).Draw(t, "issued")).UTC()
		p.Tags = rapid.MapOfN(text, text, 0, 5).Draw(t, "tags")
		list := rapid.SliceOfN(text, 0, 4)
		p.Session = &iam.Session{
			ExpiresAt: now.Add(time.Millisecond), Change: rapid.Int64Range(0, 1<<62).Draw(t, "change"),
			TransitiveTagKeys: list.Draw(t, "transitive"), Policies: list.Draw(t, "policies"), PolicyARNs: list.Draw(t, "arns"),
			DependsOn: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) epoch.Ref {
				return epoch.Ref{Scope: epoch.Scope(text.Draw(t, "scope")), ID: text.Draw(t, "id")}
			}), 0, 5).Draw(t, "refs"),
		}
		c, err := rolesession.Issue(keyOf{}, newIDs(), p)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := rolesession.Open(keyOf{}, now, c.AccessKeyID, c.SessionToken)
		if err != nil {
			t.Fatal(err)
		}
		p.AccessKeyID = c.AccessKeyID
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-issued +opened):\n%s", diff)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	c := issue(b, keyOf{}, session())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := rolesession.Open(keyOf{}, now, c.AccessKeyID, c.SessionToken); err != nil {
			b.Fatal(err)
		}
	}
}
