package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mfa"
	"github.com/atrium-iam/atrium/internal/store"
)

const (
	// resealBatch is how many values one transaction seals anew, so that none
	// keeps the writer for long.
	resealBatch = 200
	// resealStep is how many batches make a step that a command waits for.
	resealStep = 10
)

// Resealed is what a step of sealing anew did.
type Resealed struct {
	// Values is how many were sealed anew, Damaged how many do not open: those
	// are left as they are.
	Values, Damaged int
	// Next is where the next step begins; "" when nothing is left.
	Next string
}

// place is how far sealing anew has got: a column and a row.
type place struct {
	Table string   `json:"table"`
	After []string `json:"after,omitempty"`
}

// ResealSecrets seals some of the stored secrets that older generations of keys
// sealed anew, with the newest. It begins at from, which is "" or the Next of
// the step before. Any number may run at once, and each can be given up.
func (p *Program) ResealSecrets(ctx context.Context, by Operator, from string) (Resealed, error) {
	return p.reseal(ctx, by, from, resealStep)
}

// reseal is a step of some batches.
func (p *Program) reseal(ctx context.Context, by Operator, from string, batches int) (Resealed, error) {
	columns, at := resealable(), place{}
	if from != "" {
		if err := json.Unmarshal([]byte(from), &at); err != nil {
			return Resealed{}, fmt.Errorf("%q is not where a step ended", from)
		}
	}
	i := max(0, slices.IndexFunc(columns, func(c store.SealedColumn) bool { return c.Table == at.Table }))
	var out Resealed
	for range batches {
		rows, err := p.resealBatch(ctx, by, columns[i], at.After, &out)
		if err != nil {
			return out, err
		}
		if len(rows) == resealBatch {
			at = place{columns[i].Table, rows[len(rows)-1].Key}
			continue
		}
		if i++; i == len(columns) {
			return out, nil
		}
		at = place{Table: columns[i].Table}
	}
	next, err := json.Marshal(at)
	out.Next = string(next)
	return out, err
}

// resealable returns the columns whose values can be sealed anew.
func resealable() []store.SealedColumn {
	return slices.DeleteFunc(store.SealedColumns(), func(c store.SealedColumn) bool { return c.Signed })
}

