package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/assignment"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/authsettings"
	portalwire "github.com/atrium-iam/atrium/internal/awsapi/portal"
	ssowire "github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/portal"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestPortalContent looks at what the portal tells a person.
func TestPortalContent(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		admin := c.browse(c.person("admin"))
		c.do(func(tx *store.Tx) error {
			_, err := authsettings.Change(tx, c.in.IdentityStoreID, func(s *authsettings.Settings) { s.Contact = "help@example.com" })
			if err == nil {
				_, err = portal.PutDestinations(tx, c.in, []string{"https://console.example.com"})
			}
			if err == nil {
				_, err = portal.PutAppearance(tx, c.in, portal.Appearance{AccountID: sampleProduction, Label: "Live", Color: "red"})
			}
			return err
		})
		var told portalwire.DescribePortalResponse
		admin.ask("DescribePortal", `{}`, &told)
		startURL := "https://" + c.in.IdentityStoreID + ".awsapps.com/start"
		want := portalwire.DescribePortalResponse{
			User: &portalwire.PortalUser{
				UserId: &admin.session.UserID, UserName: new("admin"), DisplayName: told.User.DisplayName, EmailAddress: told.User.EmailAddress,
			},
			Instance: &portalwire.PortalInstance{InstanceArn: new(c.in.ARN()), IdentityStoreId: &c.in.IdentityStoreID},
			Region:   new("us-east-1"), StartUrl: &startURL, PortalUrl: new(c.nodes[0].PeopleURL.String() + "/start"),
			IssuerUrl: new("https://identitycenter.amazonaws.com/" + c.in.ID), Contact: new("help@example.com"),
			Destinations: []string{"https://console.example.com"}, SessionExpiration: new(admin.session.ExpiresAt.UnixMilli()),
		}
		want.PortalUrl = new(admin.node.PeopleURL.String() + "/start")
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("portal (-want +got):\n%s", diff)
		}
		var accounts []string
		for next := "null"; next != ""; {
			var page portalwire.ListPortalAccountsResponse
			admin.ask("ListPortalAccounts", `{"maxResults":2,"nextToken":`+next+`}`, &page)
			for _, a := range page.AccountList {
				label := "-"
				if a.Label != nil {
					label = *a.Label
				}
				accounts = append(accounts, strings.Join([]string{*a.AccountId, *a.AccountName, *a.EmailAddress, label, *a.Color}, " "))
			}
			if next = ""; page.NextToken != nil {
				next = `"` + *page.NextToken + `"`
			}
		}
		if diff := cmp.Diff([]string{
			"111111111111 production production@example.com Live red", "123456789012 management management@example.com - none",
			"222222222222 development development@example.com - none",
		}, accounts); diff != "" {
			t.Errorf("accounts (-want +got):\n%s", diff)
		}
		var config portalwire.GetConfigurationResponse
		admin.ask("GetConfiguration", `{}`, &config)
		profiles := regexp.MustCompile(`(?m)^\[profile (.*)\]$`).FindAllString(*config.Configuration, -1)
		if diff := cmp.Diff([]string{
			"[profile Administrator-111111111111]", "[profile Auditor-111111111111]", "[profile Administrator-123456789012]",
			"[profile Auditor-123456789012]", "[profile Administrator-222222222222]", "[profile Auditor-222222222222]",
		}, profiles); diff != "" {
			t.Errorf("profiles (-want +got):\n%s", diff)
		}
		if !strings.Contains(*config.Configuration, "sso_start_url = "+startURL+"\n") {
			t.Errorf("the configuration has another start URL:\n%s", *config.Configuration)
		}
	})
}

// TestPageCredentials opens a role from the portal's page, uses it, and takes
// it away: it is gone at once, from the page and for the program.
func TestPageCredentials(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		const builder = `{"accountId":"222222222222","roleName":"Builder"}`
		var got ssowire.GetRoleCredentialsResponse
		sam.ask("GetRoleCredentials", builder, &got)
		keys := keyPair{*got.RoleCredentials.AccessKeyId, *got.RoleCredentials.SecretAccessKey, *got.RoleCredentials.SessionToken}
		if arn, code := c.nodes[0].whoami(t.Context(), keys); !strings.HasSuffix(arn, "/sam.lee") {
			t.Fatalf("the credentials are of %q: %s", arn, code)
		}
		for _, input := range []string{
			`{"accountId":"222222222222","roleName":"Administrator"}`, `{"accountId":"123456789012","roleName":"Administrator"}`, `{"accountId":"999999999999","roleName":"Builder"}`,
		} {
			for _, operation := range []string{"GetRoleCredentials", "GetAccessTexts"} {
				if a := sam.do(sam.call(operation, input)); a.status != http.StatusForbidden || a.code != "ForbiddenException" || a.message != "No access" {
					t.Errorf("%s %s: %d %s", operation, input, a.status, a.body)
				}
			}
		}
		if a := sam.do(sam.call("GetRoleCredentials", `{"roleName":"Builder"}`)); a.status != http.StatusBadRequest || a.code != "InvalidRequestException" {
			t.Errorf("no account id: %d %s", a.status, a.body)
		}
		c.do(func(tx *store.Tx) error {
			group, _, err := tx.DirectoryGroupIDByName(c.in.IdentityStoreID, "builders")
			if err != nil {
				return err
			}
			set, err := c.set(tx, "Builder")
			if err != nil {
				return err
			}
			_, err = assignment.Delete(tx, ident.Millis(c.now()), c.ids, c.in, set, sampleDevelopment, assignment.Principal{Type: assignment.Group, ID: group})
			return err
		})
		if a := sam.do(sam.call("GetRoleCredentials", builder)); a.status != http.StatusForbidden {
			t.Errorf("after the assignment is gone: %d %s", a.status, a.body)
		}
		var accounts portalwire.ListPortalAccountsResponse
		if sam.ask("ListPortalAccounts", `{}`, &accounts); len(accounts.AccountList) != 0 {
			t.Errorf("after the assignment is gone: %+v", accounts)
		}
		if _, code := c.nodes[0].whoami(t.Context(), keys); code != "ExpiredToken" {
			t.Errorf("the credentials: %q", code)
		}
	})
}

