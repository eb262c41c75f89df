package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/atrium-iam/atrium/internal/breach"
)

// value is what was given for a key, and where.
type value struct{ text, source string }

// loader gathers values from the sources, the later ones over the earlier.
type loader struct {
	table    []key
	values   map[string]value
	problems Problems
}

func (l *loader) find(name string) *key {
	for i := range l.table {
		if l.table[i].name == name {
			return &l.table[i]
		}
	}
	return nil
}

// file reads the YAML text of the file at path.
func (l *loader) file(path string, text []byte) {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := decoder.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) { // an empty file
			l.problems.add("%s is not YAML: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		return
	}
	if decoder.Decode(&second) == nil {
		l.problems.add("%s:%d: there is a second document (---)", path, second.Line)
	}
	if len(document.Content) > 0 {
		l.mapping(path, "", document.Content[0])
	}
}

// mapping reads the keys of node, whose own name is prefix.
func (l *loader) mapping(path, prefix string, node *yaml.Node) {
	where := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d", path, n.Line) }
	if node.Kind != yaml.MappingNode {
		if !isNull(node) {
			l.problems.add("%s: expected keys and values", where(node))
		}
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		name, content := prefix+node.Content[i].Value, node.Content[i+1]
		if seen[name] {
			l.problems.add("%s: %s is there twice", where(node.Content[i]), name)
			continue
		}
		seen[name] = true
		k := l.find(name)
		switch {
		case k != nil:
			l.leaf(where(content), k, content)
		case l.isGroup(name):
			l.mapping(path, name+".", content)
		default:
			l.problems.add("%s: there is no key %s%s", where(node.Content[i]), name, suggestion(name, l.names()))
		}
	}
}

func (l *loader) leaf(where string, k *key, node *yaml.Node) {
	switch {
	case isNull(node):
		l.problems.add("%s: %s has no value; leave the key out, or give one", where, k.name)
	case node.Kind == yaml.ScalarNode:
		l.values[k.name] = value{node.Value, where}
	case node.Kind == yaml.SequenceNode && k.list:
		var items []string
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode || isNull(item) {
				l.problems.add("%s: %s must be a list of single values", where, k.name)
				return
			}
			items = append(items, item.Value)
		}
		l.values[k.name] = value{strings.Join(items, ","), where}
	default:
		l.problems.add("%s: %s must be a single value", where, k.name)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (l *loader) isGroup(name string) bool {
	return slices.ContainsFunc(l.table, func(k key) bool { return strings.HasPrefix(k.name, name+".") })
}

func (l *loader) names() []string {
	var names []string
	for _, k := range l.table {
		names = append(names, k.name)
	}
	return names
}

// environment takes the keys' variables out of environ, and returns all of it
// as a map. A variable that looks like a misspelt key is a problem; others may
// belong to whoever runs the program.
func (l *loader) environment(environ []string) map[string]string {
	env := map[string]string{}
	var variables []string
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		env[name] = text
	}
	for _, k := range l.table {
		variables = append(variables, k.variable())
		if text, set := env[k.variable()]; set {
			l.values[k.name] = value{text, k.variable()}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasPrefix(name, "ATRIUM_") || slices.Contains(variables, name) {
			continue
		}
		if hint := suggestion(name, variables); hint != "" && name != l.values["root_key.env"].text && name != l.values["root_key.previous_env"].text {
			l.problems.add("there is no variable %s%s", name, hint)
		}
	}
	return env
}

func (l *loader) overrides(overrides map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		k := l.find(name)
		if k == nil {
			l.problems.add("there is no key %s%s", name, suggestion(name, l.names()))
			continue
		}
		l.values[name] = value{overrides[name], "--" + k.flag()}
	}
}

