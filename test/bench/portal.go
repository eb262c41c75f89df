package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// The organization that assignments and the portal's API are measured on. Each
// person is in one group, and each group has a role in some of the accounts:
// that is a million ways of a person to an account. The sample's administrator
// is in all of the groups, sam.lee in one that has a role in every account.
const (
	scaleAccounts = 1_000
	scaleGroups   = 500
	scalePeople   = 10_000
	scaleAccess   = 100 // accounts of a group
	scaleSets     = 10  // permission sets
)

// The rows that portals measures.
const (
	assignRow       = "4 CreateAccountAssignment until SUCCEEDED"
	manyGroupsRow   = "5 GetRoleCredentials, of a person in 500 groups"
	oneGroupRow     = "5 GetRoleCredentials, of a person in one group"
	accountsRow     = "6 ListAccounts(100), 1,000 accounts"
	lastAccountsRow = "6 ListAccounts(100), 1,000 accounts, last page"
	accountsManyRow = "6 ListAccounts(100), 1,000 accounts through 500 groups"
	lastManyRow     = "6 ListAccounts(100), 1,000 accounts through 500 groups, last page"
	rolesRow        = "6 ListAccountRoles"
	rolesManyRow    = "6 ListAccountRoles through 500 groups"
)

// portals measures assignments and the portal's API, on a new node.
func (b *bencher) portals(ctx context.Context) error {
	wanted := false
	for _, row := range []string{assignRow, manyGroupsRow, oneGroupRow, accountsRow, lastAccountsRow, accountsManyRow, lastManyRow, rolesRow, rolesManyRow} {
		wanted = wanted || b.measures(row)
	}
	if !wanted {
		return nil
	}
	if err := b.portal(ctx, "portal", engine{}); err != nil || b.postgres == "" {
		return err
	}
	e, drop, err := newPostgres(ctx, b.postgres)
	if err != nil {
		return err
	}
	defer drop()
	return b.portal(ctx, "portal-postgres", e)
}

