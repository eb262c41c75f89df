// Command serve runs a mail server for tests in other languages. It prints a
// line of JSON about itself, and one for each message that arrives, until its
// input ends.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/atrium-iam/atrium/test/mailsink"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var o mailsink.Options
	flag.StringVar(&o.Listen, "listen", "", "host:port")
	flag.StringVar(&o.UserName, "username", "", "user name to ask for")
	flag.StringVar(&o.Password, "password", "", "password to ask for")
	flag.BoolVar(&o.Implicit, "implicit", false, "TLS from the first byte")
	flag.Parse()
	s, err := mailsink.Start(o)
	if err != nil {
		return err
	}
	defer s.Close()
	lines := json.NewEncoder(out)
	if err := lines.Encode(map[string]any{"port": s.Port, "ca": string(s.CA)}); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	for told := 0; ; {
		for _, m := range s.Wait(told+1, 50*time.Millisecond)[told:] {
			told++
			if err := lines.Encode(map[string]any{"to": m.To, "subject": m.Subject, "text": m.Text, "html": m.HTML, "tls": m.TLS}); err != nil {
				return err
			}
		}
		select {
		case <-ended:
			return nil
		default:
		}
	}
}
