package permissionset_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const (
	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
	billing       = "arn:aws:iam::aws:policy/job-function/Billing"
	allowAll      = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
)

// world is a store with an instance of an organization and an account
// instance.
type world struct {
	t       testing.TB
	s       *store.Store
	ids     ident.Source
	in      instance.Instance
	account instance.Instance
}

func newWorld(t testing.TB, s *store.Store) *world {
	w := &world{t: t, s: s, ids: ident.NewSource(rand.NewChaCha8([32]byte{1}))}
	w.must(func(tx *store.Tx) (err error) {
		for _, id := range []string{"123456789012", "999999999999"} {
			account := organization.NewAccount{ID: id, Name: "account", Email: id + "@example.com"}
			if _, err := organization.CreateStandaloneAccount(tx, storetest.Now(), w.ids, account); err != nil {
				return err
			}
		}
		o, err := organization.CreateOrganization(tx, storetest.Now(), w.ids, "123456789012", "")
		if err != nil {
			return err
		}
		if w.in, err = instance.Enable(tx, storetest.Now(), w.ids, o, "us-east-1"); err != nil {
			return err
		}
		w.account, err = instance.Create(tx, storetest.Now(), w.ids, instance.New{AccountID: "999999999999", Region: "us-east-1"})
		return err
	})
	return w
}

func (w *world) must(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.s.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// on runs change on the permission set named name, which exists.
func (w *world) on(name string, change func(tx *store.Tx, s permissionset.PermissionSet) error) error {
	return w.s.Update(w.t.Context(), func(tx *store.Tx) error {
		s, found, err := tx.PermissionSetByName(w.in.ID, name)
		if err != nil || !found {
			return errors.Join(err, fmt.Errorf("%s: found %v", name, found))
		}
		return change(tx, s)
	})
}

func (w *world) get(name string) (set permissionset.PermissionSet, policies permissionset.Policies) {
	w.t.Helper()
	err := w.on(name, func(tx *store.Tx, s permissionset.PermissionSet) (err error) {
		set = s
		policies, err = permissionset.PoliciesOf(tx, s)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return set, policies
}

func (w *world) create(set permissionset.New) (s permissionset.PermissionSet, err error) {
	err = w.s.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		s, err = permissionset.Create(tx, storetest.Now(), w.ids, w.in, set)
		return err
	})
	return s, err
}

// run runs test on a world that has the permission set "set".
func run(t *testing.T, test func(t *testing.T, w *world)) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		if _, err := w.create(permissionset.New{Name: "set"}); err != nil {
			t.Fatal(err)
		}
		test(t, w)
	})
}

// refused checks that err is of category c and that its message has text.
func refused(t *testing.T, err error, c fault.Category, text string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Category != c || !strings.Contains(f.Message, text) {
		t.Errorf("got the error %v, want one of category %v saying %q", err, c, text)
	}
}

func TestCreate(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		in := permissionset.New{
			Name: "Full", Description: "All of it", SessionDuration: "PT240M", RelayState: "https://console.aws.amazon.com/ec2",
			Tags: []instance.Tag{{Key: "team", Value: "ops"}},
		}
		s, err := w.create(in)
		if err != nil {
			t.Fatal(err)
		}
		got, policies := w.get("Full")
		if diff := cmp.Diff(s, got); diff != "" {
			t.Error(diff)
		}
		want := permissionset.PermissionSet{
			InstanceID: w.in.ID, ID: s.ID, Name: "Full", Description: in.Description, SessionDuration: "PT240M",
			RelayState: in.RelayState, CreatedAt: storetest.Now(), Version: 1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(permissionset.Policies{}, policies); diff != "" {
			t.Error(diff)
		}
		w.must(func(tx *store.Tx) error {
			tags, _, err := instance.ListTags(tx, w.in.PermissionSetARN(s.ID), "", 10)
			if diff := cmp.Diff(in.Tags, tags); diff != "" {
				t.Error(diff)
			}
			return err
		})
		if got, _ := w.get("set"); got.SessionDuration != "PT1H" {
			t.Errorf("the default session duration is %s", got.SessionDuration)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		_, err := w.create(permissionset.New{Name: "set"})
		refused(t, err, fault.Conflict, "PermissionSet with name set already exists.")
		_, err = w.create(permissionset.New{Name: "long", SessionDuration: "PT13H"})
		refused(t, err, fault.Invalid, "PT13H")
		_, err = w.create(permissionset.New{Name: "tagged", Tags: []instance.Tag{{Key: "aws:x"}}})
		refused(t, err, fault.Invalid, "aws:")
		err = w.s.Update(t.Context(), func(tx *store.Tx) error {
			_, err := permissionset.Create(tx, storetest.Now(), w.ids, w.account, permissionset.New{Name: "set"})
			return err
		})
		refused(t, err, fault.Invalid, "not supported for account instances")
		w.must(func(tx *store.Tx) error {
			ids, _, err := permissionset.List(tx, w.in, "", 10)
			if len(ids) != 1 {
				t.Errorf("refused permission sets stayed: %v", ids)
			}
			return err
		})
		// Names differ by case, as AWS's do.
		if _, err := w.create(permissionset.New{Name: "SET"}); err != nil {
			t.Error(err)
		}
	})
}

