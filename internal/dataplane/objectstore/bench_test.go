package objectstore_test

import (
	"io"
	"strings"
	"testing"
)

func BenchmarkGetObject(b *testing.B) {
	s := open(b)
	s.must(b, put("key", strings.Repeat("x", 1<<10)))
	b.ReportAllocs()
	for b.Loop() {
		a := s.must(b, operation("GetObject", "key", nil))
		_, _ = io.Copy(io.Discard, a.Body)
		a.Body.Close()
	}
}
