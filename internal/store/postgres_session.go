package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// pgSession runs the statements of one transaction on a PostgreSQL connection.
// It begins the transaction with the first of them, in the same round trip. The
// driver prepares each query once per connection.
type pgSession struct {
	conn    *pgx.Conn
	options pgx.TxOptions
	tx      pgx.Tx // nil until the first statement
}

// first sends the transaction's first statement, behind its BEGIN.
func (p *pgSession) first(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	batch := new(pgx.Batch)
	batch.BeginTx(p.options)
	batch.Queue(query, args...)
	results := p.conn.SendBatch(ctx, batch)
	p.tx = results.Tx()
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // its error is err
		return nil, err
	}
	return results, nil
}

func (p *pgSession) exec(ctx context.Context, query string, args []any) (rowsAffected int64, err error) {
	if p.tx != nil {
		tag, err := p.conn.Exec(ctx, query, args...)
		return tag.RowsAffected(), err
	}
	results, err := p.first(ctx, query, args)
	if err != nil {
		return 0, err
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	return tag.RowsAffected(), err
}

func (p *pgSession) query(ctx context.Context, query string, args []any) (cursor, error) {
	if p.tx != nil {
		rows, err := p.conn.Query(ctx, query, args...)
		return pgCursor{Rows: rows}, err
	}
	results, err := p.first(ctx, query, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // its error is err
		return nil, err
	}
	return pgCursor{rows, results}, nil
}

// commit commits what was done, if anything was.
func (p *pgSession) commit(ctx context.Context) error {
	if p.tx == nil {
		return nil
	}
	return p.tx.Commit(ctx)
}

// rollback takes back what was not committed, whether ctx has ended or not. If
// it cannot, the connection is closed.
func (p *pgSession) rollback(ctx context.Context) {
	if p.tx == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = p.tx.Rollback(ctx) // does nothing after a commit
}

// pgCursor reads rows; those of a transaction's first statement come in a batch.
type pgCursor struct {
	pgx.Rows
	batch pgx.BatchResults
}

// Close is part of cursor.
func (c pgCursor) Close() error {
	c.Rows.Close()
	if c.batch != nil {
		return c.batch.Close()
	}
	return c.Err()
}
