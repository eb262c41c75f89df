// Package workload changes a node as many clients at once do, remembers what
// was acknowledged, and then holds the database to it: nothing that was
// acknowledged is missing, nothing is half-done, and every change has its audit
// record.
package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/atrium-iam/atrium/test/node"
)

// Load is a workload and what is known of its effects. Keys name things:
// "user/<name>", "group/<name>", "set/<name>",
// "member/<group id>/<user id>" and
// "assignment/<permission set id>/<account>/<principal id>".
type Load struct {
	StoreID, InstanceARN string

	mu       sync.Mutex
	things   map[string]State
	requests map[string]string // acknowledged changes: request id → operation
	open     int               // changes of which we do not know whether they were made
	before   int               // changes that the trail recorded before us
	refused  map[string]int    // by error code
	problems []string
}

// State is what is known of a thing.
type State uint8

// The states. What was asked for and never answered is Unknown.
const (
	Absent State = iota
	Present
	Unknown
)

// New returns the workload of a node's identity store and instance.
func New(storeID, instanceARN string) *Load {
	return &Load{
		StoreID: storeID, InstanceARN: instanceARN,
		things: map[string]State{}, requests: map[string]string{}, refused: map[string]int{},
	}
}

// Worker is one client. It changes things of its own, in places that all share.
type Worker struct {
	load   *Load
	client *node.Caller
	name   string
	random *rand.Rand
	made   int // counts names
	lost   bool

	users, groups map[string]string // name → id
	members       map[string]member // key → membership
	sets          map[string]string // name → ARN
	assignments   map[string]assigned
}

type member struct{ id, user, group string }

type assigned struct{ set, account, kind, principal string }

// Worker returns a client called name, which nobody else may use.
func (l *Load) Worker(c *node.Caller, name string) *Worker {
	seed := uint64(0)
	for _, r := range name {
		seed = seed*31 + uint64(r)
	}
	return &Worker{
		load: l, client: c, name: name, random: rand.New(rand.NewPCG(seed, 1)),
		users: map[string]string{}, groups: map[string]string{}, members: map[string]member{},
		sets: map[string]string{}, assignments: map[string]assigned{},
	}
}

// Reconnect gives the worker another client after the node has gone. Things of
// which the worker does not know what became are left alone from now on.
func (w *Worker) Reconnect(c *node.Caller) { w.client, w.lost = c, false }

// Run makes up to steps changes, until ctx ends or the node is gone.
func (w *Worker) Run(ctx context.Context, steps int) {
	for range steps {
		if w.lost || ctx.Err() != nil {
			return
		}
		w.step()
	}
}

// step makes one change. Creations are more likely, so that things pile up.
func (w *Worker) step() {
	steps := []func(){
		w.createUser, w.createUser, w.createGroup, w.createSet, w.createSet,
		w.join, w.join, w.join, w.assign, w.assign, w.assign,
		w.leave, w.unassign, w.unassign, w.deleteUser, w.deleteGroup, w.deleteSet, w.editSet,
	}
	steps[w.random.IntN(len(steps))]()
}

// change makes one change. becomes is what it makes of things when it is
// acknowledged. It reports whether it was.
func (w *Worker) change(operation string, becomes map[string]State, call func(context.Context) (middleware.Metadata, error)) bool {
	l := w.load
	l.mu.Lock()
	before := map[string]State{}
	for key := range becomes {
		before[key] = l.things[key]
		l.things[key] = Unknown
	}
	l.open++
	l.mu.Unlock()

	// The request is never cancelled: what it does would be unknown.
	metadata, err := call(context.Background())

	l.mu.Lock()
	defer l.mu.Unlock()
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case err == nil:
		l.open--
		for key, state := range becomes {
			l.things[key] = state
		}
		id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
		if other, again := l.requests[id]; again || id == "" {
			l.problems = append(l.problems, fmt.Sprintf("%s has the request id %q of %s", operation, id, other))
		}
		l.requests[id] = operation
		return true
	case answered:
		l.open--
		for key, state := range before {
			l.things[key] = state
		}
		l.refused[api.ErrorCode()]++
		if api.ErrorCode() != "ThrottlingException" {
			l.problems = append(l.problems, fmt.Sprintf("%s was refused: %v", operation, err))
		}
		return false
	default:
		w.lost = true
		return false
	}
}

// Report fails the test for what went wrong and says what was done.
func (l *Load) Report(t testing.TB) (acknowledged, unanswered int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, p := range l.problems {
		if i == 20 {
			t.Errorf("and %d more", len(l.problems)-i)
			break
		}
		t.Error(p)
	}
	l.problems = nil
	if len(l.refused) > 0 {
		t.Logf("refused: %v", l.refused)
	}
	return len(l.requests), l.open
}

// unique returns a name that nobody has used.
func (w *Worker) unique(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%s-%d", kind, w.name, w.made)
}

// any returns one of the keys of m; false when it is empty.
func pick[V any](w *Worker, m map[string]V) (key string, value V, ok bool) {
	if len(m) == 0 {
		return "", value, false
	}
	n := w.random.IntN(len(m))
	for key, value = range m {
		if n == 0 {
			break
		}
		n--
	}
	return key, value, true
}
