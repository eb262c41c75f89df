package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// liveInterval is how often credentials are looked at again while a
	// request is under way.
	liveInterval = 250 * time.Millisecond
	// usualIdle is how long a connection may be silent while content streams.
	usualIdle = 60 * time.Second
)

// live ends a request when its credentials end, wherever it is: while a body
// comes in, while the storage works, while content goes out. It also moves the
// connection's deadlines while something moves, so that long transfers pass
// and silent ones do not.
type live struct {
	rc   *http.ResponseController
	now  func() time.Time
	idle time.Duration // how long the connection may be silent

	mu          sync.Mutex
	over        bool // the request is answered
	cancel      context.CancelCauseFunc
	unwatch     func()
	cause       error // why the credentials have ended; nil while they live
	read, write time.Time
}

func newLive(w http.ResponseWriter, now func() time.Time, idle time.Duration, cancel context.CancelCauseFunc) *live {
	return &live{rc: http.NewResponseController(w), now: now, idle: idle, cancel: cancel, unwatch: func() {}}
}

// close ends the watch. The connection is left alone from then on: it may
// carry other requests.
func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.unwatch()
}

// watch asks check time and again until close. The first error ends the
// request.
func (l *live) watch(ctx context.Context, check func(context.Context) error) {
	ctx, cancel := context.WithCancel(ctx)
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(liveInterval, func() {
		<-armed
		if ctx.Err() != nil {
			return
		}
		if err := check(ctx); err != nil && ctx.Err() == nil {
			l.end(err)
			return
		}
		timer.Reset(liveInterval)
	})
	close(armed)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unwatch = func() {
		cancel()
		timer.Stop()
	}
}

// end stops everything that the request does.
func (l *live) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.cause = err
	past := time.Unix(1, 0)
	// A connection without deadlines has the cancelled context.
	_ = l.rc.SetReadDeadline(past)
	if !l.write.IsZero() { // an answer is going out: it is cut off
		_ = l.rc.SetWriteDeadline(past)
	}
	l.cancel(err)
}

// ended returns why the credentials have ended, nil while they live.
func (l *live) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// reading gives the connection time for more of the request.
func (l *live) reading() error { return l.extend(&l.read, l.rc.SetReadDeadline) }

// writing gives the connection time for more of the answer.
func (l *live) writing() error { return l.extend(&l.write, l.rc.SetWriteDeadline) }

func (l *live) extend(last *time.Time, set func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.cause != nil:
		return l.cause
	case l.over:
		return http.ErrBodyReadAfterClose
	}
	if now := l.now(); now.Sub(*last) >= l.idle/12 {
		*last = now
		_ = set(now.Add(l.idle)) // see end
	}
	return nil
}

// received tells that the request has come in as a whole. The server goes on
// to read from the connection, to learn when the client goes away: that must
// not run into a deadline, which would end the request while the storage
// works or the answer goes out.
func (l *live) received() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil && !l.over {
		_ = l.rc.SetReadDeadline(time.Time{}) // see end
	}
}

// lastWord gives the connection time for an answer that ends the request,
// whatever has happened.
func (l *live) lastWord() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.rc.SetWriteDeadline(l.now().Add(l.idle)) // see end
}

// incoming is a request's body under the eyes of a live.
type incoming struct {
	body io.Reader
	live *live
}

// Read is io.Reader's.
func (i incoming) Read(p []byte) (int, error) {
	if err := i.live.reading(); err != nil {
		return 0, err
	}
	n, err := i.body.Read(p)
	if ended := i.live.ended(); ended != nil {
		return 0, ended
	}
	if errors.Is(err, io.EOF) {
		i.live.received()
	}
	return n, err
}
