package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/atrium-iam/atrium/internal/fault"
)

const (
	// maxAttempts bounds how often a transaction that lost against others, or
	// lost its connection, is run; with the pauses between them it gives up
	// after about five seconds.
	maxAttempts = 24
	// firstPause and longestPause bound the pause before the next attempt,
	// which doubles each time and is drawn at random up to that.
	firstPause   = 2 * time.Millisecond
	longestPause = 400 * time.Millisecond
	// txTimeout bounds one attempt, lest a lost connection hold a caller, and
	// rollbackTimeout the end of one that is given up.
	txTimeout       = 30 * time.Second
	rollbackTimeout = 5 * time.Second

	defaultConnections = 16
)

// postgresEngine is a PostgreSQL database. Every Update is SERIALIZABLE, every
// UpdateSnapshot REPEATABLE READ, and is run again when it lost against another, or lost its connection before the
// commit.
type postgresEngine struct {
	store *Store
	conf  *pgx.ConnConfig
	db    *sql.DB
}

func openPostgres(ctx context.Context, cfg Config, s *Store) (engine, error) {
	conf, err := pgx.ParseConfig(cfg.PostgresDSN)
	if err != nil {
		// pgx masks the password in its message.
		return nil, err
	}
	if !cfg.PostgresInsecure {
		if err := verified(conf); err != nil {
			return nil, err
		}
	}
	conf.RuntimeParams["application_name"] = "atrium"
	conf.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*conf)
	n := cfg.Connections
	if n <= 0 {
		n = defaultConnections
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	e := &postgresEngine{store: s, conf: conf, db: db}
	if err := checkPostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := migrate(ctx, db, PostgreSQL, cfg); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return e, nil
}

// verified refuses a configuration, of a connection string, the environment and
// libpq's files together, with which a server on another machine would not have
// to prove who it is.
func verified(conf *pgx.ConnConfig) error {
	check := func(host string, secured *tls.Config) error {
		addr, err := netip.ParseAddr(host)
		local := host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && addr.IsLoopback()
		if local || secured != nil && !secured.InsecureSkipVerify {
			return nil
		}
		return fmt.Errorf("the server %s would not be verified: add sslmode=verify-full to database.dsn (and sslrootcert, for an authority of your own), or allow_insecure: [database] where the network between is trusted", host)
	}
	if err := check(conf.Host, conf.TLSConfig); err != nil {
		return err
	}
	for _, f := range conf.Fallbacks {
		if err := check(f.Host, f.TLSConfig); err != nil {
			return err
		}
	}
	return nil
}

// checkPostgres refuses a database that does not order text by its bytes.
//
// Lists are paged by key, so the order must be the same on every engine and on
// every machine. Linguistic collations differ between systems and change when
// the C library is upgraded, which silently corrupts indexes; and an order by
// bytes is faster. A collation per column is not portable SQL, so the database
// itself must have it. It can only be chosen when the database is created, and
// every provider of PostgreSQL allows that: hence the refusal and its remedy.
func checkPostgres(ctx context.Context, db *sql.DB) error {
	var name, encoding string
	var byBytes bool
	err := db.QueryRowContext(ctx, `SELECT current_database(), current_setting('server_encoding'),
		'Z' < 'a' AND 'a-z' < 'aa' AND 'z' < 'é'`).Scan(&name, &encoding, &byBytes)
	if err != nil {
		return err
	}
	if byBytes && encoding == "UTF8" {
		return nil
	}
	return fmt.Errorf("the database %q must have encoding UTF8 and collation C; create one with: "+
		"CREATE DATABASE atrium TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", name)
}

func (e *postgresEngine) update(ctx context.Context, fn func(*Tx) error) error {
	return e.run(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable}, fn)
}

func (e *postgresEngine) updateSnapshot(ctx context.Context, fn func(*Tx) error) error {
	return e.run(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, fn)
}

func (e *postgresEngine) view(ctx context.Context, fn func(*Tx) error) error {
	return e.run(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
}

// run runs fn until it succeeds or fails by its own fault.
func (e *postgresEngine) run(ctx context.Context, options pgx.TxOptions, fn func(*Tx) error) error {
	if e.store.runTwice {
		_ = e.attempt(ctx, options, fn, false)
	}
	pause := firstPause
	collided := false
	for attempt := 1; ; attempt++ {
		err := e.attempt(ctx, options, fn, true)
		switch {
		case err == nil:
			return nil
		case retryable(err):
		case isConflict(err) && !collided:
			// A concurrent transaction took the key after fn had looked. Run
			// fn once more, so that it sees that and says it in its own words.
			collided = true
			continue
		default:
			return err
		}
		if attempt == maxAttempts {
			return unavailable(err)
		}
		select {
		case <-time.After(rand.N(pause) + pause/4):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

// attempt runs fn once in a transaction. It commits when fn succeeds and keep is
// set.
func (e *postgresEngine) attempt(ctx context.Context, options pgx.TxOptions, fn func(*Tx) error, keep bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	readOnly := options.AccessMode == pgx.ReadOnly
	if !readOnly {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return translate("connect", err)
	}
	defer func() { _ = conn.Close() }() // gives it back
	outcome := errExited                // stays when fn was not run to its end
	err = conn.Raw(func(c any) error {
		session := &pgSession{conn: c.(*stdlib.Conn).Conn(), options: options}
		if outcome = e.transact(ctx, session, fn, keep && !readOnly); session.conn.IsClosed() {
			return driver.ErrBadConn // so that nobody gets it again
		}
		return nil
	})
	if errors.Is(outcome, errExited) && err != nil {
		return translate("connect", err)
	}
	return outcome
}

// transact runs fn in a transaction that begins with its first statement.
func (e *postgresEngine) transact(ctx context.Context, session *pgSession, fn func(*Tx) error, keep bool) error {
	defer session.rollback(ctx)
	tx := e.store.newTx(ctx, session)
	defer tx.end()
	err := fn(tx)
	if err = tx.outcome(err); err != nil || !keep {
		return err
	}
	if err := session.commit(ctx); err != nil {
		if lostConnection(err) && !pgconn.SafeToRetry(err) {
			err = &uncertainError{err}
		}
		return translate("COMMIT", err)
	}
	e.store.hear(tx.change)
	return nil
}

func (e *postgresEngine) ping(ctx context.Context) error {
	if err := e.db.PingContext(ctx); err != nil {
		return fault.New(fault.Unavailable, "", "The database cannot be reached.").WithCause(err)
	}
	return nil
}

func (e *postgresEngine) close() error { return e.db.Close() }
