package config

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// S3 says where accounts store what they store through S3.
type S3 struct {
	// Endpoint is an S3 server: scheme and host. Nil for no storage.
	Endpoint *url.URL
	// Region is what the server wants requests to be signed for.
	Region string
	// AccountsFile names the file that Accounts was read from.
	AccountsFile string
	// Accounts holds each account's access key at the server, by account id.
	Accounts map[string]S3Credentials
}

// S3Credentials are an account's access key at the S3 server.
type S3Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
}

// setOrigin reads a URL of which only scheme and host matter; "" is none.
func setOrigin(at func(*Config) **url.URL, example string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if text == "" {
			*at(c) = nil
			return nil
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
			u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
			return fmt.Errorf("give a scheme and a host, and nothing after them, e.g. %s", example)
		}
		u.Path, u.Host = "", strings.ToLower(u.Host)
		*at(c) = u
		return nil
	}
}

// ReadS3 reads the configuration of an S3 server from values of its keys, and of
// allow_insecure. The error is of type Problems.
func ReadS3(endpoint, region, accountsFile string, allowInsecure []string) (S3, error) {
	c := &Config{S3: S3{Region: region, AccountsFile: accountsFile}, AllowInsecure: allowInsecure}
	l := new(loader)
	if err := setOrigin(func(c *Config) **url.URL { return &c.S3.Endpoint }, "https://s3.example.com")(c, endpoint); err != nil {
		l.problems.add("s3.endpoint: %q is not good: %s", endpoint, err)
	} else {
		l.checkS3(c)
		l.checkSecure(c, nil)
	}
	if len(l.problems) > 0 {
		return S3{}, l.problems
	}
	return c.S3, nil
}

// checkS3 reads the accounts' access keys.
func (l *loader) checkS3(c *Config) {
	switch endpoint, file := c.S3.Endpoint, c.S3.AccountsFile; {
	case endpoint == nil && file == "":
	case endpoint == nil:
		l.problems.add("s3.accounts_file is set, but s3.endpoint is not")
	case file == "":
		l.problems.add("s3.accounts_file is missing: it names each account's access key at s3.endpoint")
	default:
		l.readS3Accounts(c)
	}
	if c.DataURL != nil && c.PublicURL != nil && strings.EqualFold(c.DataURL.Hostname(), c.PublicURL.Hostname()) {
		l.problems.add("data_url and public_url have the same host: stored content must not be served beside the sign-in page")
	}
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func (l *loader) readS3Accounts(c *Config) {
	path := c.S3.AccountsFile
	info, err := os.Stat(path)
	if err != nil {
		l.readable("s3.accounts_file", path)
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		l.problems.add("s3.accounts_file: %s holds secrets, but others can read it (mode %04o): chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.readable("s3.accounts_file", path)
		return
	}
	var accounts map[string]struct {
		AccessKeyID     string `yaml:"access_key_id"`
		SecretAccessKey string `yaml:"secret_access_key"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&accounts); err != nil {
		// The text of the error may quote secrets.
		l.problems.add("s3.accounts_file: %s must hold account ids, each with access_key_id and secret_access_key and nothing else", path)
		return
	}
	c.S3.Accounts = make(map[string]S3Credentials, len(accounts))
	owner := make(map[string]string, len(accounts)) // by access key id
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		a := accounts[id]
		switch {
		case !accountID.MatchString(id):
			l.problems.add("s3.accounts_file: %s: %q is no account id, which is 12 digits in quotes", path, id)
		case a.AccessKeyID == "" || a.SecretAccessKey == "":
			l.problems.add("s3.accounts_file: %s: the account %s lacks access_key_id or secret_access_key", path, id)
		case owner[a.AccessKeyID] != "":
			l.problems.add("s3.accounts_file: %s: the accounts %s and %s have the same access key: they would share their buckets", path, owner[a.AccessKeyID], id)
		default:
			owner[a.AccessKeyID] = id
			c.S3.Accounts[id] = S3Credentials{a.AccessKeyID, Secret(a.SecretAccessKey)}
		}
	}
}
