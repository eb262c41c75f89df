// Package internal_test holds the rules of the architecture that are about
// the repository as a whole. Each failure names the rule's reason; to change a
// rule, write a decision record in docs/adr first.
package internal_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// rule says what packages may import of the module's own.
type rule struct {
	// packages are patterns of directories, as path.Match has them, with
	// "..." at the end for everything below too.
	packages []string
	// may and mustNot are patterns of what they import. An empty may allows
	// all.
	may, mustNot []string
	why          string
}

// domain are the packages that hold the rules of the product.
func domain() []string {
	return []string{
		"internal/administrator", "internal/organization", "internal/instance", "internal/directory", "internal/permissionset",
		"internal/assignment", "internal/application", "internal/iam", "internal/policy/...", "internal/audit",
		"internal/authsettings", "internal/credential", "internal/mail", "internal/maillink", "internal/mfa", "internal/session", "internal/signin", "internal/throttle", "internal/epoch", "internal/oauth", "internal/portal", "internal/rolesession", "internal/rootuser",
	}
}

func rules() []rule {
	return []rule{
		{
			packages: []string{"internal/awsapi/*"}, may: []string{"internal/wire/schema"},
			why: "generated code only describes AWS's API: what serves it lives elsewhere, so that generating never breaks more than the build",
		},
		{
			packages: domain(), may: slices.Concat(domain(), []string{"internal/fault", "internal/ident"}),
			why: "the product's rules stand by themselves: a protocol or a database can change without touching them, and their tests need neither",
		},
		{
			packages: []string{"internal/wire/schema", "internal/wire/codec", "internal/wire/awsjson", "internal/wire/restjson", "internal/wire/awsquery", "internal/wire/validate/...", "internal/wire/sigv4"},
			may:      []string{"internal/wire/..."},
			mustNot:  []string{"internal/wire/gateway"},
			why:      "codecs, validation and signatures work from descriptors alone: they serve any service the same way",
		},
		{
			packages: []string{"internal/wire/gateway"}, mustNot: []string{"internal/awsapi/...", "internal/api/...", "internal/store/...", "internal/app", "internal/keys", "internal/config"},
			why: "the gateway knows operations by their descriptors; what it needs of keys and store it takes as interfaces",
		},
		{
			packages: []string{"internal/api/*"}, mustNot: []string{"internal/store/...", "internal/app", "internal/api/...", "internal/keys", "internal/config"},
			why: "an api package maps one service's wire types to the domain: it takes its transaction as an interface, and needs no other service",
		},
		{
			packages: []string{"internal/store"}, may: slices.Concat(domain(), []string{"internal/fault", "internal/ident", "internal/keys", "internal/jobs"}),
			why: "the store keeps the domain's values and knows nothing of how they are asked for",
		},
		{
			packages: []string{"internal/dataplane/s3"}, mustNot: []string{"internal/awsapi/...", "internal/api/...", "internal/store/...", "internal/app", "internal/keys", "internal/config", "internal/dataplane/objectstore"},
			why: "the door knows storage by its Connector only, and takes what it needs of keys and store as interfaces",
		},
		{
			packages: []string{"internal/dataplane/objectstore"}, may: []string{"internal/dataplane/s3", "internal/ident"},
			why: "storage does what the door has allowed: it knows no callers and no policies",
		},
		{
			packages: []string{"internal/fault", "internal/ident", "internal/keys", "internal/breach", "internal/outbound", "internal/clientenv", "internal/webui"}, may: []string{"-"},
			why: "these packages are understood by themselves: they import nothing of ours",
		},
		{
			packages: []string{"internal/config"}, may: []string{"internal/breach"},
			why: "a configuration is understood by itself; what is wrong with a list of passwords is said with everything else that is wrong",
		},
		{
			packages: []string{"internal/climodel"}, may: []string{"internal/wire/schema"},
			why: "a model is written from the descriptor alone: it cannot promise what the service does not have",
		},
		{
			packages: []string{"internal/awsgen/..."}, may: []string{"internal/awsgen/..."},
			why: "the generator must build when what it generates does not",
		},
		{
			packages: []string{"test/..."}, mustNot: []string{"internal/api/...", "internal/wire/gateway"},
			why: "tests in test/ treat the program as users do: from outside; test/node alone starts one, in the test's own process",
		},
	}
}

// importers says who alone may import a package, besides tests.
type importers struct {
	imported string
	by       []string
	why      string
}

