package credential

import (
	"context"
	"slices"
	"sync"

	"github.com/atrium-iam/atrium/internal/fault"
)

// queue lets a few callers at a time do what takes a processor and memory, and
// keeps the others waiting in turn: one of each network, so that who sends many
// requests from one waits behind themselves and not before everybody else.
type queue struct {
	places int // for those who wait

	mu      sync.Mutex
	free    int
	waiting int
	lines   map[string][]*waiter // by network; none is empty
	turn    []string             // the networks with a line, in the order in which they are served
}

// waiter is a caller that waits. done is closed when it is served or sent away.
type waiter struct {
	done     chan struct{}
	sentAway bool
}

func newQueue(parallel, places int) *queue {
	return &queue{free: parallel, places: places, lines: make(map[string][]*waiter)}
}

// enter waits for a turn. Whoever got one calls leave. It is a
// fault.Unavailable when too many wait, most of them from the caller's network.
func (q *queue) enter(ctx context.Context, network string) error {
	w := q.join(network)
	if w == nil {
		return nil
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if q.give(network, w) {
			return ctx.Err()
		}
		<-w.done // it was served or sent away at the same moment
		if !w.sentAway {
			q.leave()
			return ctx.Err()
		}
	}
	if w.sentAway {
		return fault.New(fault.Unavailable, "password", "Too many people are signing in at this moment. Try again in a few seconds.")
	}
	return nil
}

// join takes a free turn, and returns nil, or stands in the network's line. When
// all places are taken, the last of the longest line is sent away.
func (q *queue) join(network string) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free > 0 {
		q.free--
		return nil
	}
	w := &waiter{done: make(chan struct{})}
	if len(q.lines[network]) == 0 {
		q.turn = append(q.turn, network)
	}
	q.lines[network] = append(q.lines[network], w)
	if q.waiting++; q.waiting > q.places {
		q.sendAway()
	}
	return w
}

func (q *queue) sendAway() {
	longest := q.turn[0]
	for _, network := range q.turn {
		if len(q.lines[network]) >= len(q.lines[longest]) {
			longest = network
		}
	}
	line := q.lines[longest]
	last := line[len(line)-1]
	last.sentAway = true
	q.set(longest, line[:len(line)-1])
	close(last.done)
}

// leave gives the turn to the next network's first.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 {
		q.free++
		return
	}
	network := q.turn[0]
	q.turn = append(q.turn[1:], network)
	line := q.lines[network]
	first := line[0]
	q.set(network, line[1:])
	close(first.done)
}

// give takes a waiter out of its line; false when it is not there any more.
func (q *queue) give(network string, w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := q.lines[network]
	i := slices.Index(line, w)
	if i < 0 {
		return false
	}
	q.set(network, slices.Delete(slices.Clone(line), i, i+1))
	return true
}

// set replaces a line by one with a waiter less.
func (q *queue) set(network string, line []*waiter) {
	q.waiting--
	if len(line) > 0 {
		q.lines[network] = line
		return
	}
	delete(q.lines, network)
	q.turn = slices.DeleteFunc(q.turn, func(n string) bool { return n == network })
}
