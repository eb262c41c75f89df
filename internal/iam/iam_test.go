package iam_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	account = "111122223333"
	admin   = "arn:aws:iam::aws:policy/AdministratorAccess"
	power   = "arn:aws:iam::aws:policy/PowerUserAccess"
)

var now = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// newIDs returns a source of identifiers that are the same in every run.
func newIDs() ident.Source {
	return ident.NewSource(rand.NewChaCha8([32]byte{1}))
}

// update runs fn in a transaction and returns its error.
func update(t *testing.T, s *store.Store, fn func(tx *store.Tx) error) error {
	t.Helper()
	return s.Update(t.Context(), fn)
}

// do is update of what must not fail.
func do(t *testing.T, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := update(t, s, fn); err != nil {
		t.Fatal(err)
	}
}

// wantFault checks that err is a fault of category c about subject.
func wantFault(t *testing.T, err error, c fault.Category, subject string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Category != c || e.Subject != subject {
		t.Errorf("got %v, want %v about %q", err, c, subject)
	}
}

func TestUsers(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		var u iam.User
		do(t, s, func(tx *store.Tx) (err error) {
			if u, err = iam.CreateUser(tx, now, newIDs(), account, "", "Sam"); err != nil {
				return err
			}
			if u, err = iam.AttachUserPolicy(tx, u, admin); err != nil {
				return err
			}
			if u, err = iam.AttachUserPolicy(tx, u, admin); err != nil { // again: nothing changes
				return err
			}
			u, err = iam.PutUserPolicy(tx, u, "extra", `{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`)
			return err
		})
		want := u
		want.Version = 3 // created, attached, put
		for _, name := range []string{"Sam", "sam", "SAM"} {
			do(t, s, func(tx *store.Tx) error {
				got, found, err := tx.IAMUserByName(account, name)
				if diff := cmp.Diff(want, got); !found || diff != "" {
					t.Errorf("%s: found %v (-want +got):\n%s", name, found, diff)
				}
				return err
			})
		}
		if got, want := u.ARN(), "arn:aws:iam::111122223333:user/Sam"; got != want {
			t.Errorf("ARN %s, want %s", got, want)
		}

		wantFault(t, update(t, s, func(tx *store.Tx) error {
			_, err := iam.CreateUser(tx, now, ident.NewSource(rand.NewChaCha8([32]byte{2})), account, "/x/", "sAM")
			return err
		}), fault.Conflict, "user")
		wantFault(t, update(t, s, func(tx *store.Tx) error {
			_, err := iam.PutUserPolicy(tx, u, "broken", `{"Statement":[]}`)
			return err
		}), fault.Invalid, "policy_document")
		do(t, s, func(tx *store.Tx) error { // nothing changed
			got, _, err := tx.IAMUserByID(account, u.ID)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
	})
}

func TestNamesAreChecked(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	for _, tt := range []struct{ path, name, subject string }{
		{"/", "", "userName"},
		{"/", "a b", "userName"},
		{"/", "a/b", "userName"},
		{"/", strings.Repeat("x", 65), "userName"},
		{"ops", "a", "path"},
		{"/ops", "a", "path"},
		{"/o ps/", "a", "path"},
		{"/" + strings.Repeat("x", 511) + "/", "a", "path"},
	} {
		wantFault(t, update(t, s, func(tx *store.Tx) error {
			_, err := iam.CreateUser(tx, now, newIDs(), account, tt.path, tt.name)
			return err
		}), fault.Invalid, tt.subject)
	}
}

