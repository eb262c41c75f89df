package sdk

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// set makes a permission set and returns its ARN.
func (w *world) set(t *testing.T, name string) *string {
	t.Helper()
	return must(w.Admin.SSOAdmin.CreatePermissionSet(t.Context(), &ssoadmin.CreatePermissionSetInput{
		InstanceArn: w.instance, Name: &name,
	})).or(t).PermissionSet.PermissionSetArn
}

// permissionSets creates, describes, changes, lists and deletes permission sets.
func permissionSets(t *testing.T, w *world) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	made := must(c.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{
		InstanceArn: w.instance, Name: new("Full_Set=1+,.@-"), Description: new("What it is for"), SessionDuration: new("PT2H30M"),
		RelayState: new("https://console.example/s3"), Tags: []types.Tag{{Key: new("team"), Value: new("blue")}},
	})).or(t).PermissionSet
	matches(t, "ARN", made.PermissionSetArn, `arn:aws:sso:::permissionSet/`+w.Instance.ID+`/ps-[0-9a-f]{16}`)
	recent(t, "CreatedDate", made.CreatedDate)
	describe := func(arn *string) *types.PermissionSet {
		return must(c.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: arn})).or(t).PermissionSet
	}
	want := &types.PermissionSet{
		Name: new("Full_Set=1+,.@-"), PermissionSetArn: made.PermissionSetArn, Description: new("What it is for"),
		SessionDuration: new("PT2H30M"), RelayState: new("https://console.example/s3"), CreatedDate: made.CreatedDate,
	}
	same(t, "as created", made, want)
	same(t, "as described", describe(made.PermissionSetArn), want)
	small := w.set(t, "Small")
	same(t, "session duration when none is given", describe(small).SessionDuration, new("PT1H"))
	_, err := c.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: w.instance, Name: new("Small")})
	refusedAs(t, "the same name", err, "ConflictException")
	for _, duration := range []string{"PT59M", "PT13H", "P1D", "1h"} {
		_, err := c.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: w.instance, Name: new("Odd"), SessionDuration: &duration})
		refusedAs(t, duration, err, "ValidationException")
	}
	must(c.UpdatePermissionSet(ctx, &ssoadmin.UpdatePermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: small, Description: new("Other"), SessionDuration: new("PT12H"), RelayState: new("https://a.example"),
	})).or(t)
	got := describe(small)
	same(t, "after the update", []*string{got.Description, got.SessionDuration, got.RelayState, got.Name},
		[]*string{new("Other"), new("PT12H"), new("https://a.example"), new("Small")})

	all := map[string]bool{*made.PermissionSetArn: true, *small: true}
	list := func(size int32) map[string]bool {
		listed := map[string]bool{}
		for _, arn := range pages(t, int(size), func(token *string) ([]string, *string, error) {
			out, err := c.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: w.instance, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.PermissionSets, out.NextToken, nil
		}) {
			listed[arn] = true
		}
		return listed
	}
	for i := range 4 {
		all[*w.set(t, fmt.Sprintf("Set%d", i))] = true
	}
	got3, got100 := list(3), list(100)
	same(t, "two ways to list", got3, got100)
	for arn := range all {
		if !got3[arn] {
			t.Errorf("%s is not listed", arn)
		}
	}
	same(t, "number of permission sets", len(got3), len(all)+3) // with the sample's

	must(c.DeletePermissionSet(ctx, &ssoadmin.DeletePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: small})).or(t)
	_, err = c.DeletePermissionSet(ctx, &ssoadmin.DeletePermissionSetInput{InstanceArn: w.instance, PermissionSetArn: small})
	refusedAs(t, "delete twice", err, "ResourceNotFoundException")
	if again := w.set(t, "Small"); *again == *small {
		t.Error("the id of a deleted permission set was used again")
	}
}

