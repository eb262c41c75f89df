package pages_test

import (
	"net/url"
	"testing"

	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/mfa"
)

func newFactors(t *testing.T, ids ident.Source) *mfa.Factors {
	t.Helper()
	f, err := mfa.New(mfa.Options{
		URL: &url.URL{Scheme: "http", Host: "localhost:8484"}, Name: "Atrium", Seeds: plainKey{}, Cookies: plainKey{}, IDs: ids,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
