package settings_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/test/node"
)

// TestAccountAppearance follows the look of accounts through its life.
func TestAccountAppearance(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who, arn := n.Callers(t), new(n.Instance.ARN())
		put := func(by *node.Caller, account, label, color string) node.Answer {
			return call(t, n, by, "PutAccountAppearance", &wire.PutAccountAppearanceRequest{InstanceArn: arn, AccountId: &account, Label: &label, AccountColor: &color})
		}
		look := func(account string) wire.AccountAppearance {
			return *done[wire.DescribeAccountAppearanceResponse](t, n, who.Admin, "DescribeAccountAppearance",
				&wire.DescribeAccountAppearanceRequest{InstanceArn: arn, AccountId: &account}).AccountAppearance
		}
		plain := wire.AccountAppearance{AccountId: new(node.Production), AccountColor: new("none")}
		if diff := cmp.Diff(plain, look(node.Production)); diff != "" {
			t.Errorf("at first (-want +got):\n%s", diff)
		}
		for _, c := range []struct{ account, label, color string }{
			{node.Production, "Live", "red"}, {node.Production, "PROD – care", "orange"}, {node.Development, "dev", "none"}, {node.Management, "root", "purple"},
		} {
			if a := put(who.Admin, c.account, c.label, c.color); a.Status != 200 {
				t.Fatalf("%v: %d %s", c, a.Status, a.Body)
			}
		}
		if diff := cmp.Diff(wire.AccountAppearance{AccountId: new(node.Production), Label: new("PROD – care"), AccountColor: new("orange")}, look(node.Production)); diff != "" {
			t.Errorf("the second look (-want +got):\n%s", diff)
		}
		for name, c := range map[string]struct {
			by                    *node.Caller
			account, label, color string
			code, words           string
		}{
			"a member's administrator":          {who.Member, node.Production, "x", "red", "AccessDeniedException", "neither owns this instance"},
			"nobody's administrator":            {who.Powerless, node.Production, "x", "red", "AccessDeniedException", "sso:PutAccountAppearance"},
			"a delegate, on management account": {who.Delegated, node.Management, "sandbox", "green", "AccessDeniedException", "only the management account"},
			"an account outside":                {who.Admin, node.Outside, "x", "red", "ResourceNotFoundException", "in the organization"},
			"no account at all":                 {who.Admin, "999999999999", "x", "red", "ResourceNotFoundException", "in the organization"},
			"a color of its own":                {who.Admin, node.Production, "x", "#f00", "ValidationException", "enum"},
			"too long":                          {who.Admin, node.Production, strings.Repeat("x", 33), "red", "ValidationException", "32"},
			"blank":                             {who.Admin, node.Production, " ", "red", "ValidationException", "space"},
			"two lines":                         {who.Admin, node.Production, "a\nb", "red", "ValidationException", "can be seen"},
			"turned around":                     {who.Admin, node.Production, "a\u202eb", "red", "ValidationException", "can be seen"},
		} {
			t.Run(name, func(t *testing.T) { refused(t, put(c.by, c.account, c.label, c.color), c.code, c.words) })
		}
		if a := put(who.Delegated, node.Development, "sandbox", "green"); a.Status != 200 {
			t.Errorf("a delegate, on another account: %s", a.Body)
		}
		listLooks(t, n, who.Admin, []string{node.Production + " PROD – care orange", node.Management + " root purple", node.Development + " sandbox green"})
		remove := &wire.DeleteAccountAppearanceRequest{InstanceArn: arn, AccountId: new(node.Production)}
		done[nothing](t, n, who.Admin, "DeleteAccountAppearance", remove)
		refused(t, call(t, n, who.Admin, "DeleteAccountAppearance", remove), "ResourceNotFoundException", "no label")
		if diff := cmp.Diff(plain, look(node.Production)); diff != "" {
			t.Errorf("at last (-want +got):\n%s", diff)
		}
		recorded(t, n, "PutAccountAppearance", `"label":"PROD – care"`, `"accountColor":"orange"`, `"accountId":"`+node.Production)
	})
}

// listLooks holds that the list has these, two on a page.
func listLooks(t *testing.T, n *node.Node, by *node.Caller, want []string) {
	t.Helper()
	var got []string
	in := &wire.ListAccountAppearancesRequest{InstanceArn: new(n.Instance.ARN()), MaxResults: new(int32(2))}
	for {
		page := done[wire.ListAccountAppearancesResponse](t, n, by, "ListAccountAppearances", in)
		for _, a := range page.AccountAppearances {
			got = append(got, *a.AccountId+" "+*a.Label+" "+*a.AccountColor)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// recorded holds that a record of the trail for an event has all these.
func recorded(t *testing.T, n *node.Node, event string, texts ...string) {
	t.Helper()
	found := false
	n.Audit(t, func(all []audit.Entry) bool {
		for _, e := range all {
			has := strings.Contains(string(e.JSON), `"`+event+`"`)
			for _, text := range texts {
				has = has && strings.Contains(string(e.JSON), text)
			}
			found = found || has
		}
		return found
	})
	if !found {
		t.Errorf("no record of %s has all of %q", event, texts)
	}
}

func TestPortalDestinations(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		who, arn := n.Callers(t), new(n.Instance.ARN())
		put := func(by *node.Caller, origins ...string) node.Answer {
			return call(t, n, by, "PutPortalDestinations", &wire.PutPortalDestinationsRequest{InstanceArn: arn, Destinations: origins})
		}
		listed := func(want ...string) {
			t.Helper()
			got := done[wire.ListPortalDestinationsResponse](t, n, who.Admin, "ListPortalDestinations", &wire.ListPortalDestinationsRequest{InstanceArn: arn})
			if diff := cmp.Diff(want, got.Destinations); diff != "" {
				t.Errorf("destinations (-want +got):\n%s", diff)
			}
		}
		listed([]string{}...)
		if a := put(who.Admin, "https://Console.Example.com:443/", "https://console.example.com", "https://b.example.com:8443"); a.Status != 200 {
			t.Fatalf("%s", a.Body)
		}
		listed("https://b.example.com:8443", "https://console.example.com")
		for name, origin := range map[string]string{
			"not encrypted": "http://example.com", "a path": "https://example.com/x", "a query": "https://example.com?x", "a user": "https://a@example.com",
			"no host": "https://", "a script": "javascript:alert(1)", "all hosts": "https://*.example.com", "no port": "https://example.com:", "spaces": "https://example.com ",
			"a second port": "https://example.com:443:443",
		} {
			t.Run(name, func(t *testing.T) {
				refused(t, put(who.Admin, "https://ok.example.com", origin), "ValidationException", "")
			})
		}
		refused(t, put(who.Member, "https://example.com"), "AccessDeniedException", "neither owns")
		refused(t, put(who.Powerless, "https://example.com"), "AccessDeniedException", "sso:PutPortalDestinations")
		listed("https://b.example.com:8443", "https://console.example.com")
		if a := put(who.Admin, []string{}...); a.Status != 200 {
			t.Fatalf("%s", a.Body)
		}
		listed([]string{}...)
	})
}