// permissionSetPolicies attaches every kind of policy and takes it away.
func permissionSetPolicies(t *testing.T, w *world) {
	c, ctx, set := w.Admin.SSOAdmin, t.Context(), w.set(t, "Set")
	const readOnly, viewOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
	attach := func(arn string) error {
		_, err := c.AttachManagedPolicyToPermissionSet(ctx, &ssoadmin.AttachManagedPolicyToPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: &arn})
		return err
	}
	detach := func(arn string) error {
		_, err := c.DetachManagedPolicyFromPermissionSet(ctx, &ssoadmin.DetachManagedPolicyFromPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, ManagedPolicyArn: &arn})
		return err
	}
	attached := func() []string {
		return pages(t, 1, func(token *string) ([]string, *string, error) {
			out, err := c.ListManagedPoliciesInPermissionSet(ctx, &ssoadmin.ListManagedPoliciesInPermissionSetInput{
				InstanceArn: w.instance, PermissionSetArn: set, MaxResults: new(int32(1)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return each(out.AttachedManagedPolicies, func(p types.AttachedManagedPolicy) string { return *p.Name + " " + *p.Arn }), out.NextToken, nil
		})
	}
	refusedAs(t, "attach", attach(readOnly), "")
	refusedAs(t, "attach another", attach(viewOnly), "")
	refusedAs(t, "attach again", attach(readOnly), "ConflictException")
	refusedAs(t, "attach what does not exist", attach("arn:aws:iam::aws:policy/NoSuchPolicy"), "ResourceNotFoundException")
	same(t, "attached", attached(), []string{"ReadOnlyAccess " + readOnly, "ViewOnlyAccess " + viewOnly})
	refusedAs(t, "detach", detach(readOnly), "")
	refusedAs(t, "detach again", detach(readOnly), "ResourceNotFoundException")
	same(t, "attached", attached(), []string{"ViewOnlyAccess " + viewOnly})

	reference := func(path, name string) *types.CustomerManagedPolicyReference {
		return &types.CustomerManagedPolicyReference{Path: &path, Name: &name}
	}
	for _, ref := range []*types.CustomerManagedPolicyReference{reference("/", "own"), reference("/a/b/", "own"), {Name: new("bare")}} {
		must(c.AttachCustomerManagedPolicyReferenceToPermissionSet(ctx, &ssoadmin.AttachCustomerManagedPolicyReferenceToPermissionSetInput{
			InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: ref,
		})).or(t)
	}
	_, err := c.AttachCustomerManagedPolicyReferenceToPermissionSet(ctx, &ssoadmin.AttachCustomerManagedPolicyReferenceToPermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: reference("/", "bare"),
	})
	refusedAs(t, "attach a reference again", err, "ConflictException")
	must(c.DetachCustomerManagedPolicyReferenceFromPermissionSet(ctx, &ssoadmin.DetachCustomerManagedPolicyReferenceFromPermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: set, CustomerManagedPolicyReference: reference("/", "own"),
	})).or(t)
	same(t, "references", pages(t, 1, func(token *string) ([]string, *string, error) {
		out, err := c.ListCustomerManagedPolicyReferencesInPermissionSet(ctx, &ssoadmin.ListCustomerManagedPolicyReferencesInPermissionSetInput{
			InstanceArn: w.instance, PermissionSetArn: set, MaxResults: new(int32(1)), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return each(out.CustomerManagedPolicyReferences, func(r types.CustomerManagedPolicyReference) string { return *r.Path + *r.Name }), out.NextToken, nil
	}), []string{"/bare", "/a/b/own"})

	inlinePolicy(t, w, set)
	boundary(t, w, set)
}

func inlinePolicy(t *testing.T, w *world, set *string) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	get := func() string {
		return *must(c.GetInlinePolicyForPermissionSet(ctx, &ssoadmin.GetInlinePolicyForPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})).or(t).InlinePolicy
	}
	put := func(document string) error {
		_, err := c.PutInlinePolicyToPermissionSet(ctx, &ssoadmin.PutInlinePolicyToPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, InlinePolicy: &document})
		return err
	}
	same(t, "no inline policy", get(), "")
	document := "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\", \"Action\": \"s3:Get*\", \"Resource\": \"*\"}\n}"
	refusedAs(t, "put", put(document), "")
	same(t, "the policy as it was put", get(), document)
	for what, bad := range map[string]string{
		"no JSON": "nonsense", "no statement": `{"Version":"2012-10-17"}`, "an unknown effect": `{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}`,
		"a principal": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	} {
		refusedAs(t, what, put(bad), "ValidationException")
	}
	same(t, "the policy after refusals", get(), document)
	must(c.DeleteInlinePolicyFromPermissionSet(ctx, &ssoadmin.DeleteInlinePolicyFromPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})).or(t)
	same(t, "the policy after its deletion", get(), "")
}

