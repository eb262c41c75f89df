package gateway

import (
	"context"
	"errors"
)

// outside is the work that an operation wants done outside its transaction.
type outside struct {
	work  func(context.Context) (any, error)
	value any
	done  bool
}

// errOutside ends a transaction whose operation waits for such work.
var errOutside = errors.New("gateway: the operation waits for work outside its transaction")

// Outside returns what work returns, for an operation that needs something
// which has no place in a transaction: because it takes long and would keep
// others waiting, or because it must be done once.
//
// The transaction that asks first is rolled back, with the error that Outside
// returns and that the operation must return in turn. Then work is done, and
// the operation runs again in a new transaction, in which Outside returns the
// result at once. So what comes before it in the operation, and the caller's
// permission, is checked before the work is done, and again after it. An
// operation calls Outside at most once; an error of work is the answer.
func Outside[V, T any](c *Context[T], work func(context.Context) (V, error)) (V, error) {
	if c.outside.done {
		return c.outside.value.(V), nil
	}
	c.outside.work = func(ctx context.Context) (any, error) { return work(ctx) }
	var none V
	return none, errOutside
}

// run runs a transaction, and once more when it waits for work outside.
func (o *outside) run(ctx context.Context, transaction func() error) error {
	err := transaction()
	if !errors.Is(err, errOutside) {
		return err
	}
	if o.value, err = o.work(ctx); err != nil {
		return err
	}
	o.done = true
	return transaction()
}