func TestAttachmentsMustExist(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	const other = "444455556666"
	do(t, s, func(tx *store.Tx) error {
		_, err := iam.CreatePolicy(tx, now, newIDs(), other, "", "theirs", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
		return err
	})
	attach := func(arn string) error {
		return update(t, s, func(tx *store.Tx) error {
			_, err := iam.AttachUserPolicy(tx, iam.User{AccountID: account, ID: "AIDA"}, arn)
			return err
		})
	}
	wantFault(t, attach("arn:aws:iam::aws:policy/NoSuchPolicy"), fault.NotFound, "policy")
	wantFault(t, attach("arn:aws:iam::111122223333:policy/none"), fault.NotFound, "policy")
	wantFault(t, attach(iam.ManagedPolicyARN(other, "/", "theirs")), fault.NotFound, "policy")
	wantFault(t, attach("arn:aws:iam::aws:policy/aws-service-role/AWSSSOServiceRolePolicy"), fault.Invalid, "policy")
	for _, p := range []iam.Policies{{Managed: []string{power, admin + "2"}}, {Boundary: admin + "2"}} {
		r := iam.Role{AccountID: account, ID: "AROA", Name: "r", Path: "/", Policies: p}
		wantFault(t, update(t, s, func(tx *store.Tx) error { return iam.CreateRole(tx, r) }), fault.NotFound, "policy")
		wantFault(t, update(t, s, func(tx *store.Tx) error { return iam.UpdateRole(tx, r) }), fault.NotFound, "policy")
	}
}

func TestRoles(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const document = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
		r := iam.Role{
			AccountID: account, ID: newIDs().UniqueID("AROA"), Name: "AWSReservedSSO_Builder_0123456789abcdef",
			Path: "/aws-reserved/sso.amazonaws.com/", Description: "d", TrustPolicy: `{"Statement":[]}`,
			MaxSessionDuration: 12 * time.Hour, SessionDuration: time.Hour, CreatedAt: now,
			Policies: iam.Policies{Managed: []string{power}, Inline: map[string]string{"AwsSSOInlinePolicy": document}, Boundary: admin},
		}
		do(t, s, func(tx *store.Tx) error { return iam.CreateRole(tx, r) })
		r.Version = 1
		checkRole(t, s, r)

		twin := r
		twin.ID, twin.Name = "AROATWIN", strings.ToUpper(r.Name)
		wantFault(t, update(t, s, func(tx *store.Tx) error { return iam.CreateRole(tx, twin) }), fault.Conflict, "role")

		r.Description, r.TrustPolicy, r.SessionDuration = "e", `{"Statement":[ ]}`, 2*time.Hour
		r.Policies = iam.Policies{Inline: map[string]string{"AwsSSOInlinePolicy": document, "other": strings.Replace(document, "Allow", "Deny", 1)}}
		do(t, s, func(tx *store.Tx) error { return iam.UpdateRole(tx, r) })
		r.Version = 2
		checkRole(t, s, r)

		do(t, s, func(tx *store.Tx) error { return tx.DeleteRole(account, r.ID) })
		do(t, s, func(tx *store.Tx) error {
			_, found, err := tx.RoleByID(account, r.ID)
			if found {
				t.Error("the role is still there")
			}
			return err
		})
	})
}

func checkRole(t *testing.T, s *store.Store, want iam.Role) {
	t.Helper()
	do(t, s, func(tx *store.Tx) error {
		byID, found, err := tx.RoleByID(want.AccountID, want.ID)
		if diff := cmp.Diff(want, byID); err == nil && (!found || diff != "") {
			t.Errorf("by id: found %v (-want +got):\n%s", found, diff)
		}
		if err != nil {
			return err
		}
		byName, found, err := tx.RoleByName(want.AccountID, strings.ToLower(want.Name))
		if diff := cmp.Diff(want, byName); !found || diff != "" {
			t.Errorf("by name: found %v (-want +got):\n%s", found, diff)
		}
		return err
	})
}

func TestCustomerPolicies(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		const document = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
		var p iam.ManagedPolicy
		create := func(path, name, document string) error {
			return update(t, s, func(tx *store.Tx) (err error) {
				p, err = iam.CreatePolicy(tx, now, newIDs(), account, path, name, document)
				return err
			})
		}
		if err := create("/team/", "Own", document); err != nil {
			t.Fatal(err)
		}
		want := p
		do(t, s, func(tx *store.Tx) error {
			got, found, err := tx.ManagedPolicyByARN("arn:aws:iam::111122223333:policy/team/Own")
			if diff := cmp.Diff(want, got); !found || diff != "" {
				t.Errorf("found %v (-want +got):\n%s", found, diff)
			}
			return err
		})
		wantFault(t, create("/", "own", document), fault.Conflict, "policy")
		wantFault(t, create("/", "own thing", document), fault.Invalid, "policyName")
		wantFault(t, create("/", "new", `{}`), fault.Invalid, "policy_document")
		large := fmt.Sprintf(`{"Statement":{"Effect":"Allow","Action":"s3:%s","Resource":"*"}}`, strings.Repeat("x", 6144))
		wantFault(t, create("/", "new", large), fault.Quota, "policy_size")
	})
}