// TestPageAudit holds that the trail tells who did what from a page, by id, and
// holds no secret.
func TestPageAudit(t *testing.T) {
	onEachEngine(t, func(t *testing.T, c *cluster) {
		sam := c.browse(c.person("sam.lee"))
		var got ssowire.GetRoleCredentialsResponse
		sam.ask("GetRoleCredentials", `{"accountId":"222222222222","roleName":"Builder"}`, &got)
		sam.do(sam.call("GetAccessTexts", `{"accountId":"222222222222","roleName":"Builder"}`))
		sam.do(sam.call("GetRoleCredentials", `{"accountId":"222222222222","roleName":"Administrator"}`))
		forged := sam.call("DescribePortal", `{}`)
		forged.Header.Set("Sec-Fetch-Site", "cross-site")
		sam.do(forged)
		type record struct {
			EventName, EventSource, ErrorCode, SourceIPAddress string
			ReadOnly                                           bool
			RequestParameters, ResponseElements                map[string]any
			UserIdentity                                       audit.UserIdentity
		}
		var trail []string
		for _, e := range c.pageTrail(4) {
			for _, secret := range []string{*got.RoleCredentials.SecretAccessKey, *got.RoleCredentials.SessionToken, sam.csrf, sam.cookies[0].Value, "sam.lee", "Sam"} {
				if strings.Contains(string(e.JSON), secret) {
					t.Errorf("the trail holds %.8s…: %s", secret, e.JSON)
				}
			}
			var r record
			if err := json.Unmarshal(e.JSON, &r); err != nil {
				t.Fatal(err)
			}
			switch r.EventName {
			case "GetRoleCredentials", "GetAccessTexts":
				if r.UserIdentity.Type != "IdentityCenterUser" || r.UserIdentity.OnBehalfOf == nil || r.UserIdentity.OnBehalfOf.UserID != sam.session.UserID || r.UserIdentity.CredentialID != sam.session.ID {
					t.Errorf("who is told wrong: %s", e.JSON)
				}
			case "DescribePortal":
				if r.UserIdentity.OnBehalfOf != nil {
					t.Errorf("a forged call names a person: %s", e.JSON)
				}
			}
			if r.EventSource != "sso.amazonaws.com" || !r.ReadOnly || r.SourceIPAddress != "127.0.0.1" {
				t.Errorf("recorded as %s", e.JSON)
			}
			keyID := ""
			if credentials, ok := r.ResponseElements["roleCredentials"].(map[string]any); ok && credentials["accessKeyId"] == *got.RoleCredentials.AccessKeyId {
				keyID = " with its key"
			}
			trail = append(trail, fmt.Sprintf("%s %v %v %s%s", r.EventName, r.RequestParameters["accountId"], r.RequestParameters["roleName"], r.ErrorCode, keyID))
		}
		slices.Sort(trail)
		if diff := cmp.Diff([]string{
			"DescribePortal <nil> <nil> ForbiddenException", "GetAccessTexts 222222222222 Builder ",
			"GetRoleCredentials 222222222222 Administrator ForbiddenException", "GetRoleCredentials 222222222222 Builder  with its key",
		}, trail); diff != "" {
			t.Errorf("trail (-want +got):\n%s", diff)
		}
	})
}

// pageTrail returns the records of calls from pages, once there are as many as
// want: they are enqueued after the answer. Where the web application is built,
// its page has asked for the portal by itself, which is left out.
func (c *cluster) pageTrail(want int) (records []audit.Entry) {
	c.t.Helper()
	about := regexp.MustCompile(`"eventName":"(DescribePortal|GetAccessTexts|GetRoleCredentials)"`)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := c.last().trail.Flush(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
		c.do(func(tx *store.Tx) error {
			entries, _, err := audit.Read(tx, 0, 1000)
			records = slices.DeleteFunc(entries, func(e audit.Entry) bool {
				return !about.Match(e.JSON) || bytes.Contains(e.JSON, []byte(`"DescribePortal"`)) && !bytes.Contains(e.JSON, []byte(`"errorCode"`))
			})
			return err
		})
		if len(records) >= want || time.Now().After(deadline) {
			return records
		}
	}
}
