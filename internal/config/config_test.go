package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/config"
)

// write puts text into a file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "atrium.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// minimal is the least that is good.
func minimal() []string {
	return []string{"ATRIUM_PUBLIC_URL=http://localhost:8484", "ATRIUM_ROOT_KEY_ENV=ROOT", "ROOT=x"}
}

func TestDefaults(t *testing.T) {
	c, err := config.Load("", minimal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(fmt.Sprintln(c.PublicURL, c.Listen, c.AdminListen, c.DataDir, c.Database, c.RootKey, c.TLS, c.TrustedProxies, c.Region, c.Log, c.AuditRetention))
	want := "http://localhost:8484 :8484 127.0.0.1:8485 /var/lib/atrium {sqlite /var/lib/atrium/atrium.db } { ROOT} {  false} [] us-east-1 {INFO false} 8760h0m0s"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEverythingIsRead(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cert.pem", "key.pem", "root.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "pwned.txt"), []byte("000000005AD76BD555C1D6D771DE417A4B87E4B4:10\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := write(t, strings.ReplaceAll(`
public_url: https://SSO.example.com/
listen: 0.0.0.0:443
admin_listen: ""
data_dir: DIR
database: {driver: postgres, dsn: "postgres://atrium:hunter2@db/atrium?sslmode=verify-full"}
root_key: {file: DIR/root.key, previous_file: DIR/root.key}
tls: {cert_file: DIR/cert.pem, key_file: DIR/key.pem}
trusted_proxies: [10.0.0.0/8, "192.0.2.7", 2001:db8::/32]
region: eu-central-1
log: {level: debug, format: json}
audit: {retention: 90d}
passwords: {breached_file: DIR/pwned.txt}
`, "DIR", dir))
	c, err := config.Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicURL.String() != "https://sso.example.com" || c.Listen != "0.0.0.0:443" || c.AdminListen != "" || c.DataDir != dir ||
		c.Region != "eu-central-1" || c.Log != (config.Log{Level: slog.LevelDebug, JSON: true}) || c.AuditRetention != 90*24*time.Hour || c.Passwords.BreachedFile != dir+"/pwned.txt" ||
		c.RootKey != (config.RootKey{File: dir + "/root.key"}) || c.PreviousRootKey != c.RootKey || c.TLS != (config.TLS{CertFile: dir + "/cert.pem", KeyFile: dir + "/key.pem"}) {
		t.Errorf("got %+v", c)
	}
	if c.Database.Driver != config.Postgres || c.Database.DSN.Reveal() != "postgres://atrium:hunter2@db/atrium?sslmode=verify-full" || c.Database.Path != "" {
		t.Errorf("database %+v", c.Database)
	}
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"}
	var got []string
	for _, p := range c.TrustedProxies {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLaterSourcesOverride(t *testing.T) {
	path := write(t, "public_url: http://localhost:8484\nroot_key: {env: ROOT}\nregion: eu-west-1\nlisten: \":1\"\ntrusted_proxies: [10.0.0.0/8]\n")
	env := []string{"ROOT=x", "ATRIUM_REGION=eu-west-2", "ATRIUM_LISTEN=:2", "ATRIUM_TRUSTED_PROXIES=192.0.2.1, 192.0.2.2", "ATRIUM_ADMIN_LISTEN="}
	c, err := config.Load(path, env, map[string]string{"listen": ":3"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":3" || c.Region != "eu-west-2" || c.AdminListen != "" {
		t.Errorf("listen %s, region %s, admin_listen %q; want the flag's, the variable's, none", c.Listen, c.Region, c.AdminListen)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")}; fmt.Sprint(c.TrustedProxies) != fmt.Sprint(want) {
		t.Errorf("trusted proxies %v, want %v", c.TrustedProxies, want)
	}
}

func TestProblems(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		env  []string
		set  map[string]string
		want []string
	}{
		"nothing at all":         {file: "", want: []string{"public_url is missing", "root_key is missing"}},
		"unknown key":            {file: "publik_url: x", want: []string{":1: there is no key publik_url (did you mean public_url?)"}},
		"unknown nested key":     {file: "database:\n  drivr: sqlite", want: []string{":2: there is no key database.drivr (did you mean database.driver?)"}},
		"unknown, nothing near":  {file: "smtp_relay_host: x", want: []string{"there is no key smtp_relay_host"}},
		"misspelt variable":      {env: []string{"ATRIUM_DATABSE_DSN=x"}, want: []string{"there is no variable ATRIUM_DATABSE_DSN (did you mean ATRIUM_DATABASE_DSN?)"}},
		"unknown override":       {set: map[string]string{"listn": "x"}, want: []string{"there is no key listn (did you mean listen?)"}},
		"twice":                  {file: "region: us-east-1\nregion: us-east-2", want: []string{":2: region is there twice"}},
		"no value":               {file: "region:", want: []string{":1: region has no value"}},
		"list for one value":     {file: "region: [a, b]", want: []string{":1: region must be a single value"}},
		"map for one value":      {file: "region: {a: b}", want: []string{":1: region must be a single value"}},
		"maps in a list":         {file: "trusted_proxies: [{a: b}]", want: []string{"trusted_proxies must be a list of single values"}},
		"value for a group":      {file: "database: sqlite", want: []string{":1: expected keys and values"}},
		"list for the whole":     {file: "- a", want: []string{":1: expected keys and values"}},
		"not YAML":               {file: "a: [", want: []string{"is not YAML: line 1"}},
		"two documents":          {file: "region: us-east-1\n---\nregion: us-east-2", want: []string{"there is a second document"}},
		"public_url with a path": {file: "public_url: https://a.example/start", want: []string{`public_url: "https://a.example/start" is not good: give a scheme and a host name`}},
		"public_url, address":    {file: "public_url: https://192.0.2.1", want: []string{"an IP address cannot be the name"}},
		"public_url in clear":    {file: "public_url: http://sso.example.com", want: []string{"passwords must not travel in the clear"}},
		"https without TLS":      {file: "public_url: https://sso.example.com", want: []string{"neither a certificate (tls) nor a proxy"}},
		"half of tls":            {file: "tls: {cert_file: /nonexistent/c}", want: []string{"go together", "tls.cert_file: /nonexistent/c cannot be read: no such file"}},
		"bad values": {
			file: "listen: localhost\ndatabase: {driver: mysql}\nregion: Ireland\nlog: {level: loud, format: xml}\naudit: {retention: forever}\ntrusted_proxies: [10.0.0.0/8, proxy]",
			want: []string{
				`:1: listen: "localhost" is not good: give host:port`, `database.driver: "mysql" is not good: give sqlite or postgres`,
				`region: "Ireland"`, `log.level: "loud"`, `log.format: "xml"`, `audit.retention: "forever" is not good: give a number of days`, `trusted_proxies: "10.0.0.0/8,proxy"`,
			},
		},
		"proxies everywhere":          {set: map[string]string{"trusted_proxies": "0.0.0.0/0"}, want: []string{"--trusted-proxies: trusted_proxies: \"0.0.0.0/0\" is not good: 0.0.0.0/0 would believe everybody"}},
		"postgres without dsn":        {file: "database: {driver: postgres, path: x}", want: []string{"database.dsn is missing", "database.path is for SQLite"}},
		"postgres without protection": {file: "database: {driver: postgres, dsn: \"postgres://u:hunter2@db/x\"}", want: []string{"sslmode=verify-full"}},
		"the same in words":           {file: "database: {driver: postgres, dsn: \"user=u host=db.example.com\"}", want: []string{"sslmode=verify-full"}},
		"verified by nobody":          {file: "database: {driver: postgres, dsn: \"postgres://u:hunter2@db/x?sslmode=require\"}", want: []string{"sslmode=verify-full"}},
		"insecurity of what":          {file: "allow_insecure: [database, mail]", want: []string{`allow_insecure: "database,mail" is not good: give any of database, s3, metrics`}},
		"metrics for everybody":       {file: "admin_listen: \":9090\"", want: []string{"admin_listen is on the network, and there is no certificate"}},
		"sqlite with dsn":             {env: []string{"ATRIUM_DATABASE_DSN=hunter2"}, want: []string{"database.dsn is for PostgreSQL"}},
		"two root keys":               {file: "root_key: {file: a, env: B}", want: []string{"root_key.file and root_key.env are both set"}},
		"root key not set":            {file: "root_key: {env: KEY_VARIABLE}", want: []string{"names the variable KEY_VARIABLE, which is not set"}},
		"two previous root keys":      {file: "root_key: {env: A, previous_file: /dev/null/x, previous_env: B}", want: []string{"root_key.previous_file and root_key.previous_env are both set"}},
		"previous root key not set":   {file: "root_key: {env: A, previous_env: KEY_VARIABLE}", want: []string{"root_key.previous_env names the variable KEY_VARIABLE, which is not set"}},
		"previous root key is gone":   {file: "root_key: {env: A, previous_file: /nonexistent/root.key}", want: []string{"root_key.previous_file: /nonexistent/root.key cannot be read"}},
		"no list of passwords":        {env: []string{"ATRIUM_PASSWORDS_BREACHED_FILE=/nonexistent/pwned"}, want: []string{"passwords.breached_file: /nonexistent/pwned cannot be used: no such file", "public_url is missing"}},
		"another list of passwords":   {set: map[string]string{"passwords.breached_file": "config_test.go"}, want: []string{"passwords.breached_file: config_test.go cannot be used: the line at byte 0 is not a SHA-1 hash"}},
		"root key unreadable":         {file: "root_key: {file: /dev/null/root.key}", want: []string{"root_key.file: /dev/null/root.key cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			if tc.file != "" {
				path = write(t, tc.file)
			}
			_, err := config.Load(path, tc.env, tc.set)
			problems, ok := errors.AsType[config.Problems](err)
			if !ok {
				t.Fatalf("Load = %v, want Problems", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(problems.Error(), want) {
					t.Errorf("%s\ndoes not say: %s", problems, want)
				}
			}
			if strings.Contains(problems.Error(), "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestAForeignVariableIsNoProblem(t *testing.T) {
	// Kubernetes sets such variables for a service named atrium.
	env := append(minimal(), "ATRIUM_SERVICE_HOST=10.0.0.1", "ATRIUM_PORT_8484_TCP_ADDR=10.0.0.1", "ATRIUM_ROOT_KEY_ENW=x")
	_, err := config.Load("", env, nil)
	if problems, _ := errors.AsType[config.Problems](err); len(problems) != 1 || !strings.Contains(problems[0], "ATRIUM_ROOT_KEY_ENW") {
		t.Errorf("problems %v, want only the misspelt variable", err)
	}
}

func TestAFileOfCommentsIsEmpty(t *testing.T) {
	if _, err := config.Load(write(t, "# nothing yet\n"), minimal(), nil); err != nil {
		t.Error(err)
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := config.Load("/nonexistent/atrium.yaml", minimal(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load = %v", err)
	}
}

func TestPrintMasksSecretsAndReadsBack(t *testing.T) {
	env := append(minimal(), "ATRIUM_DATABASE_DRIVER=postgres", "ATRIUM_DATABASE_DSN=postgres://u:hunter2@db/x?sslmode=disable", "ATRIUM_ALLOW_INSECURE=database, metrics", "ATRIUM_TRUSTED_PROXIES=10.0.0.0/8,192.0.2.1")
	c, err := config.Load("", env, map[string]string{"log.format": "json"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String()+fmt.Sprintf("%v %+v %#v", c.Database, c.Database, c.Database.DSN), "hunter2") {
		t.Errorf("the password is shown:\n%s", out.String())
	}
	for _, want := range []string{
		"public_url: http://localhost:8484 # ATRIUM_PUBLIC_URL\n", "  dsn: (secret) # ATRIUM_DATABASE_DSN\n",
		"  format: json # --log-format\n", "trusted_proxies: [10.0.0.0/8, 192.0.2.1/32] # ATRIUM_TRUSTED_PROXIES\n", "allow_insecure: [database, metrics] # ATRIUM_ALLOW_INSECURE\n", "  retention: 365d # default\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nlacks %q", out.String(), want)
		}
	}
	again, err := config.Load(write(t, out.String()), []string{"ROOT=x", "ATRIUM_DATABASE_DSN=postgres://u:hunter2@db/x?sslmode=disable"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(*again.PublicURL, again.Database, again.TrustedProxies, again.Log, again.AuditRetention),
		fmt.Sprint(*c.PublicURL, c.Database, c.TrustedProxies, c.Log, c.AuditRetention); got != want {
		t.Errorf("read back: %s, want %s", got, want)
	}
}

func TestFlags(t *testing.T) {
	flags := config.NewFlags()
	var cli struct {
		Serve struct {
			Config string
			kong.Plugins
		} `cmd:""`
	}
	cli.Serve.Plugins = kong.Plugins{flags.Pointer()}
	parser, err := kong.New(&cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve", "--config", "x", "--database-dsn", "d", "--admin-listen=", "--log-level=warn"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"database.dsn": "d", "admin_listen": "", "log.level": "warn"}
	if diff := cmp.Diff(want, flags.Overrides()); diff != "" {
		t.Error(diff)
	}
}
