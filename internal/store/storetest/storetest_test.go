package storetest

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// recorder is a test that notes whether it was failed.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func TestCheckPlan(t *testing.T) {
	tests := []struct {
		query string
		plan  []string
		fails bool
	}{
		{"by key", []string{"SEARCH users USING INDEX users_by_name (name=?)"}, false},
		{"all", []string{"SCAN users"}, true},
		{"all, by an index", []string{"SCAN users USING COVERING INDEX users_by_name"}, true},
		{"the first … LIMIT 1", []string{"SCAN users USING INDEX users_by_name"}, false},
		{"all … LIMIT 1", []string{"SCAN users", "USE TEMP B-TREE FOR ORDER BY"}, true},
		{"constant", []string{"SCAN CONSTANT ROW"}, false},
		{"subquery", []string{"CO-ROUTINE d", "SEARCH users USING INDEX users_by_name (name=?)", "SCAN d"}, false},
		{"subquery over all", []string{"MATERIALIZE d", "SCAN users", "SCAN d"}, true},
		{"exempt", []string{"SCAN key_generation"}, false},
	}
	for _, test := range tests {
		r := &recorder{TB: t}
		checkPlan(r, test.query, test.plan)
		if (len(r.failures) > 0) != test.fails {
			t.Errorf("%s: failed with %q, want a failure: %v", test.query, r.failures, test.fails)
		}
	}
}

func TestWith(t *testing.T) {
	for _, dsn := range []string{
		"host=/tmp/socket user=me dbname=one",
		"postgres://me@localhost:5432/one?sslmode=disable",
		"postgresql://me@localhost:5432?dbname=one",
	} {
		got := with(with(dsn, "dbname", "two"), "search_path", "three")
		conf, err := pgx.ParseConfig(got)
		if err != nil {
			t.Errorf("%s: %v", got, err)
			continue
		}
		if conf.Database != "two" || conf.RuntimeParams["search_path"] != "three" || conf.User != "me" {
			t.Errorf("%s became %s", dsn, got)
		}
	}
}
