// Package fault is the vocabulary of things that go wrong, as the domain
// tells them: a category, a message that is safe to show, and what it is
// about. It knows nothing of HTTP or of any AWS error shape; the gateway
// holds the one translator to the wire.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Category is a coarse class of failure. The zero value is Internal.
type Category uint8

// The categories.
const (
	// Internal is a failure of ours; its text is never shown to a caller.
	Internal Category = iota
	// Invalid is input that breaks a rule.
	Invalid
	// NotFound is a thing that does not exist.
	NotFound
	// Conflict is input that collides with what is stored.
	Conflict
	// Denied is a caller without the right.
	Denied
	// Quota is a limit reached.
	Quota
	// Throttled is a caller that must wait.
	Throttled
	// Unavailable is a failure that passes by itself: try again.
	Unavailable
	// Unimplemented is an operation that Atrium does not serve.
	Unimplemented
)

var categoryNames = [...]string{"internal", "invalid", "not_found", "conflict", "denied", "quota", "throttled", "unavailable", "unimplemented"}

// String returns the name that service overlays use, e.g. "not_found".
func (c Category) String() string {
	if int(c) < len(categoryNames) {
		return categoryNames[c]
	}
	return "internal"
}

// Error is a failure in the domain's words.
type Error struct {
	Category Category
	// Subject narrows the category to a kind of thing ("account", "user",
	// "organizational_unit"), so that a service can tell it by a more exact
	// error. May be empty.
	Subject string
	// Message is safe to show to the caller and says what to do next.
	Message string
	// Reason is the service's machine-readable reason, e.g.
	// "UNIQUENESS_CONSTRAINT_VIOLATION". May be empty.
	Reason string
	// ResourceType and ResourceID name what was not found or collided, in the
	// service's words. May be empty.
	ResourceType, ResourceID string
	// RetryAfter is how long a throttled caller should wait.
	RetryAfter time.Duration

	cause error
}

// Error returns the message and, after a colon, the cause. It is for logs:
// what callers see is Message.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// New returns an error of category c about subject.
func New(c Category, subject, format string, args ...any) *Error {
	return &Error{Category: c, Subject: subject, Message: fmt.Sprintf(format, args...)}
}

// WithReason returns e with its reason set.
func (e *Error) WithReason(reason string) *Error { e.Reason = reason; return e }

// WithResource returns e with the resource it is about.
func (e *Error) WithResource(kind, id string) *Error {
	e.ResourceType, e.ResourceID = kind, id
	return e
}

// WithCause returns e with the error that led to it; the cause is logged and
// never shown.
func (e *Error) WithCause(err error) *Error { e.cause = err; return e }

// Of returns the category of err: that of the outermost *Error in its chain,
// Internal when there is none.
func Of(err error) Category {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Category
	}
	return Internal
}

// Is reports whether err is a failure of category c.
func Is(err error, c Category) bool { return err != nil && Of(err) == c }
