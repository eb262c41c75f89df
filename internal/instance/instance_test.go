package instance_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	management = "123456789012"
	member     = "111111111111"
	standalone = "999999999999"
)

// world is a store with an organization of two accounts and a third account
// outside it.
type world struct {
	t   testing.TB
	s   *store.Store
	ids ident.Source
	org organization.Organization
}

func newWorld(t testing.TB, s *store.Store) *world {
	w := &world{t: t, s: s, ids: ident.NewSource(rand.NewChaCha8([32]byte{1}))}
	w.must(func(tx *store.Tx) (err error) {
		for _, id := range []string{management, standalone} {
			account := organization.NewAccount{ID: id, Name: "account", Email: id + "@example.com"}
			if _, err := organization.CreateStandaloneAccount(tx, storetest.Now(), w.ids, account); err != nil {
				return err
			}
		}
		if w.org, err = organization.CreateOrganization(tx, storetest.Now(), w.ids, management, ""); err != nil {
			return err
		}
		_, err = organization.CreateAccount(tx, storetest.Now(), w.ids, w.org, organization.NewAccount{ID: member, Name: "member", Email: "member@example.com"})
		return err
	})
	return w
}

func (w *world) update(fn func(tx *store.Tx) error) error { return w.s.Update(w.t.Context(), fn) }

func (w *world) must(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.update(fn); err != nil {
		w.t.Fatal(err)
	}
}

// refuses checks that fn fails with category c and that nothing it did stays.
func (w *world) refuses(c fault.Category, fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.update(fn); fault.Of(err) != c || err == nil {
		w.t.Errorf("got the error %v, want one of category %v", err, c)
	}
}

func (w *world) enable() (i instance.Instance) {
	w.t.Helper()
	w.must(func(tx *store.Tx) (err error) {
		i, err = instance.Enable(tx, storetest.Now(), w.ids, w.org, "eu-west-1")
		return err
	})
	return i
}

func (w *world) create(account string, tags ...instance.Tag) (i instance.Instance, err error) {
	err = w.update(func(tx *store.Tx) (err error) {
		i, err = instance.Create(tx, storetest.Now(), w.ids, instance.New{AccountID: account, Region: "us-east-1", Name: "own", Tags: tags})
		return err
	})
	return i, err
}

func (w *world) visible(account, after string) (ids []string) {
	w.t.Helper()
	w.must(func(tx *store.Tx) error {
		ids = nil
		list, err := instance.ListVisible(tx, account, after)
		for _, i := range list {
			ids = append(ids, i.ID)
		}
		return err
	})
	return ids
}

func TestARNs(t *testing.T) {
	i := instance.Instance{ID: "ssoins-0123456789abcdef"}
	set := i.PermissionSetARN("ps-0123456789abcdef")
	for arn, want := range map[string]string{
		i.ARN(): i.ID,
		set:     i.ID,
		"arn:aws:sso::123456789012:application/ssoins-0123456789abcdef/apl-0123456789abcdef": i.ID,
		"arn:aws:sso::123456789012:trustedTokenIssuer/ssoins-0123456789abcdef/tti-1-2-3-4-5": i.ID,
		"arn:aws:sso::aws:applicationProvider/custom":                                        "",
		"arn:aws:sso:::application/ssoins-0123456789abcdef/apl-0123456789abcdef":             "",
		"arn:aws:sso::123456789012:permissionSet/ssoins-0123456789abcdef/ps-0":               "",
		"arn:aws:sts:::permissionSet/ssoins-0123456789abcdef/ps-0":                           "",
		"":                                "",
		"arn:aws:sso:::account/" + member: "",
	} {
		if got := instance.IDOfARN(arn); got != want {
			t.Errorf("IDOfARN(%q) = %q, want %q", arn, got, want)
		}
	}
	if got := instance.PermissionSetIDOfARN(i.ID, set); got != "ps-0123456789abcdef" {
		t.Errorf("PermissionSetIDOfARN = %q", got)
	}
	if got := instance.PermissionSetIDOfARN("ssoins-ffffffffffffffff", set); got != "" {
		t.Errorf("a permission set of another instance has the id %q", got)
	}
}

