package s3_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/endpoint"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/test/s3peer"
)

// eachStorage runs a test on the object store of our own, on an S3 server
// elsewhere that is ours too, and on one that is not.
func eachStorage(t *testing.T, test func(t *testing.T, d *door)) {
	t.Helper()
	t.Run("object store", func(t *testing.T) { test(t, open(t)) })
	t.Run("endpoint", func(t *testing.T) {
		behind := open(t)
		accounts := map[string]endpoint.Credentials{}
		for _, id := range []string{account, other} {
			c := behind.user(id)
			accounts[id] = endpoint.Credentials{AccessKeyID: c.id, SecretAccessKey: c.secret}
		}
		address, _ := url.Parse(behind.URL)
		test(t, open(t, through(address, accounts)))
	})
	t.Run("another server", func(t *testing.T) {
		accounts := map[string]endpoint.Credentials{account: {AccessKeyID: "first", SecretAccessKey: "first-secret"}, other: {AccessKeyID: "second", SecretAccessKey: "second-secret"}}
		address := s3peer.Start(t, map[string]string{"first": "first-secret", "second": "second-secret"})
		d := open(t, through(address, accounts))
		d.foreign = true
		test(t, d)
	})
}

// through makes a door lead to an S3 server elsewhere.
func through(address *url.URL, accounts map[string]endpoint.Credentials) func(*s3.Options) {
	return func(o *s3.Options) {
		o.Connector = endpoint.New(endpoint.Options{
			URL: address, Region: region, Accounts: accounts, Transport: endpoint.NewTransport(), Now: time.Now,
		})
	}
}
