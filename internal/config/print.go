package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Print writes the effective configuration as a file that Load would read,
// with secrets masked and with where each value is from.
func (c *Config) Print(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	groups := map[string]*yaml.Node{}
	for _, k := range table() {
		parent, name := root, k.name
		if group, rest, nested := strings.Cut(k.name, "."); nested {
			if groups[group] == nil {
				groups[group] = &yaml.Node{Kind: yaml.MappingNode}
				root.Content = append(root.Content, scalar(group, ""), groups[group])
			}
			parent, name = groups[group], rest
		}
		node := scalar(c.show(&k), c.sources[k.name])
		if k.list {
			node = c.showList(&k)
		}
		parent.Content = append(parent.Content, scalar(name, ""), node)
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	return encoder.Close()
}

func scalar(text, comment string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, LineComment: comment}
}

func (c *Config) showList(k *key) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, LineComment: c.sources[k.name]}
	for item := range strings.SplitSeq(c.show(k), ",") {
		if item != "" {
			list.Content = append(list.Content, scalar(item, ""))
		}
	}
	return list
}

// show returns a key's value as text.
func (c *Config) show(k *key) string {
	if strings.HasPrefix(k.name, "smtp.") {
		return c.showSMTP(k.name)
	}
	if strings.HasPrefix(k.name, "audit.forward_") {
		return c.showForward(k.name)
	}
	switch k.name {
	case "public_url":
		return c.PublicURL.String()
	case "data_url":
		return c.DataURL.String()
	case "s3.endpoint":
		if c.S3.Endpoint == nil {
			return ""
		}
		return c.S3.Endpoint.String()
	case "s3.region":
		return c.S3.Region
	case "s3.accounts_file":
		return c.S3.AccountsFile
	case "listen":
		return c.Listen
	case "admin_listen":
		return c.AdminListen
	case "data_dir":
		return c.DataDir
	case "database.driver":
		return c.Database.Driver
	case "database.path":
		return c.Database.Path
	case "database.dsn":
		return c.Database.DSN.String()
	case "root_key.file":
		return c.RootKey.File
	case "root_key.env":
		return c.RootKey.Env
	case "root_key.previous_file":
		return c.PreviousRootKey.File
	case "root_key.previous_env":
		return c.PreviousRootKey.Env
	case "tls.cert_file":
		return c.TLS.CertFile
	case "tls.key_file":
		return c.TLS.KeyFile
	case "tls.hsts_subdomains":
		return strconv.FormatBool(c.TLS.Subdomains)
	case "trusted_proxies":
		var items []string
		for _, p := range c.TrustedProxies {
			items = append(items, p.String())
		}
		return strings.Join(items, ",")
	case "allow_insecure":
		return strings.Join(c.AllowInsecure, ",")
	case "region":
		return c.Region
	case "passwords.breached_file":
		return c.Passwords.BreachedFile
	case "log.level":
		return strings.ToLower(c.Log.Level.String())
	case "log.format":
		return map[bool]string{true: "json", false: "text"}[c.Log.JSON]
	case "audit.retention":
		if c.AuditRetention == 0 {
			return "0"
		}
		return fmt.Sprintf("%dd", c.AuditRetention/(24*time.Hour))
	}
	return ""
}
