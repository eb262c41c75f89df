package cli

import (
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// terminal is a command that runs at a terminal of its own, and who sits at it.
// The terminal is made by script(1), which every Debian has.
type terminal struct {
	t    *testing.T
	keys io.WriteCloser
	cmd  *exec.Cmd

	mu      sync.Mutex
	printed string        // what is on the screen, without its movements
	read    int           // how much of it was read
	more    chan struct{} // gets a value when there is more
}

// patience is how long the terminal may take to print something.
const patience = 30 * time.Second

// openTerminal runs a command line of the shell at a terminal.
func openTerminal(t *testing.T, dir string, env []string, command string) *terminal {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "script", "-qefc", "stty cols 200 rows 50; "+command, "/dev/null")
	cmd.Dir, cmd.Env = dir, append(env, "TERM=xterm", "PROMPT_TOOLKIT_NO_CPR=1")
	x := &terminal{t: t, cmd: cmd, more: make(chan struct{}, 1)}
	var err error
	if x.keys, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = x, x
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return x
}

// movements are what a program prints to move the cursor and to change colours.
var movements = regexp.MustCompile("\x1b(\\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])|\r|\x07")

// Write takes what the command prints.
func (x *terminal) Write(p []byte) (int, error) {
	x.mu.Lock()
	x.printed += movements.ReplaceAllString(string(p), "")
	x.mu.Unlock()
	select {
	case x.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// expect waits until the terminal prints something that matches pattern, after
// what was expected before, and returns its groups.
func (x *terminal) expect(pattern string) []string {
	x.t.Helper()
	re, late := regexp.MustCompile(pattern), time.After(patience)
	for {
		x.mu.Lock()
		unread := x.printed[x.read:]
		if at := re.FindStringSubmatchIndex(unread); at != nil {
			x.read += at[1]
			x.mu.Unlock()
			return re.FindStringSubmatch(unread)
		}
		x.mu.Unlock()
		select {
		case <-x.more:
		case <-late:
			x.t.Fatalf("the terminal does not show %q, but\n%s", pattern, unread)
		}
	}
}

// answer waits for a question, literally, and types an answer.
func (x *terminal) answer(question, text string) {
	x.t.Helper()
	x.expect(regexp.QuoteMeta(question))
	x.press(text + "\r")
}

// press presses keys, one after the other.
func (x *terminal) press(keys ...string) {
	x.t.Helper()
	for _, key := range keys {
		if _, err := io.WriteString(x.keys, key); err != nil {
			x.t.Fatal(err)
		}
	}
}

// close waits for the command to end and returns what it has printed since the
// last expectation.
func (x *terminal) close() string {
	x.t.Helper()
	err := x.cmd.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.t.Fatalf("%v; the terminal shows\n%s", err, x.printed)
	}
	return strings.TrimSpace(x.printed[x.read:])
}
