package iam_test

import (
	"net/netip"
	"testing"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/policy"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// BenchmarkAuthorize is what the policy gate costs a request, the read of the
// role's policies included.
func BenchmarkAuthorize(b *testing.B) {
	s := storetest.Open(b, store.Config{})
	r := iam.Role{AccountID: account, ID: "AROA", Name: "r", Path: "/", TrustPolicy: "{}", CreatedAt: now, Policies: iam.Policies{
		Managed: []string{admin, "arn:aws:iam::aws:policy/ReadOnlyAccess"},
		Inline:  map[string]string{"p": `{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}}`},
	}}
	if err := s.Update(b.Context(), func(tx *store.Tx) error { return iam.CreateRole(tx, r) }); err != nil {
		b.Fatal(err)
	}
	compiler, keys := iam.NewCompiler(awsManaged, 100), iam.NewGlobalKeys()
	p := r.Session("sam")
	facts := iam.Facts{Time: now, SourceIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "aws-cli/2", RequestedRegion: "us-east-1", OrganizationID: "o-example"}
	resources := []string{"arn:aws:s3:::bucket/key"}

	b.Run("read and compile", func(b *testing.B) {
		err := s.View(b.Context(), func(tx *store.Tx) error {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := compiler.PoliciesOf(tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	var set policy.Set
	if err := s.View(b.Context(), func(tx *store.Tx) (err error) { set, err = compiler.PoliciesOf(tx, p); return err }); err != nil {
		b.Fatal(err)
	}
	b.Run("decide", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := iam.Authorize(set, p, "s3:GetObject", resources, keys.Values(p, facts)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
