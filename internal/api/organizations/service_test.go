package organizations_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/atrium-iam/atrium/internal/api/organizations"
	"github.com/atrium-iam/atrium/internal/audit"
	wire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/organization"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

const management, outsider = "123456789012", "999999999999"

// rootKeys answers every access key id that encodes an account with a secret
// and the account's root user.
type rootKeys struct{}

func (rootKeys) FindKey(_ context.Context, id, _ string) (gateway.Credential, error) {
	account := ident.AccessKeyAccount(id)
	return gateway.Credential{Secret: "secret", Principal: iam.Principal{
		Kind: iam.KindRoot, AccountID: account, ARN: "arn:aws:iam::" + account + ":root", ID: account, AccessKeyID: id,
	}}, nil
}

// plainSealer binds a token to its context without hiding it.
type plainSealer struct{}

func (plainSealer) Seal(plaintext, aad []byte) ([]byte, error) {
	sum := sha256.Sum256(aad)
	return append(sum[:], plaintext...), nil
}

func (plainSealer) Open(sealed, aad []byte) ([]byte, error) {
	sum := sha256.Sum256(aad)
	plaintext, ok := bytes.CutPrefix(sealed, sum[:])
	if !ok {
		return nil, errors.New("not a token for this")
	}
	return plaintext, nil
}

type noAudit struct{}

func (noAudit) Enqueue(audit.Record) {}
func (noAudit) Noise(audit.Record)   {}

// server serves organizations with two standalone accounts.
type server struct {
	t   *testing.T
	url string
	ids ident.Source
}

func newServer(t *testing.T, s *store.Store) *server {
	t.Helper()
	ids := ident.NewSource(rand.Reader)
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		for _, id := range []string{management, outsider} {
			in := organization.NewAccount{ID: id, Name: "account " + id, Email: id + "@example.com"}
			if _, err := organization.CreateStandaloneAccount(tx, storetest.Now(), ids, in); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	service := gateway.NewService(wire.Descriptor(), store.Bind[organizations.Tx](s),
		wire.Bind[*gateway.Context[organizations.Tx]](organizations.Service{}))
	g, err := gateway.New(gateway.Options{
		Services: []gateway.Service{service}, Keys: rootKeys{}, Tokens: plainSealer{}, Audit: noAudit{}, IDs: ids,
		Policies: iam.NewCompiler(func(string) (string, bool) { return "", false }, 100),
		Now:      storetest.Now, Log: slog.New(slog.DiscardHandler), Region: "us-east-1",
		ClientIP: func(*http.Request) netip.Addr { return netip.IPv6Loopback() },
		Secure:   func(*http.Request) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(g)
	t.Cleanup(h.Close)
	return &server{t: t, url: h.URL, ids: ids}
}

// as returns a client with the credentials of account's root user.
func (s *server) as(account string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials:  credentials.NewStaticCredentialsProvider(s.ids.AccessKeyID("AKIA", account), "secret", ""),
		HTTPSignerV4: fixedSigner{v4.NewSigner()},
	})
}

// fixedSigner signs at the time that the server believes it is.
type fixedSigner struct{ *v4.Signer }

func (f fixedSigner) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payloadHash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return f.Signer.SignHTTP(ctx, c, r, payloadHash, service, region, storetest.Now(), options...)
}

