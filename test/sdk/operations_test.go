package sdk

import (
	"net/http"
	"net/url"
	"strings"
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
// they have called every operation that is implemented.
func TestOperations(t *testing.T) {
	seen := newCoverage()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			node.Run(t, func(t *testing.T, n *node.Node) {
				n.Succeeded = seen.add
				s.run(t, &world{n, n.Callers(t), new(n.Instance.ARN()), &n.Instance.IdentityStoreID})
			})
		})
	}
	if t.Failed() {
		return
	}
	reasons := listed(t, "uncovered.txt")
	for _, o := range operations() {
		_, missing := notImplemented(t)[o.String()]
		_, excepted := reasons["content "+o.String()]
		switch covered := seen.has(o); {
		case covered && excepted:
			t.Errorf("content %s is covered: delete its line in uncovered.txt", o)
		case !covered && !missing && !excepted && o.service.ID != "settings": // which no SDK has
			t.Errorf("no scenario calls %s with success", o)
		}
	}
}

// coverage is the set of operations that succeeded.
type coverage struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newCoverage() *coverage { return &coverage{seen: map[string]bool{}} }

func (c *coverage) add(r *http.Request, body []byte) {
	key := r.Header.Get("X-Amz-Target")
	if form, err := url.ParseQuery(string(body)); key == "" && err == nil {
		key = form.Get("Action")
	}
	if key == "" {
		key = r.Method + " " + r.URL.Path
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[key] = true
}

func (c *coverage) has(o operation) bool {
	switch o.service.Protocol {
	case schema.AWSJSON11:
		return c.seen[o.service.TargetPrefix+"."+o.Name]
	case schema.AWSQuery:
		return c.seen[o.Name]
	default:
		return c.seen[o.Method+" "+strings.TrimSuffix(o.Path, "/")]
	}
}
