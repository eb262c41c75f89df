package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/keys"
)

type keysCommand struct {
	Rotate rotateCommand `cmd:"" help:"Add a new generation of keys; what older ones sealed still opens."`
}

type rotateCommand struct {
	configured
	Revoke bool `help:"Remove the older generations of keys for tokens and sessions: whatever they sealed ends at once."`
}

// rotationDelay gives running nodes time to learn of new keys before anything
// is sealed with them.
const rotationDelay = 2 * time.Minute

// Run rotates the keys of every purpose.
func (c *rotateCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	program, db, err := openNode(ctx, cfg, logger(cfg, s.err))
	if err != nil {
		return err
	}
	for _, purpose := range keys.Purposes() {
		if err = c.rotate(ctx, program.Keys(), purpose, s); err != nil {
			break
		}
	}
	return errors.Join(err, db.Close())
}

func (c *rotateCommand) rotate(ctx context.Context, ring *keys.Ring, p keys.Purpose, s streams) error {
	delay := rotationDelay
	if c.Revoke {
		delay = 0 // what the old keys sealed must not be accepted any longer
	}
	number, err := ring.Rotate(ctx, p, delay)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s: generation %d", p, number)
	if c.Revoke && !p.AtRest() {
		removed, err := ring.Revoke(ctx, p)
		if err != nil {
			return err
		}
		text += fmt.Sprintf(", %d older revoked", removed)
	}
	_, err = fmt.Fprintln(s.out, text)
	return err
}

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that no record of the trail was altered or removed."`
	List   auditListCommand   `cmd:"" help:"Print the records of the trail, one JSON document a line."`
}

// trailSource says whose trail is meant: a configured node's, or that of a
// dev node's data directory.
type trailSource struct {
	configured
	Dev string `type:"path" placeholder:"DIR" help:"Data directory of a stopped dev node, instead of a configuration."`
}

func (t *trailSource) open(ctx context.Context, f config.Flags, s streams) (*app.Program, func() error, error) {
	if t.Dev != "" {
		t.Config = ""
		return openDevTrail(ctx, t.Dev, s)
	}
	cfg, done, err := t.load(f, s)
	if err != nil || done {
		return nil, nil, err
	}
	program, db, err := openNode(ctx, cfg, logger(cfg, s.err))
	if err != nil {
		return nil, nil, err
	}
	return program, db.Close, nil
}

func openDevTrail(ctx context.Context, dir string, s streams) (*app.Program, func() error, error) {
	overrides := map[string]string{
		"public_url": "http://localhost:8484", "data_dir": dir,
		"root_key.file": filepath.Join(dir, "root.key"), "log.level": "warn",
	}
	cfg, err := config.Load("", nil, overrides)
	if err != nil {
		return nil, nil, err
	}
	program, db, err := openNode(ctx, cfg, logger(cfg, s.err))
	if err != nil {
		return nil, nil, err
	}
	return program, db.Close, nil
}

type auditVerifyCommand struct {
	trailSource
	Anchor string `placeholder:"NUMBER:HASH" help:"A batch that an earlier verify named and that must be in the trail."`
}

// Run verifies the trail.
func (c *auditVerifyCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	var anchors []audit.Anchor
	if c.Anchor != "" {
		var a audit.Anchor
		if _, err := fmt.Sscanf(c.Anchor, "%d:%s", &a.Number, &a.Hash); err != nil {
			return usageError{errors.New("--anchor: give NUMBER:HASH as an earlier verify printed it")}
		}
		anchors = append(anchors, a)
	}
	program, closeDB, err := c.open(ctx, f, s)
	if program == nil {
		return err
	}
	report, err := program.VerifyTrail(ctx, anchors...)
	if err != nil {
		return errors.Join(err, closeDB())
	}
	fmt.Fprintf(s.out, "%d records in %d batches\n", report.Records, report.Batches)
	if report.RemovedThrough > 0 {
		fmt.Fprintf(s.out, "retention has removed the records up to number %d\n", report.RemovedThrough)
	}
	for _, p := range report.Problems {
		fmt.Fprintf(s.out, "batch %d: %s\n", p.Batch, p.What)
	}
	if !report.Good() {
		return errors.Join(errors.New("the audit trail was tampered with or is damaged"), closeDB())
	}
	if report.LastBatch == 0 {
		fmt.Fprintln(s.out, "the trail is empty")
		return closeDB()
	}
	fmt.Fprintf(s.out, "the trail is whole; keep this elsewhere to prove later that it was not cut off: --anchor %d:%s\n", report.LastBatch, report.LastHash)
	return closeDB()
}

type auditListCommand struct {
	trailSource
	After int64 `help:"Number of the record to go on after."`
}

// Run prints the trail.
func (c *auditListCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	program, closeDB, err := c.open(ctx, f, s)
	if program == nil {
		return err
	}
	for after := c.After; ; {
		entries, next, err := program.ReadTrail(ctx, after, 500)
		if err != nil || len(entries) == 0 {
			return errors.Join(err, closeDB())
		}
		for _, e := range entries {
			if _, err := fmt.Fprintf(s.out, "%s\n", e.JSON); err != nil {
				return errors.Join(err, closeDB())
			}
		}
		after = next
	}
}