// testSealer seals by reversing; what matters here is that nothing opens with
// other associated data.
type testSealer struct{}

func (testSealer) Seal(plaintext, aad []byte) ([]byte, error) {
	return append([]byte(base64.StdEncoding.EncodeToString(plaintext)+"|"), aad...), nil
}

func (testSealer) Open(sealed, aad []byte) ([]byte, error) {
	text, bound, _ := bytes.Cut(sealed, []byte("|"))
	if !bytes.Equal(bound, aad) {
		return nil, errors.New("bound to something else")
	}
	return base64.StdEncoding.DecodeString(string(text))
}

func TestAccessKeys(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ids := newIDs()
		var u iam.User
		var key iam.AccessKey
		var secret string
		do(t, s, func(tx *store.Tx) (err error) {
			if u, err = iam.CreateUser(tx, now, ids, account, "/ops/", "sam"); err != nil {
				return err
			}
			key, secret, err = iam.CreateAccessKey(tx, now, ids, testSealer{}, u)
			return err
		})
		if len(secret) != 40 || bytes.Contains(key.SealedSecret, []byte(secret)) || ident.AccessKeyAccount(key.ID) != account {
			t.Errorf("key %+v, secret of %d characters", key, len(secret))
		}
		authenticate := func(id string) (p iam.Principal, got string, found bool) {
			do(t, s, func(tx *store.Tx) (err error) {
				p, got, found, err = iam.AuthenticateKey(tx, testSealer{}, id)
				return err
			})
			return p, got, found
		}
		p, got, found := authenticate(key.ID)
		want := iam.Principal{
			Kind: iam.KindUser, AccountID: account, ARN: "arn:aws:iam::111122223333:user/ops/sam", ID: u.ID,
			AccessKeyID: key.ID, UserID: u.ID, UserName: "sam",
		}
		if diff := cmp.Diff(want, p); !found || got != secret || diff != "" {
			t.Errorf("found %v, same secret %v (-want +got):\n%s", found, got == secret, diff)
		}
		if _, _, found := authenticate("AKIANOSUCHKEY0000000"); found {
			t.Error("a key that does not exist was found")
		}
		do(t, s, func(tx *store.Tx) error { return tx.SetAccessKeyActive(key.ID, false) })
		if p, secret, found := authenticate(key.ID); found || secret != "" || p.Kind != iam.KindAnonymous {
			t.Error("an inactive key authenticates")
		}
		do(t, s, func(tx *store.Tx) error { return tx.SetAccessKeyActive(key.ID, true) })

		var second iam.AccessKey
		do(t, s, func(tx *store.Tx) (err error) {
			second, _, err = iam.CreateAccessKey(tx, now.Add(time.Second), ids, testSealer{}, u)
			return err
		})
		wantFault(t, update(t, s, func(tx *store.Tx) error {
			_, _, err := iam.CreateAccessKey(tx, now, ids, testSealer{}, u)
			return err
		}), fault.Quota, "access_key")
		do(t, s, func(tx *store.Tx) error { return tx.DeleteAccessKey(key.ID) })
		do(t, s, func(tx *store.Tx) error {
			left, err := tx.AccessKeysOfUser(account, u.ID)
			if diff := cmp.Diff([]iam.AccessKey{second}, left); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			return err
		})
	})
}

// A secret that was copied to another key's row does not open.
func TestSecretsAreBoundToTheirKey(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	do(t, s, func(tx *store.Tx) error {
		ids := newIDs()
		u, err := iam.CreateUser(tx, now, ids, account, "", "sam")
		if err != nil {
			return err
		}
		key, _, err := iam.CreateAccessKey(tx, now, ids, testSealer{}, u)
		if err != nil {
			return err
		}
		key.ID = ids.AccessKeyID("AKIA", account)
		if err := tx.InsertAccessKey(key); err != nil {
			return err
		}
		if _, secret, found, err := iam.AuthenticateKey(tx, testSealer{}, key.ID); err == nil || found || secret != "" {
			t.Errorf("found %v, error %v", found, err)
		}
		return nil
	})
}
