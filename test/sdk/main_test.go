// Package sdk tests the whole program from outside: with AWS's own clients, and
// with every request that the service models and their constraints make
// possible. What it covers it derives from the models, so that an operation
// that is added is covered too, or the tests fail.
package sdk

import (
	"bufio"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate/violation"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
	"github.com/atrium-iam/atrium/test/node"
)

// operation is one operation of a service.
type operation struct {
	*schema.Operation
	service *schema.Service
}

func (o operation) String() string { return o.service.ID + " " + o.Name }

// operations returns all operations of all services.
func operations() []operation {
	var all []operation
	for _, s := range wiretest.Services() {
		for i := range s.Operations {
			all = append(all, operation{&s.Operations[i], s.Service})
		}
	}
	return all
}

// valid returns a minimal valid input of the operation, which names nothing
// that exists.
func (o operation) valid(t testing.TB) any {
	t.Helper()
	in, err := violation.Valid(o.service, o.Operation)
	if err != nil {
		t.Fatal(err)
	}
	if o.service.Protocol == schema.AWSQuery && o.Input != schema.NoShape {
		fillMembers(in)
	}
	return in
}

// fillMembers puts a policy's ARN into those structures of an input that have
// no member which is set: a form cannot say that they are there.
func fillMembers(in any) {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		fillEmpty(v.Field(i))
	}
}

func fillEmpty(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillEmpty(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			fillEmpty(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fillEmpty(v.Field(i))
		}
		if v.NumField() == 0 || !v.IsZero() {
			return
		}
		if text, ok := v.Field(0).Addr().Interface().(**string); ok {
			*text = new(node.AdministratorAccess)
		}
	}
}

// onInstance is valid, but names the node's instance and identity store, and
// what does not exist in them.
func (o operation) onInstance(t testing.TB, n *node.Node) any {
	t.Helper()
	in := o.valid(t)
	id := n.Instance.ID
	known := map[string]string{
		"InstanceArn": n.Instance.ARN(), "IdentityStoreId": n.Instance.IdentityStoreID,
		"ResourceArn":           "arn:aws:sso:::permissionSet/" + id + "/ps-0123456789abcdef",
		"PermissionSetArn":      "arn:aws:sso:::permissionSet/" + id + "/ps-0123456789abcdef",
		"ApplicationArn":        "arn:aws:sso::" + node.Management + ":application/" + id + "/apl-0123456789abcdef",
		"TrustedTokenIssuerArn": "arn:aws:sso::" + node.Management + ":trustedTokenIssuer/" + id + "/tti-01234567-89ab-cdef-0123-456789abcdef",
		"ServicePrincipal":      "config.amazonaws.com",
	}
	for name, value := range known {
		if text := textMember(in, name); text != nil {
			*text = value
		}
	}
	return in
}

// textMember returns the value of a text member of an input; nil when it is not
// set.
func textMember(in any, name string) *string {
	f := reflect.ValueOf(in).Elem().FieldByName(name)
	if !f.IsValid() {
		return nil
	}
	text, _ := f.Interface().(*string)
	return text
}

// listed reads a file of exceptions: a line each, "key  # reason".
func listed(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reasons := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, reason, _ := strings.Cut(line, "#")
		key = strings.Join(strings.Fields(key), " ")
		if _, again := reasons[key]; again {
			t.Errorf("%s lists %q twice", path, key)
		}
		reasons[key] = strings.TrimSpace(reason)
	}
	return reasons
}
