package main

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
)

// adminKeyCommand manages the access keys of the management account's
// administrator: atrium init shows the first, and this replaces one that was
// lost or leaked.
type adminKeyCommand struct {
	List    adminKeyListCommand    `cmd:"" help:"List the administrator's access keys."`
	Rotate  adminKeyRotateCommand  `cmd:"" help:"Make the administrator a new access key. The old one works on, so that clients can be changed first; then disable it."`
	Disable adminKeyDisableCommand `cmd:"" help:"Disable an access key at once."`
	Enable  adminKeyEnableCommand  `cmd:"" help:"Enable an access key that was disabled."`
}

// operate runs what a command does to the configured installation.
func (c *configured) operate(ctx context.Context, f config.Flags, s streams, run func(*config.Config, app.Operations) error) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	return operate(ctx, cfg, logger(cfg, s.err), func(o app.Operations) error { return run(cfg, o) })
}

type adminKeyListCommand struct{ configured }

// Run lists the keys.
func (c *adminKeyListCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(_ *config.Config, o app.Operations) error {
		list, err := o.AdministratorKeys(ctx)
		if err != nil {
			return err
		}
		for _, k := range list {
			state := "active"
			if !k.Active {
				state = "disabled"
			}
			fmt.Fprintf(s.out, "%s\t%s\tcreated %s\n", k.ID, state, k.Created.UTC().Format(time.RFC3339))
		}
		return nil
	})
}

type adminKeyRotateCommand struct {
	configured
	Revoke bool `help:"Remove the other access keys at once, as when one has leaked."`
}

// Run makes a new key.
func (c *adminKeyRotateCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(cfg *config.Config, o app.Operations) error {
		key, err := o.RotateAdministratorKey(ctx, operator(), c.Revoke)
		if err != nil {
			return err
		}
		return showKey(cfg, key, s)
	})
}

// showKey prints an access key with the settings that clients need beside it.
func showKey(cfg *config.Config, key app.AccessKey, s streams) error {
	_, err := fmt.Fprintf(s.out, "The administrator's access key, which is not shown again:\n\n"+
		"  AWS_ACCESS_KEY_ID=%[1]s\n  AWS_SECRET_ACCESS_KEY=%[2]s\n  AWS_REGION=%[3]s\n  AWS_DEFAULT_REGION=%[3]s\n  AWS_ENDPOINT_URL=%[4]s\n",
		key.ID, key.Secret, cfg.Region, cfg.PublicURL)
	return err
}

type adminKeyDisableCommand struct {
	configured
	ID string `arg:"" name:"access-key-id" help:"The key, AKIA…"`
}

// Run disables a key.
func (c *adminKeyDisableCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(_ *config.Config, o app.Operations) error {
		if err := o.EnableAdministratorKey(ctx, operator(), c.ID, false); err != nil {
			return err
		}
		_, err := fmt.Fprintln(s.out, c.ID, "is disabled")
		return err
	})
}

type adminKeyEnableCommand struct {
	configured
	ID string `arg:"" name:"access-key-id" help:"The key, AKIA…"`
}

// Run enables a key.
func (c *adminKeyEnableCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(_ *config.Config, o app.Operations) error {
		if err := o.EnableAdministratorKey(ctx, operator(), c.ID, true); err != nil {
			return err
		}
		_, err := fmt.Fprintln(s.out, c.ID, "is active")
		return err
	})
}
