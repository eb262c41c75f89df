package settings_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/session"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// call has somebody call an operation with an input of the generated types.
func call(t *testing.T, n *node.Node, who *node.Caller, operation string, in any) node.Answer {
	t.Helper()
	s := wire.Descriptor()
	return n.Send(t, who, node.NewCall(s, s.OperationByName(operation), in))
}

// done is call for calls that must succeed; it reads the answer.
func done[Out any](t *testing.T, n *node.Node, who *node.Caller, operation string, in any) (out Out) {
	t.Helper()
	a := call(t, n, who, operation, in)
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", operation, a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &out); err != nil {
		t.Fatalf("%s: %v: %s", operation, err, a.Body)
	}
	return out
}

// nothing is an answer without content.
type nothing struct{}

// refused holds that a call was refused with a code, in words.
func refused(t *testing.T, a node.Answer, code, words string) {
	t.Helper()
	if a.Status == http.StatusOK || a.Code != code || !strings.Contains(a.Message, words) {
		t.Errorf("%d %s %q, want %s and %q", a.Status, a.Code, a.Message, code, words)
	}
}

// signIn begins a session of a person at the portal.
func signIn(t *testing.T, n *node.Node, user string, lasts time.Duration) session.Session {
	t.Helper()
	return signInAt(t, n, user, n.Clock.Now(), lasts)
}

// signInAt is signIn at a time.
func signInAt(t *testing.T, n *node.Node, user string, at time.Time, lasts time.Duration) (s session.Session) {
	t.Helper()
	err := n.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
		s, _, err = session.Start(tx, ident.Millis(at), ident.NewSource(rand.Reader), n.Instance.IdentityStoreID, user, lasts,
			session.NewClient("192.0.2.7", "a browser"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func nodeIDs() ident.Source { return ident.NewSource(rand.Reader) }
