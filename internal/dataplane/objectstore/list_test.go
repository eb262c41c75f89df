package objectstore_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// TestTheStoreIsAMap holds the store to a map from keys to content, whatever is
// done to it. Keys are such as would collide if they were names of files.
func TestTheStoreIsAMap(t *testing.T) {
	s := open(t)
	keys := []string{"a", "a/", "a/b", "a/b/c", "A", "a\\b", "../a", "..", ".", "/a", "//", "a//b", "ü", "a b", "a%2fb", "~", "\x01", "日", "CON", strings.Repeat("k", 1024)}
	content := rapid.StringN(0, 10, 50)
	empty := new(s3.Delete)
	for _, key := range keys {
		empty.Objects = append(empty.Objects, s3.ObjectToDrop{Key: key})
	}
	few(t)
	rapid.Check(t, func(r *rapid.T) {
		clearing := operation("DeleteObjects", "", nil)
		clearing.Document = empty
		s.must(t, clearing)
		model := map[string]string{}
		key := rapid.SampledFrom(keys)
		r.Repeat(map[string]func(*rapid.T){
			"put": func(r *rapid.T) {
				k, c := key.Draw(r, "key"), content.Draw(r, "content")
				s.must(t, put(k, c))
				model[k] = c
			},
			"copy": func(r *rapid.T) {
				from, to := key.Draw(r, "from"), key.Draw(r, "to")
				op := operation("CopyObject", to, nil, "X-Amz-Metadata-Directive", "REPLACE")
				op.Source = &s3.Source{Bucket: "bucket", Key: from}
				want := ""
				if c, ok := model[from]; ok {
					model[to] = c
				} else {
					want = "NoSuchKey"
				}
				if got := s.code(op); got != want {
					r.Fatalf("copy: %q, want %q", got, want)
				}
			},
			"delete": func(r *rapid.T) {
				k := key.Draw(r, "key")
				s.must(t, operation("DeleteObject", k, nil))
				delete(model, k)
			},
			"": func(r *rapid.T) {
				for _, k := range keys {
					want, ok := model[k]
					if got := s.code(operation("GetObject", k, nil)); (got == "") != ok {
						r.Fatalf("%q: %q, in the model: %v", k, got, ok)
					}
					if ok && s.get(t, k) != want {
						r.Fatalf("%q has other content", k)
					}
				}
				s.checkList(r, model)
			},
		})
	})
}

// few lowers how often rapid checks, unless the command line says how often:
// every step of it waits for the disk.
func few(t *testing.T) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		t.Cleanup(func() { _ = flag.Set(checks.Name, before) })
		if err := flag.Set(checks.Name, "15"); err != nil {
			t.Fatal(err)
		}
	}
}

// checkList compares a list with what it should be, by definition.
func (s *shop) checkList(r *rapid.T, model map[string]string) {
	prefix, delimiter := rapid.SampledFrom([]string{"", "a", "a/", "/", "."}).Draw(r, "prefix"), rapid.SampledFrom([]string{"", "/", "b", "//"}).Draw(r, "delimiter")
	size := rapid.IntRange(1, 5).Draw(r, "size")
	want := map[string]bool{}
	for k := range model {
		if !strings.HasPrefix(k, prefix) {
			continue
		}
		if before, _, found := strings.Cut(k[len(prefix):], delimiter); found && delimiter != "" {
			k = prefix + before + delimiter
		}
		want[k] = true
	}
	var sorted, got []string
	for k := range want {
		sorted = append(sorted, k)
	}
	slices.Sort(sorted)
	for token := ""; ; {
		op := operation("ListObjectsV2", "", nil, "prefix", prefix, "delimiter", delimiter, "max-keys", strconv.Itoa(size))
		if token != "" {
			op.Query["continuation-token"] = token
		}
		a, err := s.Do(context.Background(), account, op)
		if err != nil {
			r.Fatal(err)
		}
		page := a.Document.(*s3.ListBucketResult)
		if n := len(page.Contents) + len(page.CommonPrefixes); n > size {
			r.Fatalf("%d entries on a page of %d", n, size)
		}
		for _, o := range page.Contents {
			got = append(got, o.Key)
		}
		for _, p := range page.CommonPrefixes {
			got = append(got, p.Prefix)
		}
		if !page.IsTruncated {
			break
		}
		token = page.NextContinuationToken
	}
	slices.Sort(got)
	if diff := cmp.Diff(sorted, got); diff != "" {
		r.Fatalf("list with prefix %q, delimiter %q in pages of %d (-want +got):\n%s", prefix, delimiter, size, diff)
	}
}

func TestListsOfBucketsAndUploadsGoOn(t *testing.T) {
	s := open(t)
	for n := range 5 {
		op := operation("CreateBucket", "", nil)
		op.Bucket = fmt.Sprintf("b%d", n)
		s.must(t, op)
		s.upload(t, "same", "x")
		s.upload(t, fmt.Sprintf("dir/%d", n), "x")
	}
	var names, uploads []string
	for token := ""; ; {
		op := operation("ListBuckets", "", nil, "max-buckets", "2", "prefix", "b")
		op.Query["continuation-token"] = token
		page := s.must(t, op).Document.(*s3.ListAllMyBucketsResult)
		for _, b := range page.Buckets {
			names = append(names, b.Name)
		}
		if token = page.ContinuationToken; token == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "b0 b1 b2 b3 b4 bucket" {
		t.Errorf("buckets: %s", got)
	}
	key, id := "", ""
	for {
		op := operation("ListMultipartUploads", "", nil, "max-uploads", "2", "delimiter", "/", "key-marker", key, "upload-id-marker", id)
		page := s.must(t, op).Document.(*s3.ListMultipartUploadsResult)
		for _, p := range page.CommonPrefixes {
			uploads = append(uploads, p.Prefix)
		}
		for _, u := range page.Uploads {
			uploads = append(uploads, u.Key)
		}
		if key, id = page.NextKeyMarker, page.NextUploadIDMarker; !page.IsTruncated {
			break
		}
	}
	if got := strings.Join(uploads, " "); got != "dir/ same same same same same" {
		t.Errorf("uploads: %s", got)
	}
}