func restricted() []importers {
	commands := []string{"cmd/*", "internal/app"}
	// node starts a whole node within a test.
	const node = "test/node"
	return []importers{
		{module + "/internal/store", []string{"internal/app", "internal/store/storetest", node}, "only the composition root knows which store there is"},
		{module + "/internal/app", []string{"cmd/*", node}, "nothing depends on how the parts are put together"},
		{module + "/internal/store/storetest", []string{node, "test/s3peer"}, "it is for tests"},
		{module + "/internal/wire/wiretest", []string{node}, "it is for tests"},
		{"database/sql", []string{"internal/store/...", "internal/dataplane/objectstore", "test/..."}, "SQL is spoken in one package, but for the object store, which keeps an index of its own (docs/adr/0003)"},
		{"modernc.org/sqlite", []string{"internal/store", "internal/dataplane/objectstore", "test/bench", "test/workload"}, "SQL is spoken in one package, but for the object store, which keeps an index of its own (docs/adr/0003)"},
		{"github.com/jackc/pgx", []string{"internal/store/...", "test/..."}, "SQL is spoken in one package"},
		{"github.com/pressly/goose", []string{"internal/store"}, "SQL is spoken in one package"},
		{"github.com/prometheus", commands, "what is measured is handed out as values; only the composition root knows the format"},
		{"github.com/alecthomas/kong", []string{"cmd/*"}, "only commands have flags"},
		{"go.yaml.in/yaml", []string{"internal/config"}, "only the configuration is YAML"},
		{"github.com/aws", []string{"test/..."}, "AWS's SDK is the judge of what we serve, never part of it"},
		{"pgregory.net/rapid", []string{"internal/wire/wiretest"}, "it is for tests"},
		{"github.com/wneessen/go-mail", []string{"internal/mail/smtp"}, "mail leaves by one door; the rest knows letters"},
		{"golang.org/x/crypto/argon2", []string{"internal/credential"}, "passwords are hashed in one place, where the cost is bounded"},
		{"unsafe", nil, "nothing here needs it"},
	}
}

func TestPackagesImportOnlyWhatTheirLayerMay(t *testing.T) {
	for _, f := range parsed(t) {
		if f.test {
			continue
		}
		for _, r := range rules() {
			if !matches(f.dir, r.packages) {
				continue
			}
			for _, imported := range f.imports() {
				own, ok := strings.CutPrefix(imported, module+"/")
				if !ok {
					continue
				}
				if len(r.may) > 0 && !matches(own, r.may) || matches(own, r.mustNot) {
					t.Errorf("%s imports %s: %s", f.path, own, r.why)
				}
			}
		}
	}
}

func TestSomePackagesAreForFew(t *testing.T) {
	for _, f := range parsed(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			for _, r := range restricted() {
				if (imported == r.imported || strings.HasPrefix(imported, r.imported+"/") && !strings.HasPrefix(r.imported, module)) && !matches(f.dir, r.by) {
					t.Errorf("%s imports %s: %s", f.path, imported, r.why)
				}
			}
		}
	}
}

func TestTheDomainKnowsNoProtocol(t *testing.T) {
	for _, f := range parsed(t) {
		if f.test || !matches(f.dir, domain()) {
			continue
		}
		for _, imported := range f.imports() {
			if matches(imported, []string{"net/http/...", "database/sql/...", "log/slog", "os"}) && !matches(f.dir, []string{"internal/policy/awsmanaged/importer"}) {
				t.Errorf("%s imports %s: the domain has no HTTP status, no SQL, no log and no files; it returns values and errors", f.path, imported)
			}
		}
	}
}

// TestEveryRuleApplies finds rules about packages that are gone: they would
// pass for ever.
func TestEveryRuleApplies(t *testing.T) {
	// Packages that the design names and that are still to be written.
	future := []string{"internal/application", "internal/mfa", "internal/jobs"}
	var dirs []string
	for _, f := range parsed(t) {
		dirs = append(dirs, f.dir)
	}
	for _, r := range rules() {
		for _, pattern := range slices.Concat(r.packages, r.may, r.mustNot) {
			if pattern != "-" && !slices.Contains(future, pattern) && !slices.ContainsFunc(dirs, func(d string) bool { return matches(d, []string{pattern}) }) {
				t.Errorf("no package matches %s: correct the rule", pattern)
			}
		}
	}
}

// matches tells whether name is one of patterns.
func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if prefix, below := strings.CutSuffix(pattern, "/..."); below {
			return name == prefix || strings.HasPrefix(name, prefix+"/")
		}
		ok, _ := path.Match(pattern, name) // the patterns are constants; a malformed one matches nothing
		return ok
	})
}