func TestEnable(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		i := w.enable()
		want := instance.Instance{
			ID: i.ID, IdentityStoreID: i.IdentityStoreID, OwnerAccountID: management, OrganizationID: w.org.ID,
			Region: "eu-west-1", CreatedAt: storetest.Now(), Version: 1,
		}
		w.must(func(tx *store.Tx) error {
			byARN, err := instance.ByARN(tx, i.ARN())
			if diff := cmp.Diff(want, byARN); err == nil && diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return err
			}
			byStore, err := instance.ByIdentityStore(tx, i.IdentityStoreID)
			if diff := cmp.Diff(want, byStore); err == nil && diff != "" {
				t.Error(diff)
			}
			return err
		})
		w.refuses(fault.Conflict, func(tx *store.Tx) error {
			_, err := instance.Enable(tx, storetest.Now(), w.ids, w.org, "eu-west-1")
			return err
		})
		for _, arn := range []string{"arn:aws:sso:::instance/ssoins-0000000000000000", i.PermissionSetARN("ps-0000000000000000"), ""} {
			w.refuses(fault.NotFound, func(tx *store.Tx) error { _, err := instance.ByARN(tx, arn); return err })
		}
		w.refuses(fault.NotFound, func(tx *store.Tx) error { _, err := instance.ByIdentityStore(tx, "d-0000000000"); return err })
	})
}

func TestCreateAccountInstance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		for _, account := range []string{member, standalone} {
			i, err := w.create(account)
			if err != nil || i.IsOrganization() || i.OwnerAccountID != account || i.Name != "own" {
				t.Errorf("creating an instance in %s: %+v, %v", account, i, err)
			}
			if _, err := w.create(account); !fault.Is(err, fault.Conflict) {
				t.Errorf("creating another in %s: %v", account, err)
			}
		}
		if _, err := w.create(management); !fault.Is(err, fault.Invalid) {
			t.Errorf("creating one in the management account: %v", err)
		}
		if got := w.visible(management, ""); got != nil {
			t.Errorf("a refused creation left %v", got)
		}
		if _, err := w.create(standalone, instance.Tag{Key: "aws:x"}); err == nil {
			t.Error("a reserved tag was accepted")
		}
	})
}

func TestListVisible(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		org := w.enable()
		own, err := w.create(member)
		if err != nil {
			t.Fatal(err)
		}
		both := []string{min(org.ID, own.ID), max(org.ID, own.ID)}
		for _, c := range []struct {
			account, after string
			want           []string
		}{
			{management, "", []string{org.ID}},
			{member, "", both},
			{member, both[0], both[1:]},
			{member, both[1], nil},
			{standalone, "", nil},
		} {
			if diff := cmp.Diff(c.want, w.visible(c.account, c.after)); diff != "" {
				t.Errorf("%s after %q: %s", c.account, c.after, diff)
			}
		}
	})
}

func TestRenameAndDelete(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		i, err := w.create(member, instance.Tag{Key: "k", Value: "v"})
		if err != nil {
			t.Fatal(err)
		}
		w.must(func(tx *store.Tx) error { return instance.Rename(tx, i, "other") })
		w.must(func(tx *store.Tx) error {
			got, err := instance.ByARN(tx, i.ARN())
			if got.Name != "other" || got.Version != 2 {
				t.Errorf("after renaming: %+v", got)
			}
			return err
		})
		w.must(func(tx *store.Tx) error { return instance.Delete(tx, i) })
		if got := w.visible(member, ""); got != nil {
			t.Errorf("after deleting: %v", got)
		}
		again, err := w.create(member)
		if err != nil || again.ID == i.ID || again.IdentityStoreID == i.IdentityStoreID {
			t.Errorf("creating after deleting: %+v, %v", again, err)
		}
	})
}

