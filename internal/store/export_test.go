package store

import (
	"context"

	"github.com/atrium-iam/atrium/internal/instance"
)

// The tests of this package are outside it, because storetest imports it. They
// run SQL of their own through these.

func (t *Tx) Exec(query string, args ...any) (int64, error) { return t.exec(query, args...) }

func (t *Tx) Row(query string, args []any, dest ...any) (bool, error) {
	return t.row(query, args, dest...)
}

func (t *Tx) Rows(query string, args []any, each func(scan func(dest ...any) error) error) error {
	return t.rows(query, args, each)
}

// ErrNested and ErrEnded are the errors of a misused transaction.
var (
	ErrNested = errNested
	ErrEnded  = errEnded
)

// AccountsWithin is the ids of AccountsOfUser, found with other bounds.
func (t *Tx) AccountsWithin(few, thin, growth int, in instance.Instance, userID, after string, limit int) ([]string, error) {
	ids := []string{}
	err := t.accountsOfUser(accessBounds{few, thin, growth}, `SELECT a.id FROM account a WHERE `, in, userID, after, limit,
		func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
	return ids, err
}

// Statements counts those that fn runs.
func (t *Tx) Statements(fn func()) int {
	c := &counter{statements: t.conn}
	t.conn = c
	defer func() { t.conn = c.statements }()
	fn()
	return c.n
}

type counter struct {
	statements
	n int
}

func (c *counter) exec(ctx context.Context, query string, args []any) (int64, error) {
	c.n++
	return c.statements.exec(ctx, query, args)
}

func (c *counter) query(ctx context.Context, query string, args []any) (cursor, error) {
	c.n++
	return c.statements.query(ctx, query, args)
}