// must returns the value of a call that has to succeed.
func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// code returns the error code of err, and its Reason when it has one.
func code(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := errors.AsType[*types.ConstraintViolationException](err); ok {
		return e.ErrorCode() + " " + string(e.Reason)
	}
	if e, ok := errors.AsType[*types.InvalidInputException](err); ok {
		return e.ErrorCode() + " " + string(e.Reason)
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return err.Error()
}

// newOrganization creates an organization and returns a client of its
// management account, its id and its root's.
func newOrganization(t *testing.T, db *store.Store) (s *server, c *sdk.Client, id, root string) {
	t.Helper()
	s = newServer(t, db)
	c = s.as(management)
	id = *must(c.CreateOrganization(t.Context(), nil))(t).Organization.Id
	root = *must(c.ListRoots(t.Context(), nil))(t).Roots[0].Id
	return s, c, id, root
}

func TestOrganizationOnTheWire(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		s := newServer(t, db)
		c, ctx := s.as(management), t.Context()
		created := must(c.CreateOrganization(ctx, &sdk.CreateOrganizationInput{}))(t).Organization
		id := *created.Id
		want := &types.Organization{
			Id: &id, Arn: aws.String("arn:aws:organizations::123456789012:organization/" + id), FeatureSet: "ALL",
			MasterAccountId: aws.String(management), MasterAccountEmail: aws.String(management + "@example.com"),
			MasterAccountArn:     aws.String("arn:aws:organizations::123456789012:account/" + id + "/123456789012"),
			AvailablePolicyTypes: []types.PolicyTypeSummary{{Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED"}},
		}
		described := must(c.DescribeOrganization(ctx, nil))(t).Organization
		for _, got := range []*types.Organization{created, described} {
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.Organization{}, types.PolicyTypeSummary{})); diff != "" {
				t.Errorf("organization (-want +got):\n%s", diff)
			}
		}
		roots := must(c.ListRoots(ctx, nil))(t).Roots
		if len(roots) != 1 || *roots[0].Name != "Root" || *roots[0].Arn != "arn:aws:organizations::123456789012:root/"+id+"/"+*roots[0].Id {
			t.Errorf("roots %+v", roots)
		}
		must(c.DeleteOrganization(ctx, nil))(t)
		if _, err := c.DescribeOrganization(ctx, nil); code(err) != "AWSOrganizationsNotInUseException" {
			t.Errorf("after deletion: %v", err)
		}
		billing := must(c.CreateOrganization(ctx, &sdk.CreateOrganizationInput{FeatureSet: "CONSOLIDATED_BILLING"}))(t).Organization
		if billing.FeatureSet != "CONSOLIDATED_BILLING" || len(billing.AvailablePolicyTypes) != 0 {
			t.Errorf("organization for billing only: %+v", billing)
		}
	})
}

func TestAccountsOnTheWire(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		_, c, id, root := newOrganization(t, db)
		ctx := t.Context()
		status := must(c.CreateAccount(ctx, &sdk.CreateAccountInput{AccountName: aws.String("production"), Email: aws.String("p@example.com")}))(t).CreateAccountStatus
		if status.State != "IN_PROGRESS" || status.AccountId != nil || status.CompletedTimestamp != nil {
			t.Errorf("first status %+v", status)
		}
		status = must(c.DescribeCreateAccountStatus(ctx, &sdk.DescribeCreateAccountStatusInput{CreateAccountRequestId: status.Id}))(t).CreateAccountStatus
		if status.State != "SUCCEEDED" || status.AccountId == nil || *status.AccountName != "production" || !status.CompletedTimestamp.Equal(storetest.Now()) {
			t.Fatalf("later status %+v", status)
		}
		member := status.AccountId
		unit := must(c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{ParentId: &root, Name: aws.String("Production")}))(t).OrganizationalUnit
		must(c.MoveAccount(ctx, &sdk.MoveAccountInput{AccountId: member, SourceParentId: &root, DestinationParentId: unit.Id}))(t)
		account := must(c.DescribeAccount(ctx, &sdk.DescribeAccountInput{AccountId: member}))(t).Account
		if diff := cmp.Diff(&types.Account{
			Id: member, Arn: aws.String("arn:aws:organizations::123456789012:account/" + id + "/" + *member),
			Name: aws.String("production"), Email: aws.String("p@example.com"), Status: "ACTIVE", State: "ACTIVE",
			Paths: []string{*unit.Path + *member + "/"}, JoinedMethod: "CREATED", JoinedTimestamp: aws.Time(storetest.Now()),
		}, account, cmpopts.IgnoreUnexported(types.Account{})); diff != "" {
			t.Errorf("account (-want +got):\n%s", diff)
		}
		inUnit := must(c.ListAccountsForParent(ctx, &sdk.ListAccountsForParentInput{ParentId: unit.Id}))(t).Accounts
		if len(inUnit) != 1 || *inUnit[0].Id != *member {
			t.Errorf("accounts of the unit: %+v", inUnit)
		}
		parents := must(c.ListParents(ctx, &sdk.ListParentsInput{ChildId: member}))(t).Parents
		if len(parents) != 1 || *parents[0].Id != *unit.Id || parents[0].Type != "ORGANIZATIONAL_UNIT" {
			t.Errorf("parents of the account: %+v", parents)
		}
		must(c.CloseAccount(ctx, &sdk.CloseAccountInput{AccountId: member}))(t)
		account = must(c.DescribeAccount(ctx, &sdk.DescribeAccountInput{AccountId: member}))(t).Account
		if account.Status != "SUSPENDED" || account.State != "CLOSED" {
			t.Errorf("closed account is %s, %s", account.Status, account.State)
		}
		must(c.RemoveAccountFromOrganization(ctx, &sdk.RemoveAccountFromOrganizationInput{AccountId: member}))(t)
		left := must(c.ListAccounts(ctx, nil))(t).Accounts
		if len(left) != 1 || *left[0].Id != management || left[0].JoinedMethod != "INVITED" {
			t.Errorf("accounts after the removal: %+v", left)
		}
	})
}