func boundary(t *testing.T, w *world, set *string) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	get := func() (*types.PermissionsBoundary, error) {
		out, err := c.GetPermissionsBoundaryForPermissionSet(ctx, &ssoadmin.GetPermissionsBoundaryForPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})
		if err != nil {
			return nil, err
		}
		return out.PermissionsBoundary, nil
	}
	_, err := get()
	refusedAs(t, "no boundary", err, "ResourceNotFoundException")
	for _, b := range []*types.PermissionsBoundary{
		{ManagedPolicyArn: new("arn:aws:iam::aws:policy/ReadOnlyAccess")},
		{CustomerManagedPolicyReference: &types.CustomerManagedPolicyReference{Name: new("own"), Path: new("/a/")}},
	} {
		must(c.PutPermissionsBoundaryToPermissionSet(ctx, &ssoadmin.PutPermissionsBoundaryToPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set, PermissionsBoundary: b})).or(t)
		same(t, "boundary", must(get()).or(t), b)
	}
	_, err = c.PutPermissionsBoundaryToPermissionSet(ctx, &ssoadmin.PutPermissionsBoundaryToPermissionSetInput{
		InstanceArn: w.instance, PermissionSetArn: set, PermissionsBoundary: &types.PermissionsBoundary{},
	})
	refusedAs(t, "a boundary of nothing", err, "ValidationException")
	must(c.DeletePermissionsBoundaryFromPermissionSet(ctx, &ssoadmin.DeletePermissionsBoundaryFromPermissionSetInput{InstanceArn: w.instance, PermissionSetArn: set})).or(t)
	_, err = get()
	refusedAs(t, "boundary after its deletion", err, "ResourceNotFoundException")
}

// permissionSetTags tags permission sets and the instance.
func permissionSetTags(t *testing.T, w *world) {
	c, ctx := w.Admin.SSOAdmin, t.Context()
	for _, arn := range []*string{w.set(t, "Set"), w.instance} {
		list := func() map[string]string {
			out := must(c.ListTagsForResource(ctx, &ssoadmin.ListTagsForResourceInput{InstanceArn: w.instance, ResourceArn: arn})).or(t)
			tags := map[string]string{}
			for _, tag := range out.Tags {
				tags[*tag.Key] = *tag.Value
			}
			return tags
		}
		same(t, "tags", list(), map[string]string{})
		must(c.TagResource(ctx, &ssoadmin.TagResourceInput{InstanceArn: w.instance, ResourceArn: arn, Tags: []types.Tag{
			{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("")},
		}})).or(t)
		must(c.TagResource(ctx, &ssoadmin.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: new("a"), Value: new("2")}}})).or(t)
		same(t, "tags", list(), map[string]string{"a": "2", "b": ""})
		must(c.UntagResource(ctx, &ssoadmin.UntagResourceInput{InstanceArn: w.instance, ResourceArn: arn, TagKeys: []string{"b", "unknown"}})).or(t)
		same(t, "tags", list(), map[string]string{"a": "2"})
		for i := range 60 {
			_, err := c.TagResource(ctx, &ssoadmin.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: new(fmt.Sprintf("key%d", i)), Value: new("")}}})
			if err != nil {
				refusedAs(t, "too many tags", err, "ServiceQuotaExceededException")
				same(t, "tags that fit", i, 49)
				break
			}
		}
		_, err := w.Member.SSOAdmin.ListTagsForResource(ctx, &ssoadmin.ListTagsForResourceInput{ResourceArn: arn})
		refusedAs(t, "tags for a member account", err, "AccessDeniedException")
	}
}
