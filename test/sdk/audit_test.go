package sdk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// record is an audit record.
type record struct {
	UserIdentity                                            struct{ ARN, AccountID, AccessKeyID string }
	EventName, EventSource, ErrorCode, ErrorMessage         string
	RequestID, EventID, SourceIPAddress, RecipientAccountID string
	ReadOnly                                                bool
	RequestParameters, ResponseElements                     any
	AdditionalEventData                                     struct{ Count int }
}

// trail waits until the trail holds what complete asks for, and returns it.
func trail(t *testing.T, n *node.Node, complete func([]record) bool) (records []record, text string) {
	t.Helper()
	entries := n.Audit(t, func(entries []audit.Entry) bool {
		records = nil
		for _, e := range entries {
			var r record
			if err := json.Unmarshal(e.JSON, &r); err != nil {
				t.Fatalf("%v: %s", err, e.JSON)
			}
			records = append(records, r)
		}
		return complete(records)
	})
	var all strings.Builder
	for _, e := range entries {
		all.Write(e.JSON)
		all.WriteByte('\n')
	}
	return records, all.String()
}

// private is what no audit record may hold: names of people and groups, their
// addresses and attributes, e-mail addresses of accounts.
var private = []string{
	"Zoë", "zoe@example.com", "+41 22 000", "Genève", "Researcher", "701984", "Universal", "1999-12-31", "zoe.example",
	"Équipe", "A group's purpose", "Display pat", "Given", "lab@example.com", "more0@example.com", "new-value", "pat@example.com",
}

// checkTrail holds that the trail has exactly one record of each call, that it
// says no more than the operation's allow-lists name, that nothing private or
// secret is in it, and that its chain is whole.
func checkTrail(t *testing.T, w *world, seen *calls) {
	t.Helper()
	byKey := map[string]operation{}
	for _, o := range operations() {
		byKey[o.key()] = o
	}
	wanted := map[string]operation{}
	for _, c := range seen.all {
		wanted[c.requestID] = byKey[c.key]
	}
	records, text := trail(t, w.Node, func(all []record) bool {
		found := 0
		for _, r := range all {
			if _, ok := wanted[r.RequestID]; ok {
				found++
			}
		}
		return found >= len(wanted)
	})
	times := map[string]int{}
	for _, r := range records {
		times[r.RequestID]++
		if o, ok := wanted[r.RequestID]; ok {
			if problem := o.misrecorded(r); problem != "" {
				t.Errorf("the record of %s: %s", o, problem)
			}
		}
	}
	for id, o := range wanted {
		if times[id] != 1 {
			t.Errorf("%s has %d records", o, times[id])
		}
	}
	for _, c := range []*node.Caller{w.Admin, w.Member, w.Delegated, w.Powerless, w.Forbidden, w.Outsider} {
		if strings.Contains(text, c.Secret) {
			t.Errorf("the secret key of %s is in the trail", c.ARN)
		}
	}
	for _, word := range private {
		if at := strings.Index(text, word); at >= 0 {
			t.Errorf("%q is in the trail: %s", word, text[max(0, at-300):min(len(text), at+100)])
		}
	}
	w.VerifyAudit(t)
}

// misrecorded tells what is wrong with the record of a call that succeeded.
func (o operation) misrecorded(r record) string {
	switch {
	case r.EventName != o.Name || r.EventSource != o.service.EventSource:
		return fmt.Sprintf("named %s %s", r.EventSource, r.EventName)
	case r.ReadOnly != o.ReadOnly:
		return fmt.Sprintf("read only: %t", r.ReadOnly)
	case r.ErrorCode != "" || r.ErrorMessage != "":
		return "an error: " + r.ErrorCode
	case r.UserIdentity.ARN == "" || len(r.UserIdentity.AccessKeyID) != 20 || r.UserIdentity.AccountID != r.RecipientAccountID:
		return fmt.Sprintf("by %+v, for %s", r.UserIdentity, r.RecipientAccountID)
	case r.SourceIPAddress != "127.0.0.1" || r.EventID == "":
		return "from " + r.SourceIPAddress
	}
	for _, part := range []struct {
		name    string
		value   any
		allowed []string
	}{{"request", r.RequestParameters, o.AuditRequest}, {"response", r.ResponseElements, o.AuditResponse}} {
		for _, path := range leaves(part.value, "") {
			if !slices.ContainsFunc(part.allowed, func(allowed string) bool { return strings.EqualFold(allowed, path) }) {
				return fmt.Sprintf("%s member %s, allowed are %q", part.name, path, part.allowed)
			}
		}
	}
	if o.recordsRequired() && r.RequestParameters == nil {
		return "nothing of the request"
	}
	return ""
}

