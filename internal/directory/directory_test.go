package directory_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
)

const testStore = "d-1234567890"

// world is a directory under test: a database, a clock that moves with every
// change, and a source of ids.
type world struct {
	db    *store.Store
	store string
	ids   ident.Source
	ticks *atomic.Int64
}

func newWorld(db *store.Store) *world {
	return &world{db: db, store: testStore, ids: ident.NewSource(rand.Reader), ticks: new(atomic.Int64)}
}

// stamp is the next moment.
func (w *world) stamp() directory.Stamp {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(w.ticks.Add(1)) * time.Millisecond)
	return directory.Stamp{At: at, By: "arn:aws:iam::123456789012:user/admin"}
}

// update runs fn in a transaction and returns its result.
func update[R any](t fataler, w *world, fn func(tx directory.Tx) (R, error)) (result R, err error) {
	t.Helper()
	err = store.Bind[directory.Tx](w.db).Update(t.Context(), func(tx directory.Tx) (err error) {
		result, err = fn(tx)
		return err
	})
	return result, err
}

// view is update for reading.
func view[R any](t fataler, w *world, fn func(tx directory.Tx) (R, error)) (result R, err error) {
	t.Helper()
	err = store.Bind[directory.Tx](w.db).View(t.Context(), func(tx directory.Tx) (err error) {
		result, err = fn(tx)
		return err
	})
	return result, err
}

func (w *world) createUser(t fataler, in directory.NewUser) (directory.User, error) {
	t.Helper()
	by := w.stamp()
	return update(t, w, func(tx directory.Tx) (directory.User, error) {
		return directory.CreateUser(tx, w.ids, by, w.store, in)
	})
}

func (w *world) createGroup(t fataler, in directory.NewGroup) (directory.Group, error) {
	t.Helper()
	by := w.stamp()
	return update(t, w, func(tx directory.Tx) (directory.Group, error) {
		return directory.CreateGroup(tx, w.ids, by, w.store, in)
	})
}

func (w *world) createMembership(t fataler, group, user string) (directory.Membership, error) {
	t.Helper()
	by := w.stamp()
	return update(t, w, func(tx directory.Tx) (directory.Membership, error) {
		return directory.CreateMembership(tx, w.ids, by, w.store, group, user)
	})
}

func (w *world) updateUser(t fataler, id string, operations ...directory.Operation) (after directory.User, err error) {
	t.Helper()
	by := w.stamp()
	return update(t, w, func(tx directory.Tx) (directory.User, error) {
		_, after, err := directory.UpdateUser(tx, by, w.store, id, operations)
		return after, err
	})
}

func (w *world) user(t fataler, id string) (directory.User, error) {
	t.Helper()
	return view(t, w, func(tx directory.Tx) (directory.User, error) { return directory.UserByID(tx, w.store, id) })
}

// mustUser creates a user who has what every user must have and an address.
func (w *world) mustUser(t fataler, name string) directory.User {
	t.Helper()
	return must(w.createUser(t, person(name)))(t)
}

func (w *world) mustGroup(t fataler, name string) directory.Group {
	t.Helper()
	return must(w.createGroup(t, directory.NewGroup{DisplayName: name}))(t)
}

func person(name string) directory.NewUser {
	return directory.NewUser{Attributes: directory.Attributes{
		UserName: name, DisplayName: "Display " + name,
		Name:   directory.Name{GivenName: "Given", FamilyName: "Family"},
		Emails: []directory.Email{{Value: name + "@example.com", Type: "work", Primary: new(true)}},
	}}
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

func must[R any](result R, err error) func(t fataler) R {
	return func(t fataler) R {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return result
	}
}

// failure is what a caller sees of an error.
type failure struct {
	Category fault.Category
	Message  string
	Reason   string
	Type, ID string
}

func failureOf(err error) failure {
	if err == nil {
		return failure{Message: "no error"}
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return failure{Message: fmt.Sprintf("not a fault: %v", err)}
	}
	return failure{Category: f.Category, Message: f.Message, Reason: f.Reason, Type: f.ResourceType, ID: f.ResourceID}
}

func wantFailure(t fataler, err error, want failure) {
	t.Helper()
	if diff := cmp.Diff(want, failureOf(err)); diff != "" {
		t.Errorf("the failure differs (-want +got):\n%s", diff)
	}
}

func invalid(message string) failure { return failure{Category: fault.Invalid, Message: message} }

func duplicate(message string) failure {
	return failure{Category: fault.Conflict, Message: message, Reason: "UNIQUENESS_CONSTRAINT_VIOLATION"}
}

func notFound(kind, id string) failure {
	return failure{Category: fault.NotFound, Message: kind + " not found.", Type: kind, ID: id}
}

var _ fataler = (*testing.T)(nil)
