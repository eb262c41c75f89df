package sdk

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/atrium-iam/atrium/test/node"
)

// identities asks who one is, as every caller, also those who may do nothing.
func identities(t *testing.T, w *world) {
	ctx := t.Context()
	for _, c := range []*node.Caller{w.Admin, w.Member, w.Delegated, w.Powerless, w.Forbidden, w.Outsider} {
		got := must(c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).or(t)
		same(t, "account", *got.Account, c.Account)
		same(t, "ARN", *got.Arn, c.ARN)
		matches(t, "user id", got.UserId, `AIDA[A-Z2-7]{17}`)
		matches(t, "ARN", got.Arn, `arn:aws:iam::\d{12}:user/[\w-]+`)
	}
	for _, c := range []*node.Caller{w.Member, w.Outsider} {
		got := must(w.Admin.STS.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &c.KeyID})).or(t)
		same(t, "account of the key", *got.Account, c.Account)
	}
	_, err := w.Admin.STS.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: new("AKIA0000000000000000")})
	refusedAs(t, "no access key", err, "ValidationError")
	_, err = w.Powerless.STS.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &w.Member.KeyID})
	refusedAs(t, "without permission", err, "AccessDenied")
}

// sessions opens sessions, uses their credentials, and misuses them.
func sessions(t *testing.T, w *world) {
	ctx := t.Context()
	own := must(w.Admin.STS.GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: new(int32(900))})).or(t).Credentials
	matches(t, "key id", own.AccessKeyId, `ASIA[A-Z2-7]{16}`)
	if left := own.Expiration.Sub(w.Clock.Now()); left < 14*time.Minute || left > 15*time.Minute {
		t.Errorf("the session ends in %v, want 15 minutes", left)
	}
	mine := w.Session(t, *own.AccessKeyId, *own.SecretAccessKey, *own.SessionToken)
	same(t, "who has the session", *must(mine.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).or(t).Arn, w.Admin.ARN)
	must(mine.SSOAdmin.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: w.instance})).or(t)

	account := must(w.Admin.Organizations.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: new("Lab"), Email: new("lab@example.com")})).or(t)
	status := must(w.Admin.Organizations.DescribeCreateAccountStatus(ctx, &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: account.CreateAccountStatus.Id})).or(t)
	id := *status.CreateAccountStatus.AccountId
	assume := &sts.AssumeRoleInput{RoleArn: new("arn:aws:iam::" + id + ":role/OrganizationAccountAccessRole"), RoleSessionName: new("visit")}
	out := must(w.Admin.STS.AssumeRole(ctx, assume)).or(t)
	arn := "arn:aws:sts::" + id + ":assumed-role/OrganizationAccountAccessRole/visit"
	same(t, "assumed role", *out.AssumedRoleUser.Arn, arn)
	matches(t, "assumed role id", out.AssumedRoleUser.AssumedRoleId, `AROA[A-Z2-7]{17}:visit`)
	theirs := w.Session(t, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	got := must(theirs.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).or(t)
	same(t, "who has the role", []string{*got.Arn, *got.Account, *got.UserId}, []string{arn, id, *out.AssumedRoleUser.AssumedRoleId})
	_, err := theirs.SSOAdmin.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: w.instance})
	refusedAs(t, "an administrator of a member account", err, "AccessDeniedException")
	for what, c := range map[string]*node.Caller{"another member": w.Member, "an account outside": w.Outsider, "without policy": w.Powerless, "forbidden": w.Forbidden} {
		_, err := c.STS.AssumeRole(ctx, assume)
		refusedAs(t, "the role for "+what, err, "AccessDenied")
	}

	for what, c := range map[string]*node.Caller{
		"the token of another session": w.Session(t, mine.KeyID, mine.Secret, theirs.Token),
		"the key of another session":   w.Session(t, theirs.KeyID, mine.Secret, mine.Token),
		"no token":                     w.Session(t, mine.KeyID, mine.Secret, ""),
		"a token that was changed":     w.Session(t, mine.KeyID, mine.Secret, mine.Token[:len(mine.Token)-6]+"AAAAAA"),
		"a long-term key with a token": w.Session(t, w.Admin.KeyID, w.Admin.Secret, mine.Token),
	} {
		_, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		refusedAs(t, what, err, "InvalidClientTokenId")
	}
	w.Clock.Advance(14 * time.Minute)
	late := node.Call{Method: "GET", Target: "/?Action=GetCallerIdentity&Version=2011-06-15", Service: "sts"}
	same(t, "after 14 minutes", w.Send(t, mine, late).Status, 200)
	w.Clock.Advance(2 * time.Minute)
	same(t, "after 16 minutes", w.Send(t, mine, late).Code, "ExpiredToken")
}
