package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// relistenPause is how long Listen waits before it connects anew.
const relistenPause = time.Second

// Listen hears of other nodes' changes, so that HeardChange tells of them
// within milliseconds, until ctx ends. A lost connection is given to report
// and made anew; what was missed meanwhile is found by those who ask the
// database from time to time.
func (s *Store) Listen(ctx context.Context, report func(error)) {
	for ctx.Err() == nil {
		err := s.engine.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		report(fmt.Errorf("store: listening for changes: %w", err))
		select {
		case <-time.After(relistenPause):
		case <-ctx.Done():
		}
	}
}

// channel is the SQL of the name under which the nodes on one schema notify
// each other: a database may hold several.
const channel = `'atrium_' || md5(current_schema())`

// announce tells the other nodes, when the transaction commits, that the change
// counter was raised.
func (t *Tx) announce() error {
	if t.dialect != PostgreSQL {
		return nil
	}
	var void string
	_, err := t.row(`SELECT CAST(pg_notify(`+channel+`, '') AS TEXT)`, nil, &void)
	return err
}

func (e *postgresEngine) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, e.conf)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var name string
	if err := conn.QueryRow(ctx, `SELECT `+channel).Scan(&name); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{name}.Sanitize()); err != nil {
		return err
	}
	for {
		var value int64
		if err := conn.QueryRow(ctx, `SELECT value FROM change_counter WHERE id = 1`).Scan(&value); err != nil {
			return err
		}
		e.store.hear(value)
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
