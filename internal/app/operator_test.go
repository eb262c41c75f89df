package app

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// managed is a program on an installation that was set up, without servers.
func managed(t *testing.T, s *store.Store) *Program {
	t.Helper()
	p := unmanaged(t, s, storetest.Now)
	if _, err := p.Initialize(t.Context(), ManagementAccount{ID: sampleManagement, Name: "m", Email: "m@example.com"}); err != nil {
		t.Fatal(err)
	}
	return p
}

// unmanaged is a program on an empty store, with a clock.
func unmanaged(t *testing.T, s *store.Store, now func() time.Time, with ...func(*Options)) *Program {
	t.Helper()
	root, err := keys.NewRoot(ident.NewSource(rand.Reader).Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	address := &url.URL{Scheme: "http", Host: "localhost"}
	o := Options{
		PeopleURL: address, DataURL: address, Region: "us-east-1", Operator: Operator{"root", "db1"},
		Store: s, Root: root, Log: slog.New(slog.DiscardHandler), Now: now, Rand: rand.Reader,
	}
	for _, f := range with {
		f(&o)
	}
	p, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// recorded returns the trail, an event a line: who, what and its details.
func recorded(t *testing.T, p *Program) (lines []string) {
	t.Helper()
	if err := p.trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := p.Store.View(t.Context(), func(tx *store.Tx) error {
		lines = nil
		entries, _, err := audit.Read(tx, 0, 1000)
		for _, e := range entries {
			var r struct {
				UserIdentity                                                    struct{ PrincipalID, AccountID string }
				EventSource, EventName, EventType, SourceIPAddress, EventSchema string
				ServiceEventDetails                                             json.RawMessage
			}
			if err := json.Unmarshal(e.JSON, &r); err != nil {
				return err
			}
			if r.EventSource != audit.Source || r.EventType != audit.ServiceEvent {
				t.Errorf("a record of another kind: %s", e.JSON)
			}
			lines = append(lines, strings.Join([]string{r.UserIdentity.PrincipalID, r.SourceIPAddress, r.EventName, string(r.ServiceEventDetails)}, " "))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// operations are the two ways to operate an installation: by itself and
// through the control socket.
func operations(t *testing.T, p *Program) map[string]Operations {
	t.Helper()
	dir := t.TempDir()
	l, err := ListenControl(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(p.control)}}
	server.Start()
	t.Cleanup(server.Close)
	c, found := DialControl(t.Context(), dir)
	if !found {
		t.Fatal("the node is not found")
	}
	return map[string]Operations{"itself": p, "socket": c}
}

// TestSettingUpIsRecorded expects a record of who made the installation and
// its first access key.
func TestSettingUpIsRecorded(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		p := managed(t, s)
		held, err := p.AdministratorKeys(t.Context())
		if err != nil || len(held) != 1 {
			t.Fatalf("the administrator has %v, %v", held, err)
		}
		want := []string{
			`operator:root db1 Initialize {"accountId":"123456789012"}`,
			`operator:root db1 CreateAccessKey {"accessKeyId":"` + held[0].ID + `","userName":"administrator"}`,
		}
		got := recorded(t, p)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("the trail lacks %s:\n%s", line, strings.Join(got, "\n"))
			}
		}
	})
}

// TestRotatingKeysIsRecorded rotates and revokes, and expects a record of each
// purpose's.
func TestRotatingKeysIsRecorded(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		p := managed(t, s)
		for name, o := range operations(t, p) {
			before := len(recorded(t, p))
			rotated, err := o.RotateKeys(t.Context(), Operator{"ann", "db2"}, true)
			if err != nil {
				t.Fatal(err)
			}
			got := recorded(t, p)[before:]
			var want []string
			for _, r := range rotated {
				line := func(event string, details map[string]any) {
					details["purpose"] = r.Purpose
					raw, _ := json.Marshal(details)
					want = append(want, "operator:ann db2 "+event+" "+string(raw))
				}
				line("RotateKeys", map[string]any{"generation": r.Generation})
				if !r.Purpose.AtRest() {
					line("RevokeKeys", map[string]any{"removed": r.Revoked})
				}
				if r.Revoked == 0 != r.Purpose.AtRest() || r.Generation < 2 {
					t.Errorf("%s: %+v", name, r)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" || len(rotated) != len(keys.Purposes()) {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// TestAdministratorKeys replaces the administrator's access key in every way.
func TestAdministratorKeys(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		p := managed(t, s)
		for name, o := range operations(t, p) {
			t.Run(name, func(t *testing.T) { replaceKeys(t, p, o) })
		}
	})
}

func replaceKeys(t *testing.T, p *Program, o Operations) {
	ctx, by := t.Context(), Operator{"ann", "db2"}
	works := func(key AccessKey, want bool) {
		t.Helper()
		if got, err := p.KeyWorks(ctx, key); err != nil || got != want {
			t.Errorf("the key %s works: %t, %v", key.ID, got, err)
		}
	}
	rotate := func(revoke bool) AccessKey {
		t.Helper()
		key, err := o.RotateAdministratorKey(ctx, by, revoke)
		if err != nil {
			t.Fatal(err)
		}
		works(key, true)
		return key
	}
	first := rotate(true) // one key, whatever there was
	second := rotate(false)
	works(first, true)
	if _, err := o.RotateAdministratorKey(ctx, by, false); err == nil || !strings.Contains(err.Error(), "Disable one") {
		t.Errorf("a third key: %v", err)
	}
	works(first, true)
	if err := o.EnableAdministratorKey(ctx, by, first.ID, false); err != nil {
		t.Fatal(err)
	}
	works(first, false)
	if err := o.EnableAdministratorKey(ctx, by, first.ID, true); err != nil {
		t.Fatal(err)
	}
	works(first, true)
	if err := o.EnableAdministratorKey(ctx, by, first.ID, false); err != nil {
		t.Fatal(err)
	}
	third := rotate(false) // in the place of the one that is disabled
	works(first, false)
	works(second, true)
	last := rotate(true)
	works(second, false)
	works(third, false)
	held, err := o.AdministratorKeys(ctx)
	if err != nil || len(held) != 1 || held[0].ID != last.ID || !held[0].Active || held[0].AccountID != sampleManagement {
		t.Errorf("the administrator has %+v, %v", held, err)
	}
	if err := o.EnableAdministratorKey(ctx, by, "AKIAEXAMPLE", false); err == nil || !strings.Contains(err.Error(), "no access key AKIAEXAMPLE") {
		t.Errorf("a key that is not there: %v", err)
	}
	all := strings.Join(recorded(t, p), "\n")
	for _, want := range []string{
		"operator:ann db2 CreateAccessKey {\"accessKeyId\":\"" + first.ID, "operator:ann db2 DeleteAccessKey {\"accessKeyId\":\"" + first.ID,
		"operator:ann db2 UpdateAccessKey {\"accessKeyId\":\"" + first.ID + "\",\"active\":false",
		"operator:ann db2 UpdateAccessKey {\"accessKeyId\":\"" + first.ID + "\",\"active\":true",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the trail has no %s:\n%s", want, all)
		}
	}
	if strings.Contains(all, last.Secret) {
		t.Error("the trail has a secret")
	}
}

// TestControlSocket expects that nobody is found where no node listens, and
// that a socket left by a node that was killed is in nobody's way.
func TestControlSocket(t *testing.T) {
	dir := t.TempDir()
	if _, found := DialControl(t.Context(), dir); found {
		t.Error("a node is found where none was")
	}
	l, err := ListenControl(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if _, found := DialControl(t.Context(), dir); found {
		t.Error("a node is found that was killed")
	}
	if l, err = ListenControl(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// TestTrailIsReadBesideTheNode verifies the trail of a database that another
// process writes, as far as a test can: a second store on the same file.
func TestTrailIsReadBesideTheNode(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "atrium.db")
	d := Database{SQLitePath: path}
	log := slog.New(slog.DiscardHandler)
	db, err := OpenStore(ctx, d, storetest.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := managed(t, db)
	open := func() (*Trail, error) { return OpenTrail(ctx, d, p.Root, storetest.Now, rand.Reader, log) }
	check := func(records, pending int) {
		t.Helper()
		trail, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer trail.Close()
		report, waiting, err := trail.Verify(ctx)
		if err != nil || !report.Good() || int(report.Records) != records || waiting != pending {
			t.Errorf("%+v, %d in no batch, %v; want %d and %d", report, waiting, err, records, pending)
		}
		if entries, _, err := trail.Read(ctx, 0, 100); err != nil || len(entries) != records {
			t.Errorf("read %d records, %v", len(entries), err)
		}
		if err := trail.db.Update(ctx, func(*store.Tx) error { return nil }); err == nil {
			t.Error("what is open for reading can be written")
		}
	}
	var made int // records of setting up
	err = db.View(ctx, func(tx *store.Tx) error {
		pending, err := tx.PendingAudit(100)
		made = len(pending)
		return err
	})
	if err != nil || made == 0 {
		t.Fatalf("%d records of setting up, %v", made, err)
	}
	check(0, made)
	if err := p.trail.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	check(made, 0)
	if _, err := p.RotateAdministratorKey(ctx, Operator{}, false); err != nil {
		t.Fatal(err)
	}
	check(made, 1)
	if err := db.Update(ctx, emptyTrail); err != nil {
		t.Fatal(err)
	}
	trail, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer trail.Close()
	if _, _, err := trail.Verify(ctx); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("the empty trail: %v", err)
	}
}

func emptyTrail(tx *store.Tx) error {
	pending, err := tx.PendingAudit(100)
	if err != nil {
		return err
	}
	var ids []string
	for _, p := range pending {
		ids = append(ids, p.EventID)
	}
	if _, err := tx.DeletePendingAudit(ids); err != nil {
		return err
	}
	_, err = tx.DeleteAuditBatches(1000)
	return err
}

// TestTrailOfNothing expects an error where there is no installation, and that
// asking makes none.
func TestTrailOfNothing(t *testing.T) {
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	path := filepath.Join(t.TempDir(), "atrium.db")
	root, err := keys.NewRoot(ident.NewSource(rand.Reader).Bytes(keys.RootSize), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	open := func() error {
		trail, err := OpenTrail(ctx, Database{SQLitePath: path}, root, storetest.Now, rand.Reader, log)
		if err == nil {
			trail.Close()
		}
		return err
	}
	if err := open(); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("without a database: %v", err)
	}
	if exists(path) {
		t.Fatal("asking made a database")
	}
	db, err := OpenStore(ctx, Database{SQLitePath: path}, storetest.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if err := open(); err == nil || !strings.Contains(err.Error(), "no installation") {
		t.Errorf("without an installation: %v", err)
	}
}
