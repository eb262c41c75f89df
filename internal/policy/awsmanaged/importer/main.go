// Command importer adds AWS managed policies to package awsmanaged, or brings
// them up to date. Policies that it is not given stay as they are.
//
// It reads a stream of JSON objects, each of which holds what `aws iam
// get-policy` and `aws iam get-policy-version` answer about one policy:
//
//	aws iam list-policies --scope AWS --query 'Policies[].[Arn,DefaultVersionId]' --output text |
//	while read -r arn version; do
//		jq -s add <(aws iam get-policy --policy-arn "$arn") \
//			<(aws iam get-policy-version --policy-arn "$arn" --version-id "$version")
//	done | go run ./internal/policy/awsmanaged/importer -dir internal/policy/awsmanaged
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/policy"
)

// published is a policy as AWS tells it.
type published struct {
	Policy struct {
		PolicyName       string
		Path             string
		DefaultVersionID string `json:"DefaultVersionId"`
		CreateDate       time.Time
		UpdateDate       time.Time
	}
	PolicyVersion struct {
		VersionID string `json:"VersionId"`
		Document  json.RawMessage
	}
}

func main() {
	dir := flag.String("dir", ".", "directory of package awsmanaged")
	flag.Parse()
	if err := run(*dir, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "importer:", err)
		os.Exit(1)
	}
}

func run(dir string, input io.Reader) error {
	lines, err := readIndex(filepath.Join(dir, "index.tsv"))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(input)
	for {
		var p published
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if err := p.write(dir); err != nil {
			return fmt.Errorf("%s%s: %w", p.Policy.Path, p.Policy.PolicyName, err)
		}
		lines[p.Policy.Path+p.Policy.PolicyName] = p.line()
	}
	return writeIndex(filepath.Join(dir, "index.tsv"), lines)
}

// write checks the document and writes it to its file.
func (p *published) write(dir string) error {
	if p.PolicyVersion.VersionID != p.Policy.DefaultVersionID {
		return fmt.Errorf("the document is of version %q, not of the default version %q", p.PolicyVersion.VersionID, p.Policy.DefaultVersionID)
	}
	if _, err := policy.Compile(string(p.PolicyVersion.Document)); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, p.PolicyVersion.Document, "", " "); err != nil {
		return err
	}
	text.WriteByte('\n')
	file := filepath.Join(dir, "documents", filepath.FromSlash(p.Policy.Path), p.Policy.PolicyName+".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o600)
}

// line returns the policy's line of the index.
func (p *published) line() string {
	return strings.Join([]string{
		p.Policy.Path + p.Policy.PolicyName,
		p.Policy.DefaultVersionID,
		p.Policy.CreateDate.UTC().Format(time.RFC3339),
		p.Policy.UpdateDate.UTC().Format(time.RFC3339),
	}, "\t")
}

// readIndex returns the lines of the index by path and name.
func readIndex(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	lines := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		key, _, _ := strings.Cut(line, "\t")
		lines[key] = line
	}
	return lines, nil
}

func writeIndex(file string, lines map[string]string) error {
	sorted := make([]string, 0, len(lines))
	for _, line := range lines {
		sorted = append(sorted, line+"\n")
	}
	slices.Sort(sorted)
	return os.WriteFile(file, []byte(strings.Join(sorted, "")), 0o600)
}
