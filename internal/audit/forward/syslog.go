package forward

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/outbound"
)

const (
	// priority is facility 13, log audit, and severity 6, informational (RFC
	// 5424, section 6.2.1).
	priority = 13*8 + 6
	// again is how long after their delivery records are sent once more when the
	// connection breaks: syslog has no answers, so that nobody knows what of it
	// has arrived.
	again = 30 * time.Second
)

// SyslogOptions are what a Syslog needs; all are required.
type SyslogOptions struct {
	// Address is the server's, host:port. Its certificate must be for the host.
	Address string
	// TLS is how it is spoken to; ServerName is set by Address.
	TLS *tls.Config
	// HostName is the name of this machine in messages.
	HostName string
	Now      func() time.Time
}

// Syslog sends records to a syslog server as messages of RFC 5424, over TLS as
// RFC 5425 has it. Deliver must not be called by several goroutines at once.
type Syslog struct {
	opts   SyslogOptions
	conn   net.Conn
	gone   *atomic.Bool // the server has closed conn
	recent []sent
}

// sent are records and when they were delivered.
type sent struct {
	at      time.Time
	records []audit.Entry
}

var _ audit.Target = (*Syslog)(nil)

// NewSyslog returns the target of a syslog server.
func NewSyslog(o SyslogOptions) *Syslog {
	o.HostName = field(o.HostName, 255)
	return &Syslog{opts: o}
}

// Deliver sends records. After a connection that broke, those of the last
// half minute are sent before them.
func (t *Syslog) Deliver(ctx context.Context, records []audit.Entry) error {
	var text bytes.Buffer
	fresh, err := t.connect(ctx)
	if err != nil {
		return err
	}
	if fresh {
		for _, s := range t.recent {
			t.frames(&text, s.records)
		}
	}
	t.frames(&text, records)
	if deadline, ok := ctx.Deadline(); ok {
		if err := t.conn.SetWriteDeadline(deadline); err != nil {
			return errors.Join(err, t.close())
		}
	}
	if _, err := t.conn.Write(text.Bytes()); err != nil {
		return errors.Join(err, t.close())
	}
	t.recent = append(t.recent, sent{t.opts.Now(), records})
	t.forget()
	return nil
}

// forget lets go of records that were sent some time ago, over a connection that
// has taken others since.
func (t *Syslog) forget() {
	for len(t.recent) > 0 && t.opts.Now().Sub(t.recent[0].at) > again {
		t.recent = t.recent[1:]
	}
}

// connect makes sure of a connection and tells whether it is a new one.
func (t *Syslog) connect(ctx context.Context) (fresh bool, err error) {
	if t.conn != nil && !t.gone.Load() {
		return false, nil
	}
	_ = t.close() // it is broken
	config := t.opts.TLS.Clone()
	if config.ServerName, _, err = net.SplitHostPort(t.opts.Address); err != nil {
		return false, err
	}
	conn, err := outbound.Configured.DialTLS(config)(ctx, "tcp", t.opts.Address)
	if err != nil {
		return false, fmt.Errorf("connect to the syslog server: %w", err)
	}
	gone := new(atomic.Bool)
	go func() { // servers say nothing: what can be read is the end
		_, _ = io.Copy(io.Discard, conn)
		gone.Store(true)
	}()
	t.conn, t.gone = conn, gone
	return true, nil
}

func (t *Syslog) close() error {
	if t.conn == nil {
		return nil
	}
	c := t.conn
	t.conn = nil
	return c.Close()
}

// frames appends a message for each record, with its length before it (RFC
// 5425, section 4.3).
func (t *Syslog) frames(b *bytes.Buffer, records []audit.Entry) {
	for _, r := range records {
		message := t.message(r)
		b.WriteString(strconv.Itoa(len(message)))
		b.WriteByte(' ')
		b.WriteString(message)
	}
}

// message is a record as a message of RFC 5424, without structured data.
func (t *Syslog) message(r audit.Entry) string {
	var record struct{ EventTime time.Time }
	at := "-"
	if err := json.Unmarshal(r.JSON, &record); err == nil && !record.EventTime.IsZero() {
		at = record.EventTime.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("<%d>1 %s %s %s - audit - %s", priority, at, t.opts.HostName, audit.Source, r.JSON)
}

// field is text as a field of a header: printable ASCII without spaces, "-" for
// none.
func field(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		text = text[:most]
	}
	if text == "" {
		return "-"
	}
	return text
}
