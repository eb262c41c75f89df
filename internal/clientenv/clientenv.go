// Package clientenv writes what people paste to point unmodified AWS clients
// at Atrium: shell exports, configuration files, and endpoint rule sets for CLI
// versions that know no endpoint variables.
package clientenv

import (
	"fmt"
	"strings"
)

// Endpoints are the addresses of a server's two kinds of host.
type Endpoints struct {
	People string // serves the APIs, e.g. "http://localhost:8484"
	Data   string // serves stored content, e.g. "http://127.0.0.1:8484"
}

// Variable is one environment variable.
type Variable struct{ Name, Value string }

// service names one AWS service as the clients' environment variables and
// data directories do.
type service struct {
	id, version, variable string
	data                  bool // lives on the data host
}

// endpoint is where the service is.
func (s service) endpoint(e Endpoints) string {
	if s.data {
		return e.Data
	}
	return e.People
}

func services() []service {
	return []service{
		{id: "sso", version: "2019-06-10", variable: "SSO"},
		{id: "sso-oidc", version: "2019-06-10", variable: "SSO_OIDC"},
		{id: "sso-admin", version: "2020-07-20", variable: "SSO_ADMIN"},
		{id: "identitystore", version: "2020-06-15", variable: "IDENTITYSTORE"},
		{id: "organizations", version: "2016-11-28", variable: "ORGANIZATIONS"},
		{id: "sts", version: "2011-06-15", variable: "STS"},
		{id: "iam", version: "2010-05-08", variable: "IAM"},
		{id: "cloudtrail", version: "2013-11-01", variable: "CLOUDTRAIL"},
		{id: "atrium", version: "2026-11-01", variable: "ATRIUM"}, // our settings API
		{id: "s3", version: "2006-03-01", variable: "S3", data: true},
	}
}

// EndpointVariables returns AWS_ENDPOINT_URL and its service-specific forms,
// which some SDKs need (the Go SDK's own SSO clients ignore the general one).
func EndpointVariables(e Endpoints) []Variable {
	vars := []Variable{{"AWS_ENDPOINT_URL", e.People}}
	for _, s := range services() {
		vars = append(vars, Variable{"AWS_ENDPOINT_URL_" + s.variable, s.endpoint(e)})
	}
	return vars
}

// Exports renders vars as export commands of a POSIX shell.
func Exports(vars []Variable) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, Quote(v.Value))
	}
	return b.String()
}

// Quote quotes s as one word of a POSIX shell: the shell gives back s byte
// for byte, whatever it holds. NUL bytes, which no shell word can hold, are
// dropped.
func Quote(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if s != "" && strings.Trim(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+,"
