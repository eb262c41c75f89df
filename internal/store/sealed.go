package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/keys"
)

// SealedColumn is a column whose values were sealed or signed by a keys.Ring:
// each names its generation.
type SealedColumn struct {
	Table, Column string
	Purpose       keys.Purpose
	// Signed values are tags, which cannot be made anew from what is stored.
	Signed bool
	// Key are the columns that name a row, Bound those that the value is bound
	// to beside them. All of them are text.
	Key, Bound []string
}

// SealedColumns returns every column that keys seal or sign, but for the
// signatures of the audit trail, whose batches are never changed.
func SealedColumns() []SealedColumn {
	return []SealedColumn{
		{Table: "iam_access_keys", Column: "sealed_secret", Purpose: keys.StoredSecrets, Key: []string{"id"}},
		{Table: "mail_outbox", Column: "sealed", Purpose: keys.StoredSecrets, Key: []string{"id"}},
		{Table: "mail_codes", Column: "tag", Purpose: keys.StoredSecrets, Signed: true, Key: []string{"subject"}},
		{Table: "mfa_devices", Column: "secret", Purpose: keys.Factors, Key: []string{"store_id", "user_id", "id"}},
		{Table: "mfa_challenges", Column: "data", Purpose: keys.Factors, Key: []string{"holder", "purpose"}, Bound: []string{"user_id"}},
	}
}

// SealedRow is a row of a SealedColumn.
type SealedRow struct {
	Key, Bound []string
	Value      []byte
}

// header is the SQL of the part of a value that names its generation: of a
// fixed length, and ordered as generations are.
func (c SealedColumn) header() string {
	return "substr(" + c.Column + ", 1, " + strconv.Itoa(keys.HeaderSize) + ")"
}

// SealedBefore returns at most limit rows whose values an older generation than
// newest sealed, in the order of their keys, after a key (nil: from the first).
func (t *Tx) SealedBefore(c SealedColumn, newest uint32, after []string, limit int) (list []SealedRow, err error) {
	args := []any{keys.Header(newest), limit}
	where := ""
	if len(after) > 0 {
		if len(after) != len(c.Key) {
			return nil, fmt.Errorf("store: a key of %s has %d columns, not %d", c.Table, len(c.Key), len(after))
		}
		var numbers []string
		for _, part := range after {
			args = append(args, part)
			numbers = append(numbers, "$"+strconv.Itoa(len(args)))
		}
		where = " AND (" + strings.Join(c.Key, ", ") + ") > (" + strings.Join(numbers, ", ") + ")"
	}
	columns := append(append(append([]string{}, c.Key...), c.Bound...), c.Column)
	err = t.rows("SELECT "+strings.Join(columns, ", ")+" FROM "+c.Table+" WHERE "+c.header()+" < $1"+where+
		" ORDER BY "+strings.Join(c.Key, ", ")+" LIMIT CAST($2 AS BIGINT)", args, func(scan func(...any) error) error {
		texts, r := make([]string, len(columns)-1), SealedRow{}
		var dest []any
		for i := range texts {
			dest = append(dest, &texts[i])
		}
		if err := scan(append(dest, &r.Value)...); err != nil {
			return err
		}
		r.Key, r.Bound = texts[:len(c.Key):len(c.Key)], texts[len(c.Key):]
		list = append(list, r)
		return nil
	})
	return list, err
}

// ReplaceSealed stores value in the row of r, if it still holds r.Value, and
// reports whether it did.
func (t *Tx) ReplaceSealed(c SealedColumn, r SealedRow, value []byte) (bool, error) {
	args, where := []any{value, r.Value}, ""
	for i, column := range c.Key {
		args = append(args, r.Key[i])
		where += " AND " + column + " = $" + strconv.Itoa(len(args))
	}
	n, err := t.exec("UPDATE "+c.Table+" SET "+c.Column+" = $1 WHERE "+c.Column+" = $2"+where, args...)
	return n == 1, err
}