func TestUnitsOnTheWire(t *testing.T) {
	storetest.Run(t, func(t *testing.T, db *store.Store) {
		_, c, id, root := newOrganization(t, db)
		ctx := t.Context()
		unit := must(c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{
			ParentId: &root, Name: aws.String("Production"),
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
		}))(t).OrganizationalUnit
		if *unit.Arn != "arn:aws:organizations::123456789012:ou/"+id+"/"+*unit.Id || *unit.Path != id+"/"+root+"/"+*unit.Id+"/" {
			t.Errorf("unit %s, %s", *unit.Arn, *unit.Path)
		}
		parents := must(c.ListParents(ctx, &sdk.ListParentsInput{ChildId: unit.Id}))(t).Parents
		if len(parents) != 1 || *parents[0].Id != root || parents[0].Type != "ROOT" {
			t.Errorf("parents of the unit: %+v", parents)
		}
		for kind, want := range map[types.ChildType]string{"ACCOUNT": management, "ORGANIZATIONAL_UNIT": *unit.Id} {
			children := must(c.ListChildren(ctx, &sdk.ListChildrenInput{ParentId: &root, ChildType: kind}))(t).Children
			if len(children) != 1 || *children[0].Id != want || children[0].Type != kind {
				t.Errorf("children %s: %+v", kind, children)
			}
		}
		must(c.UpdateOrganizationalUnit(ctx, &sdk.UpdateOrganizationalUnitInput{OrganizationalUnitId: unit.Id, Name: aws.String("Live")}))(t)
		unchanged := must(c.UpdateOrganizationalUnit(ctx, &sdk.UpdateOrganizationalUnitInput{OrganizationalUnitId: unit.Id}))(t).OrganizationalUnit
		described := must(c.DescribeOrganizationalUnit(ctx, &sdk.DescribeOrganizationalUnitInput{OrganizationalUnitId: unit.Id}))(t).OrganizationalUnit
		units := must(c.ListOrganizationalUnitsForParent(ctx, &sdk.ListOrganizationalUnitsForParentInput{ParentId: &root}))(t).OrganizationalUnits
		if *unchanged.Name != "Live" || *described.Name != "Live" || len(units) != 1 || *units[0].Name != "Live" {
			t.Errorf("renamed %q, then %q, listed %+v", *unchanged.Name, *described.Name, units)
		}
		must(c.TagResource(ctx, &sdk.TagResourceInput{ResourceId: unit.Id, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("")}}}))(t)
		must(c.UntagResource(ctx, &sdk.UntagResourceInput{ResourceId: unit.Id, TagKeys: []string{"team"}}))(t)
		tags := must(c.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceId: unit.Id}))(t).Tags
		if len(tags) != 1 || *tags[0].Key != "a" || *tags[0].Value != "" {
			t.Errorf("tags %+v", tags)
		}
		must(c.DeleteOrganizationalUnit(ctx, &sdk.DeleteOrganizationalUnitInput{OrganizationalUnitId: unit.Id}))(t)
		if units := must(c.ListOrganizationalUnitsForParent(ctx, &sdk.ListOrganizationalUnitsForParentInput{ParentId: &root}))(t).OrganizationalUnits; len(units) != 0 {
			t.Errorf("units after the deletion: %+v", units)
		}
	})
}

