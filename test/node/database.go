package node

import (
	"path/filepath"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// Database says where a node's data is, for tests that look at it beside the
// node: a file or a connection string.
type Database struct{ SQLitePath, PostgresDSN string }

// RunDatabase is RunConfig, and tells the test where the data is.
func RunDatabase(t *testing.T, cfg store.Config, test func(t *testing.T, n *Node, db Database)) {
	t.Helper()
	run := func(t *testing.T, db Database) {
		clock := new(Clock)
		cfg := cfg
		cfg.Clock, cfg.SQLitePath, cfg.PostgresDSN = clock.Now, db.SQLitePath, db.PostgresDSN
		test(t, start(t, storetest.Open(t, cfg), clock), db)
	}
	t.Run("SQLite", func(t *testing.T) { run(t, Database{SQLitePath: filepath.Join(t.TempDir(), "atrium.db")}) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, Database{PostgresDSN: storetest.Postgres(t)}) })
}