// build reads every value into a Config.
func (l *loader) build() *Config {
	c := &Config{sources: map[string]string{}}
	for _, k := range l.table {
		v, given := l.values[k.name]
		if !given {
			if v = (value{k.preset, "default"}); v.text == "" {
				c.sources[k.name] = v.source
				continue
			}
		}
		c.sources[k.name] = v.source
		if err := k.set(c, v.text); err != nil {
			shown := fmt.Sprintf("%q", v.text)
			if k.secret {
				shown = "its value"
			}
			l.problems.add("%s: %s: %s is not good: %s", v.source, k.name, shown, err)
		}
	}
	if c.Database.Driver == SQLite && c.Database.Path == "" {
		c.Database.Path = filepath.Join(c.DataDir, "atrium.db")
	}
	if c.DataURL == nil && c.PublicURL != nil {
		u := *c.PublicURL
		u.Host = "data." + u.Host
		c.DataURL = &u
	}
	return c
}

// check finds what is wrong with values that are good by themselves.
func (l *loader) check(c *Config, env map[string]string) {
	given := func(name string) bool { v, ok := l.values[name]; return ok && v.text != "" }
	if !given("public_url") {
		l.problems.add("public_url is missing: it is where people and clients find this node, e.g. https://sso.example.com")
	}
	switch c.Database.Driver {
	case SQLite:
		if given("database.dsn") {
			l.problems.add("database.dsn is for PostgreSQL, but database.driver is sqlite")
		}
	case Postgres:
		if !given("database.dsn") {
			l.problems.add("database.dsn is missing: PostgreSQL needs a connection string")
		}
		if given("database.path") {
			l.problems.add("database.path is for SQLite, but database.driver is postgres")
		}
	}
	switch file, name := c.RootKey.File, c.RootKey.Env; {
	case file == "" && name == "":
		l.problems.add("root_key is missing: set root_key.file or root_key.env")
	case file != "" && name != "":
		l.problems.add("root_key.file and root_key.env are both set; set one")
	case name != "" && env[name] == "":
		l.problems.add("root_key.env names the variable %s, which is not set", name)
	case file != "":
		// atrium init creates the file when it does not exist.
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			l.readable("root_key.file", file)
		}
	}
	l.checkPreviousRootKey(c, env)
	l.checkTLS(c)
	l.checkS3(c)
	l.checkSMTP(c)
	l.checkForward(c)
	l.checkSecure(c, env)
	if file := c.Passwords.BreachedFile; file != "" {
		if err := breach.Check(file); err != nil {
			l.problems.add("passwords.breached_file: %s cannot be used: %s", file, err)
		}
	}
}

func (l *loader) checkPreviousRootKey(c *Config, env map[string]string) {
	switch file, name := c.PreviousRootKey.File, c.PreviousRootKey.Env; {
	case file != "" && name != "":
		l.problems.add("root_key.previous_file and root_key.previous_env are both set; set one")
	case name != "" && env[name] == "":
		l.problems.add("root_key.previous_env names the variable %s, which is not set", name)
	case file != "":
		l.readable("root_key.previous_file", file)
	}
}

// checkTLS makes sure that a public https URL is served as such.
func (l *loader) checkTLS(c *Config) {
	cert, private := c.TLS.CertFile, c.TLS.KeyFile
	if (cert == "") != (private == "") {
		l.problems.add("tls.cert_file and tls.key_file go together: set both or none")
	}
	if cert != "" {
		l.readable("tls.cert_file", cert)
	}
	if private != "" {
		l.readable("tls.key_file", private)
	}
	if c.PublicURL == nil {
		return
	}
	switch {
	case c.PublicURL.Scheme == "https" && cert == "" && len(c.TrustedProxies) == 0:
		l.problems.add("public_url is https, but there is neither a certificate (tls) nor a proxy that has one (trusted_proxies)")
	case c.PublicURL.Scheme == "http" && cert != "":
		l.problems.add("public_url is http, but a certificate is set (tls): make it https")
	}
}

func (l *loader) readable(name, path string) {
	f, err := os.Open(path)
	if err != nil {
		l.problems.add("%s: %s cannot be read: %s", name, path, errors.Unwrap(err))
		return
	}
	_ = f.Close()
}

// suggestion returns " (did you mean …?)" with what is nearest to name, "" when
// nothing is near.
func suggestion(name string, candidates []string) string {
	best := slices.MinFunc(candidates, func(a, b string) int { return cmp.Compare(distance(name, a), distance(name, b)) })
	if distance(name, best) > max(2, len(name)/5) {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			previous, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, previous+cost)
		}
	}
	return row[len(b)]
}
