package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/keys"
)

type keysCommand struct {
	Rotate      rotateCommand      `cmd:"" help:"Add a new generation of keys; what older ones sealed still opens."`
	Reseal      resealCommand      `cmd:"" help:"Seal stored secrets anew with the newest keys, and remove older keys that nothing needs any more."`
	ReplaceRoot replaceRootCommand `cmd:"" help:"Wrap all keys with a new root key."`
}

type rotateCommand struct {
	configured
	Revoke bool `help:"Remove the older generations of keys for tokens and sessions: whatever they sealed ends at once."`
}

// Run rotates the keys of every purpose.
func (c *rotateCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(_ *config.Config, o app.Operations) error {
		rotated, err := o.RotateKeys(ctx, operator(), c.Revoke)
		if err != nil {
			return err
		}
		for _, r := range rotated {
			text := fmt.Sprintf("%s: generation %d", r.Purpose, r.Generation)
			if r.Revoked > 0 {
				text += fmt.Sprintf(", %d older revoked", r.Revoked)
			}
			fmt.Fprintln(s.out, text)
		}
		fmt.Fprintln(s.out, "\nStored secrets are sealed anew by running nodes within twenty minutes. Then remove the old keys with: atrium keys reseal")
		return nil
	})
}

type resealCommand struct{ configured }

// Run seals anew, step by step, and removes what is not needed.
func (c *resealCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	return c.operate(ctx, f, s, func(_ *config.Config, o app.Operations) error {
		values, damaged := 0, 0
		for next, more := "", true; more; more = next != "" {
			step, err := o.ResealSecrets(ctx, operator(), next)
			if err != nil {
				return fmt.Errorf("%w (%d stored secrets were sealed anew before; run the command again to go on)", err, values)
			}
			next, values, damaged = step.Next, values+step.Values, damaged+step.Damaged
			if next != "" {
				fmt.Fprintf(s.err, "%d stored secrets sealed anew so far\n", values)
			}
		}
		fmt.Fprintf(s.out, "%d stored secrets sealed anew\n", values)
		retired, err := o.RetireKeys(ctx, operator())
		for _, r := range retired {
			text := "removed"
			if r.Kept != "" {
				text = "kept: " + r.Kept
			}
			fmt.Fprintf(s.out, "%s: generation %d %s\n", r.Purpose, r.Generation, text)
		}
		if err == nil && damaged > 0 {
			err = fmt.Errorf("%d stored secrets do not open and were left as they are: the log names them", damaged)
		}
		return err
	})
}

type replaceRootCommand struct {
	configured
	NewRootKeyFile string `type:"path" placeholder:"FILE" help:"File of the new root key, mode 0600. When not given it is root_key of the configuration, which then names the old one as root_key.previous_file or root_key.previous_env."`
}

// Run wraps the keys with a new root key.
func (c *replaceRootCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.load(f, s)
	if err != nil || done {
		return err
	}
	next, err := c.next(cfg)
	if err != nil {
		return err
	}
	return operate(ctx, cfg, logger(cfg, s.err), func(o app.Operations) error {
		replaced, err := o.ReplaceRootKey(ctx, operator(), next)
		if err != nil {
			return err
		}
		return c.tell(replaced, s)
	})
}

// next reads the new root key.
func (c *replaceRootCommand) next(cfg *config.Config) (app.RootKeyText, error) {
	if c.NewRootKeyFile == "" {
		if cfg.PreviousRootKey == (config.RootKey{}) {
			return "", usageError{fmt.Errorf("which root key is the new one? Give --new-root-key-file; make the file with: (umask 077; openssl rand -base64 %d > FILE)", keys.RootSize)}
		}
		return rootKeyText(cfg.RootKey)
	}
	if _, err := os.Stat(c.NewRootKeyFile); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s does not exist; make it with: (umask 077; openssl rand -base64 %d > %s)", c.NewRootKeyFile, keys.RootSize, c.NewRootKeyFile)
	}
	text, err := keys.ReadRootText(c.NewRootKeyFile)
	return app.RootKeyText(text), err
}

// tell says what was done, and what comes next.
func (c *replaceRootCommand) tell(r keys.Replaced, s streams) error {
	configure := fmt.Sprintf("Configure root key %s instead of %s: set root_key.file to %s.", r.To, r.From, c.NewRootKeyFile)
	if c.NewRootKeyFile == "" {
		configure = "Remove root_key.previous_file or root_key.previous_env from the configuration."
	}
	_, err := fmt.Fprintf(s.out, `Root key %s wraps all %d keys of the database now, instead of %s.

What is left to do:
  1. %s
  2. Restart every node. Until then it works with the keys in its memory;
     started with the old root key alone it would refuse.
  3. Keep the old root key as long as backups of the database from before now:
     they need it. If it has leaked, rotate the keys as well: atrium keys rotate --revoke
`, r.To, r.Generations, r.From, configure)
	return err
}