func (b *bencher) portal(ctx context.Context, name string, e engine) error {
	dir := filepath.Join(b.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	node, err := startAtrium(ctx, b.atrium, dir, e)
	if err != nil {
		return err
	}
	defer node.stop()
	admin, credentials, err := administratorRole(ctx, node, dir)
	if err != nil {
		return err
	}
	sam, err := accessToken(ctx, node, dir, "sam.lee")
	if err != nil {
		return err
	}
	node.server.Credentials = credentials
	o := &organization{identityStore: identityStore{node: node}}
	if err := o.create(ctx); err != nil {
		return fmt.Errorf("making the organization: %w", err)
	}
	printHead(fmt.Sprintf("assignments and the portal's API, %s", e))
	if b.measures(assignRow) {
		if err := b.alone(ctx, node, assignRow, o.assign(o.any, o.succeeded), "goal: p99 < 250 ms"); err != nil {
			return err
		}
	}
	if err := o.fill(ctx); err != nil {
		return fmt.Errorf("assigning: %w", err)
	}
	return b.portalRows(ctx, node, o, sam, admin)
}

// portalRows measures the portal's API for sam, who has one group, and admin,
// who has them all.
func (b *bencher) portalRows(ctx context.Context, node *process, o *organization, sam, admin string) error {
	get := func(token, path string) loadgen.Call { return loadgen.Get(path, portalToken, token) }
	const accounts = "/assignment/accounts?max_result=100"
	last, err := o.lastAccounts(ctx, sam, accounts)
	if err != nil {
		return err
	}
	lastMany, err := o.lastAccounts(ctx, admin, accounts)
	if err != nil {
		return err
	}
	account := o.accounts[len(o.accounts)/2]
	role := "/federation/credentials?account_id=" + account + "&role_name=" + setName(0)
	for _, row := range []struct {
		name, goal string
		call       loadgen.Call
	}{
		{oneGroupRow, "", get(sam, role)},
		{manyGroupsRow, "", get(admin, role)},
		{accountsRow, "goal at 8: p99 < 10 ms", get(sam, accounts)},
		{lastAccountsRow, "goal at 8: p99 < 10 ms", get(sam, last)},
		{accountsManyRow, "goal at 8: p99 < 10 ms", get(admin, accounts)},
		{lastManyRow, "goal at 8: p99 < 10 ms", get(admin, lastMany)},
		{rolesRow, "goal at 8: p99 < 10 ms", get(sam, "/assignment/roles?account_id="+account)},
		{rolesManyRow, "goal at 8: p99 < 10 ms", get(admin, "/assignment/roles?account_id="+account)},
	} {
		if !b.measures(row.name) {
			continue
		}
		if row.goal == "" {
			_, err = b.compare(ctx, row.name, node, row.call)
		} else {
			err = b.alone(ctx, node, row.name, row.call, row.goal)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alone measures a row of which the time counts, not the rate.
func (b *bencher) alone(ctx context.Context, node *process, row string, call loadgen.Call, goal string) error {
	for _, clients := range b.clients {
		got, err := b.measure(ctx, clients, contender{node, call})
		if err != nil {
			return err
		}
		printRow(row, clients, node.name, got[0], goal)
	}
	return nil
}

// organization is what the node holds.
type organization struct {
	identityStore
	instance string // ARN
	accounts []string
	groups   []string
	sets     []string // ARNs of permission sets
}

func setName(n int64) string { return fmt.Sprintf("Scale-%d", n) }

// create makes accounts, permission sets, groups and people.
func (o *organization) create(ctx context.Context) error {
	if err := o.find(ctx); err != nil {
		return err
	}
	listInstances := loadgen.JSON("sso", "SWBExternalService.ListInstances", func(int64) []byte { return []byte("{}") })
	var instances struct {
		Instances []struct{ InstanceArn string }
	}
	if err := o.once(ctx, listInstances, func(body []byte) error { return json.Unmarshal(body, &instances) }); err != nil {
		return err
	}
	o.instance = instances.Instances[0].InstanceArn
	err := o.many(ctx, scaleAccounts, accountCreated, "organizations", "AWSOrganizationsV20161128.CreateAccount", &o.accounts, func(n int64) any {
		return map[string]string{"AccountName": fmt.Sprintf("scale-%d", n), "Email": fmt.Sprintf("scale-%d@example.com", n)}
	}, func(a made) string { return a.CreateAccountStatus.AccountId })
	if err != nil {
		return err
	}
	err = o.many(ctx, scaleSets, nil, "sso", "SWBExternalService.CreatePermissionSet", &o.sets, func(n int64) any {
		return map[string]string{"InstanceArn": o.instance, "Name": setName(n)}
	}, func(a made) string { return a.PermissionSet.PermissionSetArn })
	if err != nil {
		return err
	}
	err = o.many(ctx, scaleGroups+1, nil, "identitystore", "AWSIdentityStore.CreateGroup", &o.groups, func(n int64) any {
		return map[string]string{"IdentityStoreId": o.id, "DisplayName": fmt.Sprintf("Scale %d", n)}
	}, func(a made) string { return a.GroupId })
	if err != nil {
		return err
	}
	if err := o.seed(ctx, scalePeople); err != nil {
		return err
	}
	return o.join(ctx)
}

// join makes everybody a member of their groups.
func (o *organization) join(ctx context.Context) error {
	people := map[string]string{}
	for _, name := range []string{"admin", "sam.lee"} {
		call := loadgen.JSON("identitystore", "AWSIdentityStore.GetUserId", func(int64) []byte {
			return encode(map[string]any{"IdentityStoreId": o.id, "AlternateIdentifier": map[string]any{
				"UniqueAttribute": map[string]string{"AttributePath": "userName", "AttributeValue": name},
			}})
		})
		err := o.once(ctx, call, func(body []byte) error {
			var out struct{ UserId string }
			err := json.Unmarshal(body, &out)
			people[name] = out.UserId
			return err
		})
		if err != nil {
			return err
		}
	}
	var memberships []string
	return o.many(ctx, scalePeople+scaleGroups+1, nil, "identitystore", "AWSIdentityStore.CreateGroupMembership", &memberships, func(n int64) any {
		user, group := people["sam.lee"], o.groups[scaleGroups]
		switch {
		case n < scalePeople:
			user, group = o.users[n].id, o.groups[n%scaleGroups]
		case n < scalePeople+scaleGroups:
			user, group = people["admin"], o.groups[n-scalePeople]
		}
		return map[string]any{"IdentityStoreId": o.id, "GroupId": group, "MemberId": map[string]string{"UserId": user}}
	}, func(a made) string { return a.MembershipId })
}

// made is what answers to creations tell.
type made struct {
	GroupId, MembershipId string
	CreateAccountStatus   struct{ Id, AccountId string }
	PermissionSet         struct{ PermissionSetArn string }
}

// following tells which call comes after an answer: see loadgen.Call.Then.
type following func(body []byte) (*loadgen.Call, error)

// accountCreated asks what became of the request for an account.
func accountCreated(body []byte) (*loadgen.Call, error) {
	var a made
	if err := json.Unmarshal(body, &a); err != nil || a.CreateAccountStatus.AccountId != "" {
		return nil, err
	}
	ask := loadgen.JSON("organizations", "AWSOrganizationsV20161128.DescribeCreateAccountStatus", func(int64) []byte {
		return encode(map[string]string{"CreateAccountRequestId": a.CreateAccountStatus.Id})
	})
	return &ask, nil
}

// many makes count things side by side, and puts their ids into list, that of
// input(n) at n.
func (o *organization) many(ctx context.Context, count int64, next following, service, target string, list *[]string, input func(n int64) any, id func(made) string) error {
	*list = make([]string, count)
	call := loadgen.JSON(service, target, func(n int64) []byte { return encode(input(n)) }).Checked(func(n int64, body []byte) error {
		var a made
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		if (*list)[n] = id(a); (*list)[n] == "" {
			return fmt.Errorf("%s gave no id: %.200s", target, body)
		}
		return nil
	})
	if next != nil {
		call = call.Then(next)
	}
	got, err := loadgen.Run(ctx, o.node.server, call, loadgen.Load{Clients: seedClients, Count: count})
	if err == nil && got.Errors() > 0 {
		err = fmt.Errorf("%s failed %d times: %w", target, got.Errors(), got.FirstError)
	}
	return err
}

// assignment is one of the organization.
type assignment struct{ account, set, group int64 }

// any is the n-th assignment for the row about them: most of the first ten
// thousand provision a role.
func (o *organization) any(n int64) assignment {
	return assignment{account: n % scaleAccounts, set: n / scaleAccounts % scaleSets, group: n / (scaleAccounts * scaleSets) % scaleGroups}
}

// regular is the n-th assignment of those that there are in the end.
func regular(n int64) assignment {
	if n < scaleAccounts {
		return assignment{account: n, group: scaleGroups}
	}
	n -= scaleAccounts
	group := n / scaleAccess
	return assignment{account: (group*scaleAccess/2 + n%scaleAccess) % scaleAccounts, group: group}
}

func (o *organization) assign(nth func(int64) assignment, next following) loadgen.Call {
	return loadgen.JSON("sso", "SWBExternalService.CreateAccountAssignment", func(n int64) []byte {
		a := nth(n)
		return encode(map[string]string{
			"InstanceArn": o.instance, "PermissionSetArn": o.sets[a.set], "TargetId": o.accounts[a.account], "TargetType": "AWS_ACCOUNT",
			"PrincipalId": o.groups[a.group], "PrincipalType": "GROUP",
		})
	}).Then(next)
}

// succeeded asks for the status of a request until it has succeeded.
func (o *organization) succeeded(body []byte) (*loadgen.Call, error) {
	var out struct {
		AccountAssignmentCreationStatus struct{ RequestId, Status, FailureReason string }
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return nil, err
	}
	switch s := out.AccountAssignmentCreationStatus; s.Status {
	case "SUCCEEDED":
		return nil, nil
	case "IN_PROGRESS":
		ask := loadgen.JSON("sso", "SWBExternalService.DescribeAccountAssignmentCreationStatus", func(int64) []byte {
			return encode(map[string]string{"InstanceArn": o.instance, "AccountAssignmentCreationRequestId": s.RequestId})
		})
		return &ask, nil
	default:
		return nil, errors.New(s.Status + ": " + s.FailureReason)
	}
}

// fill assigns every group to its accounts.
func (o *organization) fill(ctx context.Context) error {
	load := loadgen.Load{Clients: seedClients, Count: scaleAccounts + scaleGroups*scaleAccess}
	got, err := loadgen.Run(ctx, o.node.server, o.assign(regular, func([]byte) (*loadgen.Call, error) { return nil, nil }), load)
	if err == nil && got.Errors() > 0 {
		err = fmt.Errorf("%d failed: %w", got.Errors(), got.FirstError)
	}
	return err
}

// lastAccounts walks the pages of a person's accounts, holds that there are as
// many as there have to be, and returns the path of the last page.
func (o *organization) lastAccounts(ctx context.Context, token, first string) (string, error) {
	path, total := first, 0
	for {
		var out struct {
			NextToken   string
			AccountList []struct{ AccountId string }
		}
		err := o.once(ctx, loadgen.Get(path, portalToken, token), func(body []byte) error { return json.Unmarshal(body, &out) })
		if err != nil {
			return "", err
		}
		total += len(out.AccountList)
		if out.NextToken == "" {
			break
		}
		path = first + "&next_token=" + out.NextToken
	}
	if total < scaleAccounts {
		return "", fmt.Errorf("the person has %d accounts, want %d", total, scaleAccounts)
	}
	return path, nil
}