// recordsRequired reports whether records name a member that every request has.
func (o operation) recordsRequired() bool {
	return o.Input != schema.NoShape && slices.ContainsFunc(o.service.Shape(o.Input).Members, func(m schema.Member) bool {
		return m.Required && slices.Contains(o.AuditRequest, m.Name)
	})
}

// leaves lists the dotted paths of the values in a JSON tree.
func leaves(v any, path string) (paths []string) {
	tree, ok := v.(map[string]any)
	if !ok {
		if v == nil {
			return nil
		}
		return []string{path}
	}
	for name, value := range tree {
		paths = append(paths, leaves(value, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return paths
}

// TestAuditOfRefusals holds that refusals and reads are in the trail about a
// second later, and that callers who prove no identity cannot flood it.
func TestAuditOfRefusals(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		callers := n.Callers(t)
		store := &n.Instance.IdentityStoreID
		denied := func(c *node.Caller) {
			_, err := c.IdentityStore.CreateUser(t.Context(), &identitystore.CreateUserInput{IdentityStoreId: store, UserName: new("mallory")})
			refusedAs(t, "create", err, "AccessDeniedException")
		}
		begin := time.Now()
		denied(callers.Powerless)
		denied(callers.Forbidden)
		denied(callers.Member)
		must(callers.Member.IdentityStore.ListUsers(t.Context(), &identitystore.ListUsersInput{IdentityStoreId: store})).or(t)
		_, err := callers.Admin.IdentityStore.DescribeUser(t.Context(), &identitystore.DescribeUserInput{IdentityStoreId: store, UserId: new("94482488-3041-7026-18f3-aaaaaaaaaaaa")})
		refusedAs(t, "describe", err, "ResourceNotFoundException")
		count := func(all []record, event, code string) (n int) {
			for _, r := range all {
				if r.EventName == event && r.ErrorCode == code {
					n++
				}
			}
			return n
		}
		records, text := trail(t, n, func(all []record) bool {
			return count(all, "CreateUser", "AccessDeniedException") == 3 && count(all, "ListUsers", "") == 1 && count(all, "DescribeUser", "ResourceNotFoundException") == 1
		})
		took := time.Since(begin)
		t.Logf("in the trail after %v", took)
		if count(records, "CreateUser", "AccessDeniedException") != 3 || count(records, "ListUsers", "") != 1 || took > 5*time.Second {
			t.Errorf("after %v the trail holds %+v", took, records)
		}
		if strings.Contains(text, "mallory") {
			t.Error("the trail holds the name of a refused request")
		}
		for _, r := range records {
			if r.ErrorCode == "AccessDeniedException" && (r.ReadOnly || !strings.Contains(r.ErrorMessage, "is not authorized to perform: identitystore:CreateUser")) {
				t.Errorf("denial: %+v", r)
			}
		}
		noise(t, n)
		n.VerifyAudit(t)
	})
}

// noise sends unsigned requests: they are counted, not recorded one by one.
func noise(t *testing.T, n *node.Node) {
	t.Helper()
	const sent = 100
	for range sent {
		got := n.Send(t, nil, jsonCall("ListUsers", `{}`))
		if got.Status != http.StatusBadRequest {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	n.Clock.Advance(time.Minute) // the time in which they are gathered is over
	counted := func(all []record) (records, requests int) {
		for _, r := range all {
			if r.ErrorCode == "MissingAuthenticationTokenException" {
				records, requests = records+1, requests+max(1, r.AdditionalEventData.Count)
			}
		}
		return records, requests
	}
	records, _ := trail(t, n, func(all []record) bool { _, requests := counted(all); return requests == sent })
	if r, requests := counted(records); r == 0 || r > 5 || requests != sent {
		t.Errorf("%d unsigned requests left %d records of %d requests", sent, r, requests)
	}
}