func TestTags(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		i := w.enable()
		put := func(tags ...instance.Tag) error {
			return w.update(func(tx *store.Tx) error { return instance.TagResource(tx, i.ID, i.ARN(), tags) })
		}
		list := func(after string, limit int) (tags []instance.Tag, next string) {
			w.must(func(tx *store.Tx) (err error) {
				tags, next, err = instance.ListTags(tx, i.ARN(), after, limit)
				return err
			})
			return tags, next
		}
		if err := put(instance.Tag{Key: "b", Value: "1"}, instance.Tag{Key: "a", Value: ""}); err != nil {
			t.Fatal(err)
		}
		if err := put(instance.Tag{Key: "b", Value: "2"}); err != nil {
			t.Fatal(err)
		}
		want := []instance.Tag{{Key: "a"}, {Key: "b", Value: "2"}}
		if got, next := list("", 10); next != "" || cmp.Diff(want, got) != "" {
			t.Errorf("got %v and %q", got, next)
		}
		if got, next := list("", 1); next != "a" || cmp.Diff(want[:1], got) != "" {
			t.Errorf("the first page is %v and %q", got, next)
		}
		for name, tags := range map[string][]instance.Tag{
			"reserved": {{Key: "c"}, {Key: "AWS:d"}}, "twice": {{Key: "c"}, {Key: "c"}},
		} {
			if err := put(tags...); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var many []instance.Tag
		for n := range instance.MaxTags - 1 {
			many = append(many, instance.Tag{Key: fmt.Sprintf("many%02d", n)})
		}
		if err := put(many...); !fault.Is(err, fault.Quota) {
			t.Errorf("51 tags: %v", err)
		}
		if got, _ := list("", 100); cmp.Diff(want, got) != "" {
			t.Errorf("refused tags stayed: %v", got)
		}
		if err := put(many[1:]...); err != nil {
			t.Errorf("50 tags: %v", err)
		}
		w.must(func(tx *store.Tx) error { return instance.UntagResource(tx, i.ARN(), []string{"a", "none"}) })
		if got, _ := list("", 100); len(got) != 49 || got[0].Key != "b" {
			t.Errorf("after untagging there are %d tags, the first %v", len(got), got[0])
		}
	})
}

func TestAccessControl(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		i := w.enable()
		attributes := []instance.AccessControlAttribute{{Key: "Department", Source: "${path:enterprise.department}"}}
		for name, fn := range map[string]func(tx *store.Tx) error{
			"describe": func(tx *store.Tx) error { _, err := instance.AccessControl(tx, i); return err },
			"update":   func(tx *store.Tx) error { return instance.UpdateAccessControl(tx, i, attributes) },
			"disable":  func(tx *store.Tx) error { return instance.DisableAccessControl(tx, i) },
		} {
			if err := w.update(fn); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s before enabling: %v", name, err)
			}
		}
		w.must(func(tx *store.Tx) error { return instance.EnableAccessControl(tx, i, nil) })
		w.refuses(fault.Conflict, func(tx *store.Tx) error { return instance.EnableAccessControl(tx, i, attributes) })
		w.must(func(tx *store.Tx) error { return instance.UpdateAccessControl(tx, i, attributes) })
		w.refuses(fault.Invalid, func(tx *store.Tx) error {
			return instance.UpdateAccessControl(tx, i, append(attributes, attributes...))
		})
		w.must(func(tx *store.Tx) error {
			got, err := instance.AccessControl(tx, i)
			if diff := cmp.Diff(attributes, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
		w.must(func(tx *store.Tx) error { return instance.DisableAccessControl(tx, i) })
		w.refuses(fault.NotFound, func(tx *store.Tx) error { _, err := instance.AccessControl(tx, i); return err })
	})
}
