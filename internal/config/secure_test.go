package config_test

import (
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/config"
)

// TestDatabasesAreVerified tells connection strings that reach another machine
// without looking which from those that do not.
func TestDatabasesAreVerified(t *testing.T) {
	for dsn, want := range map[string]bool{
		"postgres:///atrium":                                    true,
		"postgres://localhost/atrium":                           true,
		"postgres://u@127.0.0.1:5432/atrium":                    true,
		"postgresql://u:p@[::1]/atrium":                         true,
		"postgres:///atrium?host=/run/postgresql":               true,
		"postgres:///atrium?host=%2Frun%2Fpostgresql&user=u":    true,
		"user=u dbname=atrium":                                  true,
		"host=/run/postgresql dbname=atrium sslmode=disable":    true,
		"host='localhost' user=u":                               true,
		"postgres://db.example.com/atrium?sslmode=verify-full":  true,
		"postgres://a,b:5433/atrium?x=y&sslmode=verify-full":    true,
		"host=db.example.com sslmode = 'verify-full'":           true,
		"host=localhost sslmode=disable":                        true,
		"postgres://db.example.com/atrium":                      false,
		"postgres://u:p@192.168.1.5/atrium":                     false,
		"postgres://u:p@ss@db/atrium?sslmode=require":           false,
		"postgres://localhost,db.example.com/atrium":            false,
		"postgres://localhost:1,[2001:db8::1]:2/atrium":         false,
		"postgres://localhost/atrium?host=db.example.com":       false,
		"host=db.example.com sslmode=verify-ca":                 false,
		"host=db.example.com sslmode=disable":                   false,
		"host=db.example.com sslmode=prefer":                    false,
		"host=db.example.com":                                   false,
		"host=localhost host=db.example.com":                    false,
		"host=db.example.com sslmode=verify-full sslmode=allow": false,
	} {
		env := append(minimal(), "ATRIUM_DATABASE_DRIVER=postgres", "ATRIUM_DATABASE_DSN="+dsn)
		if _, err := config.Load("", env, nil); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "allow_insecure: [database]") {
			t.Errorf("%s: %v, want it taken: %t", dsn, err, want)
		}
		if _, err := config.Load("", append(env, "ATRIUM_ALLOW_INSECURE=database"), nil); err != nil {
			t.Errorf("%s, allowed: %v", dsn, err)
		}
	}
	// What the driver reads besides.
	for variable, want := range map[string]bool{"PGHOST=db.example.com": false, "PGHOST=/run/postgresql": true, "PGHOST=localhost": true} {
		if _, err := config.Load("", append(minimal(), "ATRIUM_DATABASE_DRIVER=postgres", "ATRIUM_DATABASE_DSN=dbname=atrium", variable), nil); (err == nil) != want {
			t.Errorf("%s: %v, want it taken: %t", variable, err, want)
		}
	}
	if _, err := config.Load("", append(minimal(), "ATRIUM_DATABASE_DRIVER=postgres", "ATRIUM_DATABASE_DSN=host=db.example.com", "PGSSLMODE=verify-full"), nil); err != nil {
		t.Error(err)
	}
}

func TestS3IsReachedByTLS(t *testing.T) {
	path := accountsFile(t, "\"111111111111\":\n  access_key_id: PROD\n  secret_access_key: hunter2\n", 0o600)
	for endpoint, want := range map[string]bool{
		"https://s3.example.com": true, "https://203.0.113.9": true,
		"http://localhost:9000": true, "http://127.0.0.1:9000": true, "http://[::1]:9000": true, "http://10.1.2.3": true, "http://192.168.0.7:9000": true, "http://[fd00::7]": true,
		"http://s3.example.com": false, "http://minio:9000": false, "http://203.0.113.9": false, "http://[2001:db8::1]": false,
	} {
		env := append(minimal(), "ATRIUM_S3_ENDPOINT="+endpoint, "ATRIUM_S3_ACCOUNTS_FILE="+path)
		_, err := config.Load("", env, nil)
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "allow_insecure: [s3]") {
			t.Errorf("%s: %v, want it taken: %t", endpoint, err, want)
		}
		if _, read := config.ReadS3(endpoint, "us-east-1", path, nil); (read == nil) != want {
			t.Errorf("%s as a flag: %v, want it taken: %t", endpoint, read, want)
		}
		if _, err := config.Load("", append(env, "ATRIUM_ALLOW_INSECURE=s3"), nil); err != nil {
			t.Errorf("%s, allowed: %v", endpoint, err)
		}
		if _, err := config.ReadS3(endpoint, "us-east-1", path, []string{config.InsecureS3}); err != nil {
			t.Errorf("%s as a flag, allowed: %v", endpoint, err)
		}
	}
}

func TestMetricsOnTheNetwork(t *testing.T) {
	cert := accountsFile(t, "", 0o600)
	for address, local := range map[string]bool{"127.0.0.1:9090": true, "localhost:9090": true, "[::1]:9090": true, "": true, ":9090": false, "0.0.0.0:9090": false, "10.0.0.1:9090": false} {
		env := append(minimal(), "ATRIUM_ADMIN_LISTEN="+address)
		_, err := config.Load("", env, nil)
		if (err == nil) != local || err != nil && !strings.Contains(err.Error(), "allow_insecure: [metrics]") {
			t.Errorf("%q: %v, want it taken: %t", address, err, local)
		}
		for _, more := range [][]string{
			{"ATRIUM_ALLOW_INSECURE=metrics"},
			{"ATRIUM_PUBLIC_URL=https://sso.example.com", "ATRIUM_TLS_CERT_FILE=" + cert, "ATRIUM_TLS_KEY_FILE=" + cert},
		} {
			if c, err := config.Load("", append(env, more...), nil); err != nil || address != "" && c.AdminIsLocal() != local {
				t.Errorf("%q with %v: %v", address, more, err)
			}
		}
	}
}