func TestByARN(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		set, _ := w.get("set")
		for arn, found := range map[string]bool{
			w.in.PermissionSetARN(set.ID):                true,
			w.account.PermissionSetARN(set.ID):           false,
			w.in.PermissionSetARN("ps-0000000000000000"): false,
			w.in.ARN(): false,
		} {
			err := w.s.Update(t.Context(), func(tx *store.Tx) error {
				_, err := permissionset.ByARN(tx, w.in, arn)
				return err
			})
			if found && err != nil {
				t.Errorf("%s: %v", arn, err)
			}
			if !found {
				refused(t, err, fault.NotFound, "Could not find PermissionSet with id "+arn[strings.LastIndexByte(arn, '/')+1:])
			}
		}
	})
}

func TestUpdate(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		full := permissionset.Change{Description: new("text"), SessionDuration: new("PT2H"), RelayState: new("https://example.com")}
		for _, c := range []struct {
			name   string
			change permissionset.Change
			want   [3]string
		}{
			{"everything", full, [3]string{"text", "PT2H", "https://example.com"}},
			{"nothing clears the relay state", permissionset.Change{}, [3]string{"text", "PT2H", ""}},
			{"the duration", permissionset.Change{SessionDuration: new("PT3H")}, [3]string{"text", "PT3H", ""}},
		} {
			before, _ := w.get("set")
			if err := w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error { return permissionset.Update(tx, s, c.change) }); err != nil {
				t.Fatal(err)
			}
			got, _ := w.get("set")
			if diff := cmp.Diff(c.want, [3]string{got.Description, got.SessionDuration, got.RelayState}); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
			if got.Version != before.Version+1 {
				t.Errorf("%s: version %d after %d", c.name, got.Version, before.Version)
			}
		}
		refused(t, w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.Update(tx, s, permissionset.Change{Description: new("other"), SessionDuration: new("PT1M")})
		}), fault.Invalid, "PT1M")
		if got, _ := w.get("set"); got.Description != "text" {
			t.Error("a refused update changed something")
		}
	})
}

func TestDelete(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		set, _ := w.get("set")
		arn := w.in.PermissionSetARN(set.ID)
		err := w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
			if err := instance.TagResource(tx, w.in.ID, arn, []instance.Tag{{Key: "k"}}); err != nil {
				return err
			}
			if err := permissionset.AttachManagedPolicy(tx, s, administrator); err != nil {
				return err
			}
			return permissionset.Delete(tx, w.in, s)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.must(func(tx *store.Tx) error {
			n, err := tx.CountResourceTags(arn)
			if n != 0 {
				t.Errorf("%d tags stayed", n)
			}
			return err
		})
		again, err := w.create(permissionset.New{Name: "set"})
		if err != nil || again.ID == set.ID {
			t.Errorf("creating it again: %v, id %s", err, again.ID)
		}
	})
}

func TestListPages(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		want := map[string]bool{}
		for n := range 7 {
			s, err := w.create(permissionset.New{Name: fmt.Sprint("n", n)})
			if err != nil {
				t.Fatal(err)
			}
			want[s.ID] = true
		}
		set, _ := w.get("set")
		want[set.ID] = true
		got := map[string]bool{}
		pages := 0
		for after := ""; pages == 0 || after != ""; pages++ {
			var (
				ids  []string
				next string
			)
			w.must(func(tx *store.Tx) (err error) {
				ids, next, err = permissionset.List(tx, w.in, after, 3)
				return err
			})
			if len(ids) > 3 {
				t.Errorf("a page of %d", len(ids))
			}
			for _, id := range ids {
				got[id] = true
			}
			after = next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if pages != 3 {
			t.Errorf("8 permission sets came in %d pages of 3", pages)
		}
	})
}
