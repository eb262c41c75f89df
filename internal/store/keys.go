package store

import (
	"time"

	"github.com/atrium-iam/atrium/internal/keys"
)

var _ keys.Tx = (*Tx)(nil)

// KeyGenerations returns every generation of every purpose, by purpose and
// number.
func (t *Tx) KeyGenerations() ([]keys.Generation, error) {
	var out []keys.Generation
	err := t.rows(`SELECT purpose, number, root_id, wrapped, created_at, active_at
		FROM key_generation ORDER BY purpose, number`, nil, func(scan func(...any) error) error {
		var g keys.Generation
		var created, active int64
		if err := scan(&g.Purpose, &g.Number, &g.RootID, &g.Wrapped, &created, &active); err != nil {
			return err
		}
		g.Created, g.Active = time.UnixMilli(created).UTC(), time.UnixMilli(active).UTC()
		out = append(out, g)
		return nil
	})
	return out, err
}

// InsertKeyGeneration stores g unless its purpose and number are taken, and
// reports whether it did.
func (t *Tx) InsertKeyGeneration(g keys.Generation) (bool, error) {
	n, err := t.exec(`INSERT INTO key_generation (purpose, number, root_id, wrapped, created_at, active_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (purpose, number) DO NOTHING`,
		string(g.Purpose), int64(g.Number), g.RootID, g.Wrapped, g.Created.UnixMilli(), g.Active.UnixMilli())
	return n == 1, err
}

// DeleteKeyGeneration removes a generation and reports whether it was there.
func (t *Tx) DeleteKeyGeneration(p keys.Purpose, number uint32) (bool, error) {
	n, err := t.exec(`DELETE FROM key_generation WHERE purpose = $1 AND number = $2`, string(p), int64(number))
	return n == 1, err
}

// RewrapKeyGeneration stores the root key's id and the wrapped key of g.
func (t *Tx) RewrapKeyGeneration(g keys.Generation) error {
	_, err := t.exec(`UPDATE key_generation SET root_id = $1, wrapped = $2 WHERE purpose = $3 AND number = $4`,
		g.RootID, g.Wrapped, string(g.Purpose), int64(g.Number))
	return err
}
