//go:build unix

package durability

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// TestKilledWhileTheRootKeyIsReplaced kills atrium keys replace-root in the
// middle, many times: either the old root key opens everything, or the new one.
func TestKilledWhileTheRootKeyIsReplaced(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { killedReplacing(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { killedReplacing(t, storetest.Postgres(t)) })
}

func killedReplacing(t *testing.T, dsn string) {
	dir := t.TempDir()
	command := func(root int, args ...string) *exec.Cmd {
		args = append(args, "--public-url", "http://localhost:8484", "--data-dir", dir, "--log-level", "warn",
			"--root-key-file", rootFile(dir, root))
		if dsn != "" {
			args = append(args, "--database-driver", "postgres", "--database-dsn", dsn)
		}
		return exec.Command(program, args...)
	}
	if out, err := command(0, "init", "--account-email", "management@example.com").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	current, replaced := 0, 0
	for round := 1; round <= rounds(); round++ {
		if err := keys.CreateRootFile(rootFile(dir, round), crand.Reader); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		whole := command(current, "keys", "rotate") // it takes as long, or longer
		if out, err := whole.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		c := command(current, "keys", "replace-root", "--new-root-key-file", rootFile(dir, round))
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(time.Since(begun)))
		_ = c.Process.Kill()
		_ = c.Wait()
		oldText, oldErr := verifies(command(current, "audit", "verify"))
		newText, newErr := verifies(command(round, "audit", "verify"))
		switch {
		case oldErr == nil && newErr != nil && strings.Contains(newText, "the configured root key is"):
		case newErr == nil && oldErr != nil && strings.Contains(oldText, "the configured root key is"):
			current, replaced = round, replaced+1
		default:
			t.Fatalf("round %d: with the old root key: %v\n%s\nwith the new one: %v\n%s", round, oldErr, oldText, newErr, newText)
		}
		if out, err := command(current, "keys", "rotate").CombinedOutput(); err != nil {
			t.Fatalf("round %d: the keys cannot be used: %v\n%s", round, err, out)
		}
	}
	t.Logf("killed %d times, %d times after the replacement", rounds(), replaced)
}

func verifies(c *exec.Cmd) (string, error) {
	out, err := c.CombinedOutput()
	return string(out), err
}

func rootFile(dir string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("root-%d.key", n))
}
