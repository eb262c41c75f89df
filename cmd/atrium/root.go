package main

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
)

// rootCommand is for the root user of the management account, who has no reset
// by mail.
type rootCommand struct {
	Reset rootResetCommand `cmd:"" help:"Take the root user's password, second factors and sessions away, and print a link to begin anew."`
}

type rootResetCommand struct{ trailSource }

// Run prints the link.
func (c *rootResetCommand) Run(ctx context.Context, f config.Flags, s streams) error {
	cfg, done, err := c.source(f, s)
	if err != nil || done {
		return err
	}
	return operate(ctx, cfg, logger(cfg, s.err), func(o app.Operations) error {
		link, err := o.ResetRoot(ctx, operator())
		if err != nil {
			return err
		}
		return showRoot(link, s)
	})
}

// showRoot prints how the root user begins.
func showRoot(link app.RootLink, s streams) error {
	_, err := fmt.Fprintf(s.out, "The root user (%s) of the account %s begins at this link, which works once and until %s:\n\n  %s\n",
		link.Email, link.AccountID, link.ExpiresAt.Format(time.RFC1123), link.URL)
	return err
}
