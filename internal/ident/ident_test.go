package ident

import (
	"crypto/rand"
	"regexp"
	"testing"
)

func TestForms(t *testing.T) {
	s := NewSource(rand.Reader)
	forms := []struct{ got, pattern string }{
		{s.IdentityStoreID(), `^d-[0-9a-f]{10}$`},
		{s.DirectoryID("d-1234567890"), `^1234567890-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`},
		{s.InstanceID(), `^ssoins-[0-9a-f]{16}$`},
		{s.PermissionSetID(), `^ps-[0-9a-f]{16}$`},
		{s.OrganizationID(), `^o-[a-z0-9]{10}$`},
		{s.RootID(), `^r-[a-z0-9]{4}$`},
		{s.OrganizationalUnitID("r-ab12"), `^ou-ab12-[a-z0-9]{8}$`},
		{s.AccountID(), `^[1-9][0-9]{11}$`},
		{s.UniqueID("AIDA"), `^AIDA[A-Z2-7]{17}$`},
		{s.UUID(), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
	}
	for _, f := range forms {
		if !regexp.MustCompile(f.pattern).MatchString(f.got) {
			t.Errorf("%q does not match %s", f.got, f.pattern)
		}
	}
}

func TestAccessKeyCarriesItsAccount(t *testing.T) {
	s := NewSource(rand.Reader)
	for _, account := range []string{"123456789012", "000000000001", "999999999999"} {
		key := s.AccessKeyID("AKIA", account)
		if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(key) {
			t.Errorf("malformed key %q", key)
		}
		if got := AccessKeyAccount(key); got != account {
			t.Errorf("AccessKeyAccount(%q) = %q, want %q", key, got, account)
		}
	}
	if got := AccessKeyAccount("AKIAIOSFODNN7EXAMPLE"); got != "581039954779" {
		t.Errorf("AWS's documentation key decodes to %q", got)
	}
	if s.AccessKeyID("AKIA", "12") != "" || AccessKeyAccount("AKIA") != "" {
		t.Error("malformed input was accepted")
	}
}
