package permissionset_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/permissionset"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
	"github.com/atrium-iam/atrium/internal/store"
)

func TestManagedPolicies(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		attach := func(arn string) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.AttachManagedPolicy(tx, s, arn)
			})
		}
		detach := func(arn string) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.DetachManagedPolicy(tx, s, arn)
			})
		}
		set, _ := w.get("set")
		for _, arn := range []string{billing, administrator} {
			if err := attach(arn); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, attach(billing), fault.Conflict, "Permission set with id "+set.ID+" already has a typed link attachment to a manged policy with "+billing)
		refused(t, attach("arn:aws:iam::aws:policy/NoSuchPolicy"), fault.NotFound, "Policy does not exist with ARN: arn:aws:iam::aws:policy/NoSuchPolicy")
		got, policies := w.get("set")
		if got.Version != 3 {
			t.Errorf("version %d after two edits", got.Version)
		}
		if diff := cmp.Diff([]string{administrator, billing}, policies.Managed); diff != "" {
			t.Error(diff)
		}
		w.must(func(tx *store.Tx) error {
			page, next, err := permissionset.ListManagedPolicies(tx, set, "", 1)
			if diff := cmp.Diff([]string{administrator}, page); diff != "" || next != administrator {
				t.Errorf("next %q %s", next, diff)
			}
			return err
		})
		if err := detach(billing); err != nil {
			t.Error(err)
		}
		refused(t, detach(billing), fault.NotFound, "Could not find ManagedPolicy with arn "+billing)
	})
}

func TestCustomerPolicies(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		attach := func(ref permissionset.PolicyReference) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.AttachCustomerPolicy(tx, s, ref)
			})
		}
		detach := func(ref permissionset.PolicyReference) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.DetachCustomerPolicy(tx, s, ref)
			})
		}
		refs := []permissionset.PolicyReference{{Path: "/", Name: "a"}, {Path: "/team/", Name: "a"}, {Path: "/team/", Name: "b"}}
		for _, ref := range []permissionset.PolicyReference{refs[2], {Name: "a"}, refs[1]} {
			if err := attach(ref); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, attach(refs[0]), fault.Conflict, "Given customer managed policy with name: a and path / already attached")
		_, policies := w.get("set")
		if diff := cmp.Diff(refs, policies.Customer); diff != "" {
			t.Error(diff)
		}
		var paged []permissionset.PolicyReference
		for after, n := "", 0; n == 0 || after != ""; n++ {
			next := ""
			err := w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) (err error) {
				var page []permissionset.PolicyReference
				page, next, err = permissionset.ListCustomerPolicies(tx, s, after, 1)
				paged = append(paged[:n], page...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			after = next
		}
		if diff := cmp.Diff(refs, paged); diff != "" {
			t.Error(diff)
		}
		if err := detach(permissionset.PolicyReference{Name: "a"}); err != nil {
			t.Error(err)
		}
		refused(t, detach(refs[0]), fault.NotFound, "Given managed policy with name: a and path / does not exist on PermissionSet")
	})
}

func TestPoliciesHaveAQuota(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		all := awsmanaged.List()
		for n := range permissionset.MaxPolicies {
			err := w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				if n%2 == 0 {
					return permissionset.AttachManagedPolicy(tx, s, all[n].ARN)
				}
				return permissionset.AttachCustomerPolicy(tx, s, permissionset.PolicyReference{Name: fmt.Sprint("own", n)})
			})
			if err != nil {
				t.Fatalf("policy %d: %v", n+1, err)
			}
		}
		before, policies := w.get("set")
		refused(t, w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.AttachManagedPolicy(tx, s, all[permissionset.MaxPolicies].ARN)
		}), fault.Quota, "more than 20 for id "+before.ID)
		refused(t, w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
			return permissionset.AttachCustomerPolicy(tx, s, permissionset.PolicyReference{Name: "one-more"})
		}), fault.Quota, "more than 20")
		after, now := w.get("set")
		if diff := cmp.Diff(before, after) + cmp.Diff(policies, now); diff != "" {
			t.Error(diff)
		}
	})
}

func TestInlinePolicy(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		put := func(document string) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.PutInlinePolicy(tx, s, document)
			})
		}
		if err := put(allowAll); err != nil {
			t.Fatal(err)
		}
		// White space counts only towards the length of the document.
		if err := put(allowAll + strings.Repeat(" ", 32768-len(allowAll))); err != nil {
			t.Error(err)
		}
		if err := put(allowAll); err != nil {
			t.Error(err)
		}
		for document, c := range map[string]fault.Category{
			"{}":     fault.Invalid,
			"policy": fault.Invalid,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}`: fault.Invalid,
			allowAll + strings.Repeat(" ", 32769-len(allowAll)):                                     fault.Quota,
			`{"Version":"2012-10-17","Id":"` + strings.Repeat("x", 10241) + `"}`:                    fault.Quota,
		} {
			if err := put(document); fault.Of(err) != c {
				t.Errorf("%.40s…: %v", document, err)
			}
		}
		set, _ := w.get("set")
		if set.InlinePolicy != allowAll || set.Version != 4 {
			t.Errorf("version %d has the policy %s", set.Version, set.InlinePolicy)
		}
		remove := func() error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error {
				return permissionset.DeleteInlinePolicy(tx, s)
			})
		}
		if err := errors.Join(remove(), remove()); err != nil {
			t.Error(err)
		}
		if set, _ := w.get("set"); set.InlinePolicy != "" || set.Version != 5 {
			t.Errorf("after deleting, version %d has the policy %s", set.Version, set.InlinePolicy)
		}
	})
}

func TestBoundary(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		put := func(b permissionset.Boundary) error {
			return w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error { return permissionset.PutBoundary(tx, s, b) })
		}
		get := func() (permissionset.Boundary, error) {
			set, _ := w.get("set")
			return permissionset.BoundaryOf(w.in, set)
		}
		_, err := get()
		refused(t, err, fault.NotFound, "permissions boundary")
		own := permissionset.Boundary{Customer: permissionset.PolicyReference{Name: "own"}}
		const either = "Only ManagedPolicyArn or CustomerManagedPolicyReference should be given"
		refused(t, put(permissionset.Boundary{}), fault.Invalid, either)
		refused(t, put(permissionset.Boundary{ManagedPolicyARN: billing, Customer: own.Customer}), fault.Invalid, either)
		refused(t, put(permissionset.Boundary{ManagedPolicyARN: "arn:aws:iam::aws:policy/None"}), fault.NotFound, "arn:aws:iam::aws:policy/None")
		for _, b := range []permissionset.Boundary{{ManagedPolicyARN: billing}, own} {
			if err := put(b); err != nil {
				t.Fatal(err)
			}
		}
		own.Customer.Path = "/"
		if got, err := get(); err != nil || got != own {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := w.on("set", func(tx *store.Tx, s permissionset.PermissionSet) error { return permissionset.DeleteBoundary(tx, s) }); err != nil {
			t.Error(err)
		}
		_, err = get()
		refused(t, err, fault.NotFound, "permissions boundary")
	})
}
