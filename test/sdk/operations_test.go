package sdk

import (
	"net/url"
	"sync"
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/test/node"
)

// world is what the tests of operations share: a node of their own, and one
// caller of each kind.
type world struct {
	*node.Node
	node.Callers
	instance, store *string // ARN and id
}

// scenarios call every operation that is implemented, by AWS's own clients, and
// look at what comes back.
var scenarios = []struct {
	name string
	run  func(*testing.T, *world)
}{
	{"identities", identities},
	{"sessions", sessions},
	{"users", users},
	{"user attributes", userAttributes},
	{"user paging", userPaging},
	{"groups", groups},
	{"memberships", memberships},
	{"instances", instances},
	{"account instances", accountInstances},
	{"attributes for access control", accessControlAttributes},
	{"permission sets", permissionSets},
	{"policies of permission sets", permissionSetPolicies},
	{"tags", permissionSetTags},
	{"assignments", assignments},
	{"failed assignments", failedAssignments},
	{"provisioning", provisioning},
	{"organization", organizationTree},
	{"accounts", accounts},
	{"account paging", accountPaging},
	{"delegation", delegation},
	{"organization tags", organizationTags},
	{"standalone organization", standaloneOrganization},
	{"members", members},
}

// TestOperations runs the scenarios, each on a node of its own, and holds that
// they have called every operation that is implemented, and that the audit trail
// tells of each call.
func TestOperations(t *testing.T) {
	all, ran := map[string]bool{}, map[string]bool{}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			node.Run(t, func(t *testing.T, n *node.Node) {
				ran[s.name] = true
				seen := &calls{}
				n.Succeeded = seen.add
				w := &world{n, n.Callers(t), new(n.Instance.ARN()), &n.Instance.IdentityStoreID}
				s.run(t, w)
				checkTrail(t, w, seen)
				for _, c := range seen.all {
					all[c.key] = true
				}
			})
		})
	}
	if t.Failed() || len(ran) < len(scenarios) { // -run chose some
		return
	}
	reasons := listed(t, "uncovered.txt")
	for _, o := range operations() {
		_, missing := notImplemented(t)[o.String()]
		_, excepted := reasons["content "+o.String()]
		switch covered := all[o.key()]; {
		case covered && excepted:
			t.Errorf("content %s is covered: delete its line in uncovered.txt", o)
		case !covered && !missing && !excepted && o.service.ID != "settings": // which no SDK has
			t.Errorf("no scenario calls %s with success", o)
		}
	}
}

// calls are the calls of SDKs that succeeded.
type calls struct {
	mu  sync.Mutex
	all []succeeded
}

type succeeded struct{ key, requestID string }

func (c *calls) add(e node.Exchange) {
	key := e.Request.Header.Get("X-Amz-Target")
	if form, err := url.ParseQuery(string(e.Body)); key == "" && err == nil {
		key = form.Get("Action")
	}
	if key == "" {
		key = e.Request.Method + " " + e.Request.URL.Path
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, succeeded{key, e.RequestID})
}

// key is how calls to the operation are recognised.
func (o operation) key() string {
	switch o.service.Protocol {
	case schema.AWSJSON11:
		return o.service.TargetPrefix + "." + o.Name
	case schema.AWSQuery:
		return o.Name
	default:
		return o.Method + " " + o.Path
	}
}
