package climodel_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/awsgen/botocore"
	"github.com/atrium-iam/atrium/internal/awsgen/model"
	"github.com/atrium-iam/atrium/internal/climodel"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// TestReadAgain writes the models of services, reads them as botocore's and
// compares them with what the services were generated from.
func TestReadAgain(t *testing.T) {
	for _, s := range []*schema.Service{settings.Descriptor(), identitystore.Descriptor(), organizations.Descriptor(), ssoadmin.Descriptor()} {
		t.Run(s.ID, func(t *testing.T) {
			dir, name := t.TempDir(), climodel.Name{Command: s.ID, Title: "Title", ID: "ID"}
			raw, err := climodel.Write(s, name)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, filepath.FromSlash(climodel.File(s, name)))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := botocore.Import(dir, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			want, err := model.Load(filepath.Join("..", "..", "model"), s.ID)
			if err != nil {
				t.Fatal(err)
			}
			forget(got)
			forget(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-model +read again:\n%s", diff)
			}
		})
	}
}

// TestPaginators reads back how lists are paged.
func TestPaginators(t *testing.T) {
	s := settings.Descriptor()
	raw, err := climodel.WritePaginators(s)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Pagination map[string]map[string]any }
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	want := map[string]any{"input_token": "NextToken", "output_token": "NextToken", "limit_key": "MaxResults", "result_key": []any{"Sessions"}}
	if diff := cmp.Diff(want, got.Pagination["ListSessions"]); diff != "" {
		t.Errorf("ListSessions (-want +got):\n%s", diff)
	}
	if _, paged := got.Pagination["UpdatePassword"]; paged || len(got.Pagination) == 0 {
		t.Errorf("paged are %v", got.Pagination)
	}
	name := climodel.Name{Command: "atrium"}
	if file := climodel.PaginatorsFile(s, name); path.Dir(file) != path.Dir(climodel.File(s, name)) || path.Base(file) != "paginators-1.json" {
		t.Errorf("in %s", file)
	}
}

// forget takes out what clients have no use for: how operations are paged and
// whether they only read, and what is in an error beside its names.
func forget(s *model.Service) {
	used := map[string]bool{}
	for name, op := range s.Operations {
		op.Paginator, op.ReadOnly = nil, false
		s.Operations[name] = op
		use(s, op.Input, used)
		use(s, op.Output, used)
	}
	for name, shape := range s.Shapes {
		if shape.Error == nil && !used[name] {
			delete(s.Shapes, name)
			continue
		}
		for i := range shape.Members {
			if shape.Error != nil {
				shape.Members[i].Shape = ""
			}
		}
		// The order of members does not travel.
		slices.SortFunc(shape.Members, func(a, b model.Member) int { return strings.Compare(a.Name, b.Name) })
		s.Shapes[name] = shape
	}
}

// use marks the shapes that are reached from one.
func use(s *model.Service, name string, used map[string]bool) {
	if name == "" || used[name] {
		return
	}
	used[name] = true
	shape := s.Shapes[name]
	for _, next := range []string{shape.Key, shape.Value} {
		use(s, next, used)
	}
	if shape.Element != nil {
		use(s, shape.Element.Shape, used)
	}
	for _, m := range shape.Members {
		use(s, m.Shape, used)
	}
}

// TestOptionsAreFree keeps the names of inputs apart from the options that the
// AWS CLI, of either version, has for every command: it would read them itself.
func TestOptionsAreFree(t *testing.T) {
	taken := strings.Fields(`debug endpoint-url no-verify-ssl no-paginate output query profile region version color
		no-sign-request ca-bundle cli-read-timeout cli-connect-timeout cli-binary-format no-cli-pager cli-auto-prompt
		no-cli-auto-prompt cli-error-format v2-debug cli-input-json cli-input-yaml generate-cli-skeleton
		page-size max-items starting-token`)
	s := settings.Descriptor()
	for i := range s.Operations {
		op := &s.Operations[i]
		if op.Input < 0 {
			continue
		}
		for _, m := range s.Shapes[op.Input].Members {
			if name := option(m.Name); slices.Contains(taken, strings.TrimPrefix(name, "no-")) || slices.Contains(taken, name) {
				t.Errorf("%s of %s would be --%s, which the AWS CLI has itself", m.Name, op.Name, name)
			}
		}
	}
}

// option is how the AWS CLI names a member.
func option(member string) string {
	var b strings.Builder
	for i, r := range member {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
