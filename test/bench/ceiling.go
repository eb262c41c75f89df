package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the engine under measurement
)

// batchRows is how many rows a grouped commit holds.
const batchRows = 64

// commitCeiling measures what SQLite itself commits per second in dir, with
// the settings that Atrium uses (WAL, synchronous=FULL): rows in transactions
// of one, and of batchRows.
func commitCeiling(ctx context.Context, dir string, d time.Duration) (single, batched float64, err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ceiling.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`); err != nil {
		return 0, 0, err
	}
	if single, err = insertRate(ctx, db, d, 1); err != nil {
		return 0, 0, err
	}
	batched, err = insertRate(ctx, db, d, batchRows)
	return single, batched, err
}

func insertRate(ctx context.Context, db *sql.DB, d time.Duration, rows int) (float64, error) {
	body := strings.Repeat("x", 400)
	begin, n := time.Now(), 0
	for time.Since(begin) < d {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		for range rows {
			if _, err := tx.ExecContext(ctx, `INSERT INTO rows (body) VALUES ($1)`, body); err != nil {
				tx.Rollback()
				return 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
		n += rows
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}