func TestDelegatedAdministration(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{}))
	c, ctx := s.as(management), t.Context()
	must(c.CreateOrganization(ctx, nil))(t)
	member := s.member(c, "member")
	sso := aws.String("sso.amazonaws.com")
	must(c.EnableAWSServiceAccess(ctx, &sdk.EnableAWSServiceAccessInput{ServicePrincipal: sso}))(t)
	enabled := must(c.ListAWSServiceAccessForOrganization(ctx, nil))(t).EnabledServicePrincipals
	if len(enabled) != 1 || *enabled[0].ServicePrincipal != *sso || !enabled[0].DateEnabled.Equal(storetest.Now()) {
		t.Errorf("enabled services %+v", enabled)
	}
	must(c.RegisterDelegatedAdministrator(ctx, &sdk.RegisterDelegatedAdministratorInput{AccountId: &member, ServicePrincipal: sso}))(t)
	// The delegated administrator may look, and not touch.
	d := s.as(member)
	admins := must(d.ListDelegatedAdministrators(ctx, &sdk.ListDelegatedAdministratorsInput{ServicePrincipal: sso}))(t).DelegatedAdministrators
	if len(admins) != 1 || *admins[0].Id != member || *admins[0].Name != "member" || admins[0].State != "ACTIVE" || !admins[0].DelegationEnabledDate.Equal(storetest.Now()) {
		t.Errorf("administrators %+v", admins)
	}
	services := must(d.ListDelegatedServicesForAccount(ctx, &sdk.ListDelegatedServicesForAccountInput{AccountId: &member}))(t).DelegatedServices
	if len(services) != 1 || *services[0].ServicePrincipal != *sso {
		t.Errorf("services %+v", services)
	}
	if _, err := d.DeregisterDelegatedAdministrator(ctx, &sdk.DeregisterDelegatedAdministratorInput{AccountId: &member, ServicePrincipal: sso}); code(err) != "AccessDeniedException" {
		t.Errorf("deregistering oneself: %v", err)
	}
	must(c.DeregisterDelegatedAdministrator(ctx, &sdk.DeregisterDelegatedAdministratorInput{AccountId: &member, ServicePrincipal: sso}))(t)
	if _, err := d.ListDelegatedAdministrators(ctx, nil); code(err) != "AccessDeniedException" {
		t.Errorf("looking when no longer administrator: %v", err)
	}
	must(c.DisableAWSServiceAccess(ctx, &sdk.DisableAWSServiceAccessInput{ServicePrincipal: sso}))(t)
}

// member creates an account and returns its id.
func (s *server) member(c *sdk.Client, name string) string {
	s.t.Helper()
	r := must(c.CreateAccount(s.t.Context(), &sdk.CreateAccountInput{AccountName: &name, Email: aws.String(name + "@example.com")}))(s.t)
	done := must(c.DescribeCreateAccountStatus(s.t.Context(), &sdk.DescribeCreateAccountStatusInput{CreateAccountRequestId: r.CreateAccountStatus.Id}))(s.t)
	return *done.CreateAccountStatus.AccountId
}

func TestErrorsOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{}))
	c, ctx := s.as(management), t.Context()
	must(c.CreateOrganization(ctx, nil))(t)
	root := must(c.ListRoots(ctx, nil))(t).Roots[0].Id
	member, closed := s.member(c, "member"), s.member(c, "closed")
	must(c.CloseAccount(ctx, &sdk.CloseAccountInput{AccountId: &closed}))(t)
	unit := must(c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("Unit")}))(t).OrganizationalUnit
	must(c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{ParentId: unit.Id, Name: aws.String("Inner")}))(t)
	none, noUnit, sso := aws.String("000000000000"), aws.String("ou-none-00000000"), aws.String("sso.amazonaws.com")
	failed := must(c.CreateAccount(ctx, &sdk.CreateAccountInput{AccountName: aws.String("x"), Email: aws.String("member@example.com")}))(t).CreateAccountStatus
	list := must(c.ListCreateAccountStatus(ctx, &sdk.ListCreateAccountStatusInput{States: []types.CreateAccountState{"FAILED"}}))(t).CreateAccountStatuses
	if len(list) != 1 || *list[0].Id != *failed.Id || list[0].FailureReason != "EMAIL_ALREADY_EXISTS" {
		t.Errorf("failed requests %+v", list)
	}
	for _, test := range []struct {
		name string
		do   func() error
		want string
	}{
		{"create a second organization", func() error { _, err := c.CreateOrganization(ctx, nil); return err }, "AlreadyInOrganizationException"},
		{"delete with members", func() error { _, err := c.DeleteOrganization(ctx, nil); return err }, "OrganizationNotEmptyException"},
		{"from outside", func() error { _, err := s.as(outsider).ListAccounts(ctx, nil); return err }, "AWSOrganizationsNotInUseException"},
		{"describe from a member", func() error { _, err := s.as(member).DescribeOrganization(ctx, nil); return err }, "ok"},
		{"list from a member", func() error { _, err := s.as(member).ListAccounts(ctx, nil); return err }, "AccessDeniedException"},
		{"tag from a member", func() error {
			_, err := s.as(member).TagResource(ctx, &sdk.TagResourceInput{ResourceId: &member, Tags: []types.Tag{}})
			return err
		}, "AccessDeniedException"},
		{"unknown parent", func() error {
			_, err := c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{ParentId: noUnit, Name: aws.String("x")})
			return err
		}, "ParentNotFoundException"},
		{"unit with a used name", func() error {
			_, err := c.CreateOrganizationalUnit(ctx, &sdk.CreateOrganizationalUnitInput{ParentId: root, Name: aws.String("Unit")})
			return err
		}, "DuplicateOrganizationalUnitException"},
		{"unknown unit", func() error {
			_, err := c.DescribeOrganizationalUnit(ctx, &sdk.DescribeOrganizationalUnitInput{OrganizationalUnitId: noUnit})
			return err
		}, "OrganizationalUnitNotFoundException"},
		{"delete a unit that is not empty", func() error {
			_, err := c.DeleteOrganizationalUnit(ctx, &sdk.DeleteOrganizationalUnitInput{OrganizationalUnitId: unit.Id})
			return err
		}, "OrganizationalUnitNotEmptyException"},
		{"unknown account", func() error {
			_, err := c.DescribeAccount(ctx, &sdk.DescribeAccountInput{AccountId: none})
			return err
		}, "AccountNotFoundException"},
		{"unknown child", func() error {
			_, err := c.ListParents(ctx, &sdk.ListParentsInput{ChildId: none})
			return err
		}, "ChildNotFoundException"},
		{"unknown request", func() error {
			_, err := c.DescribeCreateAccountStatus(ctx, &sdk.DescribeCreateAccountStatusInput{CreateAccountRequestId: aws.String("car-00000000")})
			return err
		}, "CreateAccountStatusNotFoundException"},
		{"unknown source", func() error {
			_, err := c.MoveAccount(ctx, &sdk.MoveAccountInput{AccountId: &member, SourceParentId: noUnit, DestinationParentId: unit.Id})
			return err
		}, "SourceParentNotFoundException"},
		{"unknown destination", func() error {
			_, err := c.MoveAccount(ctx, &sdk.MoveAccountInput{AccountId: &member, SourceParentId: root, DestinationParentId: noUnit})
			return err
		}, "DestinationParentNotFoundException"},
		{"move to where it is", func() error {
			_, err := c.MoveAccount(ctx, &sdk.MoveAccountInput{AccountId: &member, SourceParentId: root, DestinationParentId: root})
			return err
		}, "DuplicateAccountException"},
		{"close twice", func() error {
			_, err := c.CloseAccount(ctx, &sdk.CloseAccountInput{AccountId: &closed})
			return err
		}, "AccountAlreadyClosedException"},
		{"close the management account", func() error {
			_, err := c.CloseAccount(ctx, &sdk.CloseAccountInput{AccountId: aws.String(management)})
			return err
		}, "ConstraintViolationException CANNOT_CLOSE_MANAGEMENT_ACCOUNT"},
		{"remove the management account", func() error {
			_, err := c.RemoveAccountFromOrganization(ctx, &sdk.RemoveAccountFromOrganizationInput{AccountId: aws.String(management)})
			return err
		}, "MasterCannotLeaveOrganizationException"},
		{"register without service access", func() error {
			_, err := c.RegisterDelegatedAdministrator(ctx, &sdk.RegisterDelegatedAdministratorInput{AccountId: &member, ServicePrincipal: sso})
			return err
		}, "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED"},
		{"deregister one that is not registered", func() error {
			_, err := c.DeregisterDelegatedAdministrator(ctx, &sdk.DeregisterDelegatedAdministratorInput{AccountId: &member, ServicePrincipal: sso})
			return err
		}, "AccountNotRegisteredException"},
		{"no service", func() error {
			_, err := c.EnableAWSServiceAccess(ctx, &sdk.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("sso")})
			return err
		}, "InvalidInputException UNRECOGNIZED_SERVICE_PRINCIPAL"},
		{"tags of nothing", func() error {
			_, err := c.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceId: none})
			return err
		}, "TargetNotFoundException"},
		{"malformed account id", func() error {
			_, err := c.DescribeAccount(ctx, &sdk.DescribeAccountInput{AccountId: aws.String("12")})
			return err
		}, "InvalidInputException INVALID_PATTERN"},
	} {
		if got := code(test.do()); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestPagesOnTheWire(t *testing.T) {
	s := newServer(t, storetest.Open(t, store.Config{}))
	c, ctx := s.as(management), t.Context()
	must(c.CreateOrganization(ctx, nil))(t)
	want := []string{management}
	for i := range 24 {
		want = append(want, s.member(c, "member"+strconv.Itoa(i)))
	}
	slices.Sort(want)
	for _, limit := range []int32{0, 1, 7, 20} {
		var got []string
		pages := sdk.NewListAccountsPaginator(c, &sdk.ListAccountsInput{}, func(o *sdk.ListAccountsPaginatorOptions) { o.Limit = limit })
		for pages.HasMorePages() {
			page := must(pages.NextPage(ctx))(t)
			if most := max(int(limit), 1); limit > 0 && len(page.Accounts) > most || len(page.Accounts) > 20 {
				t.Errorf("a page of %d with limit %d", len(page.Accounts), limit)
			}
			for _, a := range page.Accounts {
				got = append(got, *a.Id)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("accounts by %d (-want +got):\n%s", limit, diff)
		}
	}
	// A token is good for its own operation only.
	token := must(c.ListAccounts(ctx, &sdk.ListAccountsInput{MaxResults: aws.Int32(1)}))(t).NextToken
	for name, err := range map[string]error{
		"another operation": second(c.ListCreateAccountStatus(ctx, &sdk.ListCreateAccountStatusInput{NextToken: token})),
		"a listing of one":  second(c.ListRoots(ctx, &sdk.ListRootsInput{NextToken: token})),
		"an invented token": second(c.ListAccounts(ctx, &sdk.ListAccountsInput{NextToken: aws.String("x")})),
	} {
		if got := code(err); got != "InvalidInputException INVALID_NEXT_TOKEN" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func second[T any](_ T, err error) error { return err }
