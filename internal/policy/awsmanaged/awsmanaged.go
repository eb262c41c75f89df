// Package awsmanaged holds the AWS managed policies, as AWS publishes them:
// their names, paths, default versions, dates and documents.
//
// Every policy is a file of its own below documents, so that what a new
// version of one changes can be reviewed; index.tsv lists them. The importer
// beside this package writes both.
package awsmanaged

import (
	"embed"
	"sort"
	"strings"
	"time"
)

//go:embed documents
var documents embed.FS

// index has a line for each policy, in the byte order of path and name: path
// with name, default version, dates of creation and of the last update.
//
//go:embed index.tsv
var index string

const arnPrefix = "arn:aws:iam::aws:policy"

// Policy is an AWS managed policy at its default version.
type Policy struct {
	ARN              string // "arn:aws:iam::aws:policy/job-function/Billing"
	Name             string // "Billing"
	Path             string // "/job-function/"
	DefaultVersionID string // "v5"
	Created          time.Time
	Updated          time.Time // when the default version was made
}

// Document returns the policy's document, JSON text.
func (p Policy) Document() string {
	text, err := documents.ReadFile("documents" + p.Path + p.Name + ".json")
	if err != nil {
		return "" // no Policy that Lookup or List gave
	}
	return string(text)
}

// Lookup returns the policy with the given ARN, which is case-sensitive.
func Lookup(arn string) (Policy, bool) {
	key, ok := strings.CutPrefix(arn, arnPrefix)
	if !ok || strings.Contains(key, "\t") {
		return Policy{}, false
	}
	key += "\t"
	at := sort.Search(len(index), func(i int) bool { return index[lineStart(i):] >= key })
	line, _, _ := strings.Cut(index[lineStart(at):], "\n")
	if !strings.HasPrefix(line, key) {
		return Policy{}, false
	}
	return parse(line), true
}

// lineStart returns where the line of the index that holds byte i begins.
func lineStart(i int) int {
	return strings.LastIndexByte(index[:i], '\n') + 1
}

// List returns all policies in the order of their ARNs.
func List() []Policy {
	var list []Policy
	for line := range strings.Lines(index) {
		list = append(list, parse(strings.TrimSuffix(line, "\n")))
	}
	return list
}

// parse returns the policy that a line of the index describes; a test holds
// that every line is well-formed.
func parse(line string) Policy {
	fields := strings.Split(line, "\t")
	slash := strings.LastIndexByte(fields[0], '/') + 1
	p := Policy{
		ARN:              arnPrefix + fields[0],
		Path:             fields[0][:slash],
		Name:             fields[0][slash:],
		DefaultVersionID: fields[1],
	}
	p.Created, _ = time.Parse(time.RFC3339, fields[2])
	p.Updated, _ = time.Parse(time.RFC3339, fields[3])
	return p
}
