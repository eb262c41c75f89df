package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// maxPrepared bounds the prepared statements of a connection. The queries of
// this package are a few hundred; only lists of ids in them vary.
const maxPrepared = 1000

// session is one connection to a SQLite database, with the statements that it
// has prepared, by their text.
//
// It speaks to the driver itself: what package sql does between the two (its
// pool, its locks, its conversions) costs as much as a short query.
type session struct {
	conn    driver.Conn
	stmts   map[string]statement
	inspect func(query string, plan []string)

	args   []driver.NamedValue // of the running statement
	cursor sessionCursor       // of the only result set that can be open
}

// statement is what the driver prepares.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func (s *Store) newSession(d driver.Driver, dsn string) (*session, error) {
	conn, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, stmts: make(map[string]statement), inspect: s.inspect}, nil
}

func (c *session) forget() {
	for _, stmt := range c.stmts {
		_ = stmt.Close()
	}
	clear(c.stmts)
}

// discard closes the connection, which takes back a transaction that is open,
// and returns nil.
func (c *session) discard() *session {
	c.forget()
	_ = c.conn.Close()
	return nil
}

func (c *session) prepare(query string) (statement, error) {
	if stmt := c.stmts[query]; stmt != nil {
		return stmt, nil
	}
	if len(c.stmts) >= maxPrepared {
		c.forget()
	}
	prepared, err := c.conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	stmt, ok := prepared.(statement)
	if !ok {
		return nil, errors.New("store: the SQLite driver is too old")
	}
	c.stmts[query] = stmt
	if c.inspect != nil {
		if err := c.explain(query); err != nil {
			return nil, err
		}
	}
	return stmt, nil
}

// explain tells inspect how SQLite will run query.
func (c *session) explain(query string) error {
	prepared, err := c.conn.Prepare("EXPLAIN QUERY PLAN " + query)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Close() }()
	var none [64]any // the plan does not depend on the arguments
	rows, err := prepared.(statement).QueryContext(context.Background(), c.bind(none[:]))
	if err != nil {
		return err
	}
	steps := sessionCursor{rows: rows, values: make([]driver.Value, len(rows.Columns()))}
	defer func() { _ = steps.Close() }()
	var plan []string
	for steps.Next() {
		var id, parent, unused int64
		var detail string
		if err := steps.Scan(&id, &parent, &unused, &detail); err != nil {
			return err
		}
		plan = append(plan, detail)
	}
	c.inspect(query, plan)
	return steps.Err()
}

// bind gives args the form that the driver takes.
func (c *session) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		switch v := arg.(type) {
		case nil, string, int64, bool, []byte:
		case int:
			arg = int64(v)
		default:
			if converted, err := driver.DefaultParameterConverter.ConvertValue(arg); err == nil {
				arg = converted
			} // otherwise the driver says what is wrong with it
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// exec and query ignore the context: to interrupt a statement would cost the
// connection, and none runs long. Tx looks at the context before each.

func (c *session) exec(_ context.Context, query string, args []any) (rowsAffected int64, err error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *session) query(_ context.Context, query string, args []any) (cursor, error) {
	stmt, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return nil, err
	}
	n := len(rows.Columns())
	if cap(c.cursor.values) < n {
		c.cursor.values = make([]driver.Value, n)
	}
	c.cursor = sessionCursor{rows: rows, values: c.cursor.values[:n]}
	return &c.cursor, nil
}

// run executes a statement that has neither arguments nor a result.
func (c *session) run(query string) error {
	if _, err := c.exec(context.Background(), query, nil); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// sessionCursor is the cursor of a session.
type sessionCursor struct {
	rows   driver.Rows
	values []driver.Value // of the current row
	err    error
}

// Next is part of cursor.
func (s *sessionCursor) Next() bool {
	s.err = s.rows.Next(s.values)
	return s.err == nil
}

// Scan is part of cursor.
func (s *sessionCursor) Scan(dest ...any) error {
	if len(dest) != len(s.values) {
		return fmt.Errorf("store: %d columns are read into %d variables", len(s.values), len(dest))
	}
	for i, v := range s.values {
		if err := assign(dest[i], v); err != nil {
			return fmt.Errorf("store: column %d: %w", i+1, err)
		}
	}
	return nil
}

// Err is part of cursor.
func (s *sessionCursor) Err() error {
	if errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// Close is part of cursor.
func (s *sessionCursor) Close() error { return s.rows.Close() }

// assign stores a column of SQLite's in the variable that dest points to.
func assign(dest any, column driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if v, ok := column.(string); ok {
			*d = v
			return nil
		}
	case *[]byte:
		switch v := column.(type) {
		case []byte: // the driver keeps no reference to it
			*d = v
			return nil
		case string:
			*d = []byte(v)
			return nil
		}
	case *int64:
		if v, ok := column.(int64); ok {
			*d = v
			return nil
		}
	}
	return assignKind(reflect.ValueOf(dest), column)
}

// assignKind is assign for variables of other types: the domain's own, and
// pointers, which take what may be NULL.
func assignKind(dest reflect.Value, column driver.Value) error {
	if dest.Kind() != reflect.Pointer || dest.IsNil() {
		return fmt.Errorf("a column is read into a %s", dest.Type())
	}
	target := dest.Elem()
	if target.Kind() == reflect.Pointer {
		if column == nil {
			target.SetZero()
			return nil
		}
		value := reflect.New(target.Type().Elem())
		target.Set(value)
		return assign(value.Interface(), column)
	}
	switch v := column.(type) {
	case string:
		if target.Kind() == reflect.String {
			target.SetString(v)
			return nil
		}
	case int64:
		switch {
		case target.CanInt() && !target.OverflowInt(v):
			target.SetInt(v)
			return nil
		case target.CanUint() && v >= 0 && !target.OverflowUint(uint64(v)):
			target.SetUint(uint64(v))
			return nil
		case target.Kind() == reflect.Bool && (v == 0 || v == 1):
			target.SetBool(v == 1)
			return nil
		case target.Kind() == reflect.String:
			target.SetString(strconv.FormatInt(v, 10))
			return nil
		}
	}
	return fmt.Errorf("a %T is read into a %s", column, dest.Type())
}
