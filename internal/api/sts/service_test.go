package sts_test

import (
	"crypto/rand"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/atrium-iam/atrium/internal/api/sts"
	wire "github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

const account = "012345678901"

func TestGetCallerIdentity(t *testing.T) {
	user := iam.User{AccountID: account, ID: "AIDAEXAMPLE", Path: "/ops/", Name: "sam"}
	role := iam.Role{AccountID: account, ID: "AROAEXAMPLE", Path: "/aws-reserved/sso.amazonaws.com/", Name: "AWSReservedSSO_Admin_0123456789abcdef"}
	tests := map[string]struct {
		caller  iam.Principal
		id, arn string
	}{
		"root": {iam.Root(account), account, "arn:aws:iam::012345678901:root"},
		"user": {
			iam.Principal{Kind: iam.KindUser, AccountID: account, ARN: user.ARN(), ID: user.ID},
			"AIDAEXAMPLE", "arn:aws:iam::012345678901:user/ops/sam",
		},
		"role session": {
			role.Session("sam.lee"),
			"AROAEXAMPLE:sam.lee", "arn:aws:sts::012345678901:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/sam.lee",
		},
		"federated user": {
			iam.FederatedUser(account, "bob"),
			"012345678901:bob", "arn:aws:sts::012345678901:federated-user/bob",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := api.Service{}.GetCallerIdentity(&gateway.Context[api.Tx]{Caller: tt.caller}, &wire.GetCallerIdentityRequest{})
			if err != nil {
				t.Fatal(err)
			}
			want := &wire.GetCallerIdentityResponse{UserId: &tt.id, Account: new(account), Arn: &tt.arn}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGetAccessKeyInfo(t *testing.T) {
	key := ident.NewSource(rand.Reader).AccessKeyID("AKIA", account)
	got, err := api.Service{}.GetAccessKeyInfo(nil, &wire.GetAccessKeyInfoRequest{AccessKeyId: &key})
	if err != nil || *got.Account != account {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err = (api.Service{}).GetAccessKeyInfo(nil, &wire.GetAccessKeyInfoRequest{AccessKeyId: new("AKIA0000000000000000")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want an invalid key", err)
	}
}