// resealBatch seals the values of rows after one anew and returns the rows that
// it looked at.
func (p *Program) resealBatch(ctx context.Context, by Operator, c store.SealedColumn, after []string, out *Resealed) (rows []store.SealedRow, err error) {
	newest := p.ring.Current(c.Purpose)
	err = p.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.SealedBefore(c, newest, after, resealBatch)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	values, damaged := make([][]byte, len(rows)), 0
	for i, r := range rows {
		values[i], err = p.sealAnew(c, r)
		if errors.Is(err, keys.ErrOpen) {
			damaged++
			p.Log.Error("a stored secret does not open", "table", c.Table, "key", r.Key)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	var replaced int
	err = p.Store.Update(ctx, func(tx *store.Tx) error {
		replaced = 0
		for i, value := range values {
			if value == nil {
				continue
			}
			done, err := tx.ReplaceSealed(c, rows[i], value)
			if err != nil {
				return err
			}
			if done { // else it has changed or gone meanwhile
				replaced++
			}
		}
		if replaced == 0 {
			return nil
		}
		return p.recordOperation(tx, by, "ResealSecrets", "", map[string]any{"table": c.Table, "generation": newest, "values": replaced})
	})
	out.Values, out.Damaged = out.Values+replaced, out.Damaged+damaged
	return rows, err
}

// sealAnew returns a row's value, sealed by the newest generation.
func (p *Program) sealAnew(c store.SealedColumn, r store.SealedRow) ([]byte, error) {
	binding, err := bindingOf(c, r)
	if err != nil {
		return nil, err
	}
	plain, err := p.ring.Open(c.Purpose, r.Value, binding)
	if err != nil {
		return nil, err
	}
	return p.ring.Seal(c.Purpose, plain, binding)
}

// bindingOf returns what the value of a row is bound to.
func bindingOf(c store.SealedColumn, r store.SealedRow) ([]byte, error) {
	switch c.Table {
	case "iam_access_keys":
		return iam.SecretBinding(r.Key[0]), nil
	case "mail_outbox":
		return mail.Binding(r.Key[0]), nil
	case "mfa_devices":
		return mfa.SecretBinding(r.Key[0], r.Key[1], r.Key[2]), nil
	case "mfa_challenges":
		return mfa.ChallengeBinding(r.Key[0], mfa.Purpose(r.Key[1]), r.Bound[0]), nil
	}
	return nil, fmt.Errorf("nobody knows what the values of %s.%s are bound to", c.Table, c.Column)
}

// Retired tells what became of an older generation of keys.
type Retired struct {
	Purpose    keys.Purpose
	Generation uint32
	// Kept is why it was kept; "" when it was removed.
	Kept string
}

// RetireKeys removes older generations of keys for what is stored, once nothing
// is left that they sealed or signed.
func (p *Program) RetireKeys(ctx context.Context, by Operator) ([]Retired, error) {
	if err := p.ring.Refresh(ctx); err != nil {
		return nil, err
	}
	var out []Retired
	for _, purpose := range keys.Purposes() {
		if !purpose.AtRest() {
			continue
		}
		retired, err := p.retire(ctx, by, purpose)
		if err != nil {
			return out, fmt.Errorf("%s (the purposes before it are done): %w", purpose, err)
		}
		out = append(out, retired...)
	}
	return out, nil
}

func (p *Program) retire(ctx context.Context, by Operator, purpose keys.Purpose) (out []Retired, err error) {
	var over []uint32
	for _, s := range p.ring.Superseded(purpose) {
		r := Retired{Purpose: purpose, Generation: s.Number}
		if r.Kept, err = p.needed(ctx, purpose, s); err != nil {
			return nil, err
		}
		if r.Kept == "" {
			over = append(over, s.Number)
		}
		out = append(out, r)
	}
	if next, from := p.ring.Next(purpose); next != 0 {
		out = append(out, Retired{
			Purpose: purpose, Generation: p.ring.Current(purpose),
			Kept: fmt.Sprintf("generation %d takes its place at %s", next, from.Format(time.RFC3339)),
		})
	}
	if len(over) == 0 {
		return out, nil
	}
	return out, p.ring.Remove(ctx, purpose, over, func(tx keys.Tx, numbers []uint32) error {
		return p.recordOperation(tx.(audit.Tx), by, "RemoveKeys", "", map[string]any{"purpose": purpose, "generations": numbers})
	})
}

// needed tells why a generation is needed; "" when it is not.
func (p *Program) needed(ctx context.Context, purpose keys.Purpose, s keys.Superseded) (why string, err error) {
	if !s.Over(p.Now()) {
		return "nodes may use it until " + s.Since.Add(keys.Settled).Format(time.RFC3339), nil
	}
	err = p.Store.View(ctx, func(tx *store.Tx) (err error) {
		if purpose == keys.AuditDigests {
			why, err = signing(tx, s)
		} else {
			why, err = sealing(tx, purpose, s)
		}
		return err
	})
	return why, err
}

// sealing returns why a generation of a purpose is needed; "" when it is not.
func sealing(tx *store.Tx, purpose keys.Purpose, s keys.Superseded) (string, error) {
	for _, c := range store.SealedColumns() {
		if c.Purpose != purpose {
			continue
		}
		rows, err := tx.SealedBefore(c, s.Number+1, nil, 1)
		switch {
		case err != nil:
			return "", err
		case len(rows) > 0 && c.Signed:
			return "values of " + c.Table + " need it, and end within minutes", nil
		case len(rows) > 0:
			return "values of " + c.Table + " are sealed with it", nil
		}
	}
	return "", nil
}

// signing is sealing for the digests of the audit trail. Batches are not signed
// anew: what follows on them is signed by the newer keys and fixes them.
func signing(tx *store.Tx, s keys.Superseded) (string, error) {
	oldest, err := tx.AuditBatches(0, 1)
	if err != nil || len(oldest) == 0 || !oldest[0].Sealed.Before(s.Since.Add(keys.Settled)) {
		return "", err
	}
	return "it signed the audit trail's records from " + oldest[0].FirstTime.Format(time.RFC3339) + " on; retention removes those", nil
}

// resealDue seals stored secrets anew after a rotation, once everybody knows
// the new keys. done is what was done before, by purpose.
func (p *Program) resealDue(ctx context.Context, done map[keys.Purpose]uint32) error {
	due := map[keys.Purpose]uint32{}
	for _, c := range resealable() {
		current := p.ring.Current(c.Purpose)
		if done[c.Purpose] != current && !p.Now().Before(p.ring.Since(c.Purpose).Add(keys.Settled)) {
			due[c.Purpose] = current
		}
	}
	if len(due) == 0 {
		return nil
	}
	for next, more := "", true; more; more = next != "" {
		step, err := p.ResealSecrets(ctx, p.Operator, next)
		if err != nil {
			return err
		}
		next = step.Next
	}
	for purpose, generation := range due {
		done[purpose] = generation
	}
	return nil
}
