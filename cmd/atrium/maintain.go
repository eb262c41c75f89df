package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/config"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that no record of the trail was altered or removed."`
	List   auditListCommand   `cmd:"" help:"Print the records of the trail, one JSON document a line."`
}

// trailSource says whose trail is meant: a configured node's, or that of a
// dev node's data directory. The node may be running.
type trailSource struct {
	configured
	Dev string `type:"path" placeholder:"DIR" help:"Data directory of a dev node on the embedded database, instead of a configuration."`
}

// open returns the trail, or nil when printing the configuration was all that
// was asked for.
func (t *trailSource) open(ctx context.Context, f config.Flags, s streams) (*app.Trail, error) {
	cfg, done, err := t.source(f, s)
	if err != nil || done {
		return nil, err
	}
	root, previous, err := rootKeys(cfg)
	if err != nil {
		return nil, err
	}
	return app.OpenTrail(ctx, database(cfg), root, time.Now, rand.Reader, logger(cfg, s.err), previous...)
}

func (t *trailSource) source(f config.Flags, s streams) (cfg *config.Config, done bool, err error) {
	if t.Dev == "" {
		return t.load(f, s)
	}
	if _, err := os.Stat(filepath.Join(t.Dev, "atrium.db")); err != nil {
		return nil, false, fmt.Errorf("%s is not the data directory of a dev node on the embedded database: %w", t.Dev, err)
	}
	cfg, err = config.Load("", nil, map[string]string{
		"public_url": "http://localhost:8484", "data_dir": t.Dev,
		"root_key.file": filepath.Join(t.Dev, "root.key"), "log.level": "warn",
	})
	return cfg, false, err
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
	trail, err := c.open(ctx, f, s)
	if trail == nil {
		return err
	}
	report, pending, err := trail.Verify(ctx, anchors...)
	if err = errors.Join(err, trail.Close()); err != nil {
		return err
	}
	return c.tell(report, pending, s)
}

// tell prints what was found; what is wrong is an error too.
func (c *auditVerifyCommand) tell(report *audit.Report, pending int, s streams) error {
	fmt.Fprintf(s.out, "%d records in %d batches\n", report.Records, report.Batches)
	if report.RemovedThrough > 0 {
		fmt.Fprintf(s.out, "retention has removed the records up to number %d\n", report.RemovedThrough)
	}
	for _, p := range report.Problems {
		fmt.Fprintf(s.out, "batch %d: %s\n", p.Batch, p.What)
	}
	if pending > 0 {
		fmt.Fprintf(s.out, "%d records are in no batch yet, and could be removed unseen; a running node seals them within a second\n", pending)
	}
	if !report.Good() {
		return errors.New("the audit trail was tampered with or is damaged")
	}
	if report.LastBatch > 0 {
		fmt.Fprintf(s.out, "the trail is whole; keep this elsewhere to prove later that it was not cut off: --anchor %d:%s\n", report.LastBatch, report.LastHash)
	}
	return nil
}

type auditListCommand struct {
	trailSource
	After int64 `help:"Number of the record to go on after."`
}

// Run prints the trail.
func (c *auditListCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	trail, err := c.open(ctx, f, s)
	if trail == nil {
		return err
	}
	return errors.Join(c.print(ctx, trail, s), trail.Close())
}

func (c *auditListCommand) print(ctx context.Context, trail *app.Trail, s streams) error {
	for after := c.After; ; {
		entries, next, err := trail.Read(ctx, after, 500)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if _, err := fmt.Fprintf(s.out, "%s\n", e.JSON); err != nil {
				return err
			}
		}
		after = next
	}
}
