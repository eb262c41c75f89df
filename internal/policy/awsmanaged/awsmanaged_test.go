package awsmanaged_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/policy/awsmanaged"
)

func TestEveryPolicyIsWhole(t *testing.T) {
	list := awsmanaged.List()
	if len(list) < 1400 {
		t.Errorf("%d policies", len(list))
	}
	if !slices.IsSortedFunc(list, func(a, b awsmanaged.Policy) int { return strings.Compare(a.ARN, b.ARN) }) {
		t.Error("not in the order of ARNs")
	}
	files := make(map[string]bool)
	for _, p := range list {
		got, ok := awsmanaged.Lookup(p.ARN)
		if !ok || got != p {
			t.Errorf("%s: looked up %+v, %v; listed %+v", p.ARN, got, ok, p)
		}
		if p.ARN != "arn:aws:iam::aws:policy"+p.Path+p.Name || !strings.HasPrefix(p.DefaultVersionID, "v") || p.Created.IsZero() || p.Updated.Before(p.Created) {
			t.Errorf("malformed: %+v", p)
		}
		if _, err := policy.Compile(p.Document()); err != nil {
			t.Errorf("%s: %v", p.ARN, err)
		}
		files[path.Join("documents", p.Path, p.Name+".json")] = true
	}
	err := fs.WalkDir(os.DirFS("."), "documents", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !files[file] {
			t.Errorf("%s is not in the index", file)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	got, ok := awsmanaged.Lookup("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
	want := awsmanaged.Policy{
		ARN: "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", Name: "ViewOnlyAccess", Path: "/job-function/",
		DefaultVersionID: got.DefaultVersionID, Created: time.Date(2016, 11, 10, 17, 20, 15, 0, time.UTC), Updated: got.Updated,
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("found %v (-want +got):\n%s", ok, diff)
	}
	for _, arn := range []string{
		"", "arn:aws:iam::aws:policy", "arn:aws:iam::aws:policy/", "arn:aws:iam::aws:policy/Administrator",
		"arn:aws:iam::aws:policy/administratoraccess", "arn:aws:iam::aws:policy/ViewOnlyAccess",
		"arn:aws:iam::123456789012:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess\tv1",
		"arn:aws:iam::aws:policy/zzz", "arn:aws:iam::aws:policy/AIDevOpsAgentAccessPolicy2",
	} {
		if p, ok := awsmanaged.Lookup(arn); ok {
			t.Errorf("%q is %+v", arn, p)
		}
	}
}

// The policies that AWS's guides and samples attach to permission sets.
func TestPoliciesOfGuidesDecide(t *testing.T) {
	request := func(action string) policy.Request { return policy.Request{Action: action, Resource: "*"} }
	tests := []struct{ name, allows, not string }{
		{"AdministratorAccess", "organizations:CreateAccount", ""},
		{"PowerUserAccess", "s3:CreateBucket", "iam:CreateUser"},
		{"ReadOnlyAccess", "s3:ListAllMyBuckets", "s3:CreateBucket"},
		{"SecurityAudit", "iam:ListUsers", "iam:CreateUser"},
		{"job-function/ViewOnlyAccess", "ec2:DescribeInstances", "ec2:RunInstances"},
		{"job-function/Billing", "budgets:ViewBudget", "ec2:RunInstances"},
		{"job-function/DataScientist", "s3:CreateBucket", "organizations:CreateAccount"},
		{"job-function/DatabaseAdministrator", "rds:CreateDBInstance", "ec2:RunInstances"},
		{"job-function/NetworkAdministrator", "ec2:CreateVpc", "rds:CreateDBInstance"},
		{"job-function/SupportUser", "support:CreateCase", "iam:CreateUser"},
		{"job-function/SystemAdministrator", "ec2:CreateVpc", "organizations:CreateAccount"},
		{"service-role/AmplifyBackendDeployFullAccess", "amplify:ListApps", "iam:CreateUser"},
		{"AdministratorAccess-Amplify", "amplify:CreateApp", "organizations:CreateAccount"},
		{"AWSSSOMasterAccountAdministrator", "sso:CreatePermissionSet", "ec2:RunInstances"},
		{"AWSSSOMemberAccountAdministrator", "sso:CreateApplication", "ec2:RunInstances"},
		{"AWSSSOReadOnly", "sso:ListInstances", "sso:CreatePermissionSet"},
		{"AWSSSODirectoryAdministrator", "identitystore:CreateUser", "sso:CreatePermissionSet"},
		{"AWSSSODirectoryReadOnly", "identitystore:ListUsers", "identitystore:CreateUser"},
		{"IAMFullAccess", "iam:CreateUser", "s3:ListAllMyBuckets"},
		{"IAMReadOnlyAccess", "iam:ListUsers", "iam:CreateUser"},
		{"AmazonS3FullAccess", "s3:CreateBucket", "iam:CreateUser"},
		{"AmazonS3ReadOnlyAccess", "s3:GetObject", "s3:PutObject"},
		{"AmazonEC2FullAccess", "ec2:RunInstances", "iam:CreateUser"},
		{"AWSOrganizationsFullAccess", "organizations:CreateAccount", "iam:CreateUser"},
		{"AWSOrganizationsReadOnlyAccess", "organizations:ListAccounts", "organizations:CreateAccount"},
		{"IAMUserChangePassword", "iam:GetAccountPasswordPolicy", "iam:CreateUser"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := awsmanaged.Lookup("arn:aws:iam::aws:policy/" + tt.name)
			if !ok {
				t.Fatal("no such policy")
			}
			compiled, err := policy.Compile(p.Document())
			if err != nil {
				t.Fatal(err)
			}
			set := policy.Set{Identity: []*policy.Policy{compiled}}
			if got := set.Decide(request(tt.allows)); got.Effect != policy.Allow {
				t.Errorf("%s: %v", tt.allows, got.Effect)
			}
			if got := set.Decide(request(tt.not)); got.Effect == policy.Allow {
				t.Errorf("%s is allowed", tt.not)
			}
		})
	}
}
