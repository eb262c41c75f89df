package main

import (
	"context"
	"crypto/tls"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/audit/forward"
	"github.com/atrium-iam/atrium/internal/config"
)

// forwarding returns where the audit trail goes.
func forwarding(c config.AuditForward) (list []app.Forwarding) {
	if c.File != "" {
		list = append(list, app.Forwarding{Name: "file", Target: forward.NewFile(c.File)})
	}
	if c.Stdout {
		list = append(list, app.Forwarding{Name: "stdout", Target: forward.NewStream(os.Stdout)})
	}
	if c.Syslog != "" {
		list = append(list, app.Forwarding{Name: "syslog", Target: forward.NewSyslog(forward.SyslogOptions{
			Address: c.Syslog, HostName: operator().Host, Now: time.Now,
			TLS: &tls.Config{RootCAs: c.SyslogRoots, MinVersion: tls.VersionTLS12},
		})})
	}
	return list
}

// keepWithoutReaders keeps the program running when nobody reads its output any
// more: writing is an error then, and not its end.
func keepWithoutReaders() { signal.Ignore(syscall.SIGPIPE) }

// reopenOnHangup has the program open its files anew whenever it gets SIGHUP,
// until ctx ends.
func reopenOnHangup(ctx context.Context, p *app.Program) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				p.ReopenFiles()
			}
		}
	}()
}
