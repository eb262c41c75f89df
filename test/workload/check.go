package workload

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver
	_ "modernc.org/sqlite"             // driver

	"github.com/atrium-iam/atrium/test/node"
)

// Open opens a node's database beside it, to read.
func Open(t testing.TB, database node.Database) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+database.SQLitePath+"?mode=ro&_pragma=busy_timeout(10000)"
	if database.PostgresDSN != "" {
		driver, dsn = "pgx", database.PostgresDSN
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Share makes the permission sets that exist now ones that all workers assign,
// and everything that exists now a part of what must stay.
func (l *Load) Share(t testing.TB, db *sql.DB) {
	t.Helper()
	found := everything(t, db)
	_, before := changes(t, db)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = before
	for key := range found {
		l.things[key] = Present
	}
	for _, id := range column(t, db, `SELECT id FROM permission_sets`) {
		arn := strings.Replace(l.InstanceARN, ":instance/", ":permissionSet/", 1) + "/" + id
		l.things["shared/"+arn] = Present
	}
}

func (l *Load) shared() (arns []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.things {
		if arn, ok := strings.CutPrefix(key, "shared/"); ok {
			arns = append(arns, arn)
		}
	}
	return arns
}

func (l *Load) state(key string) State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.things[key]
}

// assigned reports whether a permission set is, or may be, assigned.
func (l *Load) assigned(set string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, state := range l.things {
		if state != Absent && strings.HasPrefix(key, "assignment/"+set+"/") {
			return true
		}
	}
	return false
}

// Check holds the database to what was acknowledged, and to being whole. What
// was unknown is known afterwards. No worker may run.
func (l *Load) Check(t testing.TB, db *sql.DB) {
	t.Helper()
	found := everything(t, db)
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := 0
	for key, state := range l.things {
		if strings.HasPrefix(key, "shared/") {
			continue
		}
		if state == Unknown {
			l.things[key] = map[bool]State{true: Present, false: Absent}[found[key]]
			continue
		}
		if found[key] != (state == Present) {
			if wrong++; wrong < 20 {
				t.Errorf("%s: in the database: %t, acknowledged: %t", key, found[key], state == Present)
			}
		}
	}
	for key := range found {
		if _, known := l.things[key]; !known {
			t.Errorf("%s is in the database, but nobody asked for it", key)
		}
	}
	CheckWhole(t, db)
}

// everything lists the keys of what is in the database.
func everything(t testing.TB, db *sql.DB) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for prefix, query := range map[string]string{
		"user/":       `SELECT user_name_key FROM directory_users`,
		"group/":      `SELECT display_name_key FROM directory_groups`,
		"set/":        `SELECT name FROM permission_sets`,
		"member/":     `SELECT group_id || '/' || user_id FROM directory_memberships`,
		"assignment/": `SELECT permission_set_id || '/' || account_id || '/' || principal_id FROM account_assignments`,
	} {
		for _, key := range column(t, db, query) {
			found[prefix+key] = true
		}
	}
	return found
}

// CheckWhole finds what is half-done.
func CheckWhole(t testing.TB, db *sql.DB) {
	t.Helper()
	for what, query := range map[string]string{
		"assignment without a role": `SELECT a.permission_set_id || ' in ' || a.account_id FROM account_assignments a
			LEFT JOIN provisioned_permission_sets p ON p.permission_set_id = a.permission_set_id AND p.account_id = a.account_id
			LEFT JOIN iam_roles r ON r.account_id = p.account_id AND r.role_id = p.role_id AND r.name = p.role_name
			WHERE r.role_id IS NULL`,
		"role that nobody is assigned": `SELECT p.role_name FROM provisioned_permission_sets p
			LEFT JOIN account_assignments a ON p.permission_set_id = a.permission_set_id AND p.account_id = a.account_id
			WHERE a.principal_id IS NULL`,
		"reserved role of no permission set": `SELECT r.name FROM iam_roles r
			LEFT JOIN provisioned_permission_sets p ON r.account_id = p.account_id AND r.role_id = p.role_id
			WHERE r.path LIKE '/aws-reserved/sso.amazonaws.com/%' AND p.role_id IS NULL`,
		"two roles of one permission set in an account": `SELECT permission_set_id FROM provisioned_permission_sets
			GROUP BY permission_set_id, account_id HAVING COUNT(*) > 1`,
		"membership without its user or group": `SELECT m.membership_id FROM directory_memberships m
			LEFT JOIN directory_users u ON u.store_id = m.store_id AND u.user_id = m.user_id
			LEFT JOIN directory_groups g ON g.store_id = m.store_id AND g.group_id = m.group_id
			WHERE u.user_id IS NULL OR g.group_id IS NULL`,
		"request that is neither done nor failed": `SELECT id FROM assignment_requests WHERE status NOT IN ('SUCCEEDED', 'FAILED')`,
		"assignment that no request made": `SELECT a.permission_set_id FROM account_assignments a
			LEFT JOIN assignment_requests r ON r.kind = 'CREATE' AND r.status = 'SUCCEEDED' AND r.permission_set_id = a.permission_set_id
				AND r.account_id = a.account_id AND r.principal_id = a.principal_id
			WHERE r.id IS NULL`,
	} {
		if rows := column(t, db, query); len(rows) > 0 {
			t.Errorf("%d times a %s: %.5q", len(rows), what, rows)
		}
	}
}

// CheckAudit waits until the trail is sealed or a few seconds are over, and
// holds that every acknowledged change has exactly one record, and that there
// are no records of changes that nobody asked for.
func (l *Load) CheckAudit(t testing.TB, db *sql.DB) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if len(column(t, db, `SELECT event_id FROM audit_pending`)) == 0 {
			break
		}
	}
	records, made := changes(t, db)
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, operation := range l.requests {
		if got := records[id]; len(got) != 1 || got[0] != operation {
			t.Errorf("the records of %s %s are %q", operation, id, got)
		}
	}
	if made -= l.before; made < len(l.requests) || made > len(l.requests)+l.open {
		t.Errorf("%d records of changes; %d were acknowledged and %d not answered", made, len(l.requests), l.open)
	}
}

// changes returns the names of the trail's records by request id, and how many
// of them are of changes that were made.
func changes(t testing.TB, db *sql.DB) (records map[string][]string, made int) {
	t.Helper()
	records = map[string][]string{}
	for _, r := range Trail(t, db) {
		records[r.RequestID] = append(records[r.RequestID], r.EventName)
		if !r.ReadOnly && r.ErrorCode == "" {
			made++
		}
	}
	return records, made
}

// Record is what we look at of an audit record.
type Record struct {
	RequestID, EventName, EventSource, ErrorCode string
	ReadOnly                                     bool
	Text                                         string `json:"-"` // all of it
}

// Trail reads all audit records, sealed or not.
func Trail(t testing.TB, db *sql.DB) (records []Record) {
	t.Helper()
	add := func(line []byte) {
		r := Record{Text: string(line)}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("an audit record is no JSON: %v\n%s", err, line)
		}
		records = append(records, r)
	}
	for _, body := range column(t, db, `SELECT body FROM audit_pending`) {
		add([]byte(body))
	}
	for _, content := range column(t, db, `SELECT content FROM audit_batch WHERE kind = 'records' ORDER BY number`) {
		z, err := gzip.NewReader(bytes.NewReader([]byte(content)))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			add(bytes.Clone(lines.Bytes()))
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return records
}

// column returns the one column of a query as text.
func column(t testing.TB, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, string(value))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", query, err))
	}
	return values
}
