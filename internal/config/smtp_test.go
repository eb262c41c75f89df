package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smtpFiles returns a password's file, one that others can read, and one that
// is no certificate.
func smtpFiles(t *testing.T) (good, open, noise string) {
	t.Helper()
	dir := t.TempDir()
	good, open, noise = filepath.Join(dir, "good"), filepath.Join(dir, "open"), filepath.Join(dir, "noise")
	for path, mode := range map[string]os.FileMode{good: 0o600, open: 0o644, noise: 0o644} {
		if err := os.WriteFile(path, []byte("s3cret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	return good, open, noise
}

func TestReadSMTP(t *testing.T) {
	file, _, _ := smtpFiles(t)
	s, err := ReadSMTP(map[string]string{"host": "mail.example.com", "username": "atrium", "password_file": file, "from": "Atrium <no-reply@example.com>"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Security != "starttls" || s.Port != 0 || s.Password.Reveal() != "s3cret" || s.From.Name != "Atrium" || s.From.Address != "no-reply@example.com" {
		t.Errorf("read: %+v", s)
	}
	if s, err := ReadSMTP(nil); err != nil || s.Host != "" {
		t.Errorf("nothing configured: %+v, %v", s, err)
	}
}

func TestReadSMTPRefuses(t *testing.T) {
	file, open, noise := smtpFiles(t)
	base := map[string]string{"host": "mail.example.com", "from": "no-reply@example.com"}
	for name, c := range map[string]struct {
		change map[string]string
		want   string
	}{
		"no host":               {map[string]string{"host": ""}, "smtp.host is missing"},
		"a port in the host":    {map[string]string{"host": "mail.example.com:587"}, "give the port as smtp.port"},
		"no sender":             {map[string]string{"from": ""}, "smtp.from is missing"},
		"two senders":           {map[string]string{"from": "a@example.com, b@example.com"}, "give an address"},
		"a sender of lines":     {map[string]string{"from": "Atrium <a@example.com>\nBcc: b@example.com"}, "give an address"},
		"no such port":          {map[string]string{"port": "65536"}, "give a port"},
		"no such security":      {map[string]string{"tls": "ssl"}, "give one of starttls, tls, none"},
		"no password":           {map[string]string{"username": "atrium"}, "go together"},
		"no user name":          {map[string]string{"password": "s3cret"}, "go together"},
		"two passwords":         {map[string]string{"username": "atrium", "password": "s3cret", "password_file": file}, "set one"},
		"a password for all":    {map[string]string{"username": "atrium", "password_file": open}, "others can read it"},
		"no password's file":    {map[string]string{"username": "atrium", "password_file": open + "x"}, "cannot be read"},
		"a password in clear":   {map[string]string{"username": "atrium", "password": "s3cret", "tls": "none"}, "must not travel in the clear"},
		"no certificate":        {map[string]string{"ca_file": noise}, "holds no certificate"},
		"no certificate's file": {map[string]string{"ca_file": noise + "x"}, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			values := map[string]string{}
			for _, from := range []map[string]string{base, c.change} {
				for k, v := range from {
					values[k] = v
				}
			}
			_, err := ReadSMTP(values)
			problems, ok := errors.AsType[Problems](err)
			if !ok || !strings.Contains(problems.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

// TestPrintSMTP masks the password and reads back.
func TestPrintSMTP(t *testing.T) {
	values := map[string]string{
		"public_url": "http://localhost:8484", "root_key.env": "KEY", "smtp.host": "mail.example.com", "smtp.port": "2525", "smtp.tls": "tls",
		"smtp.username": "atrium", "smtp.password": "s3cret", "smtp.from": "Atrium <no-reply@example.com>",
	}
	c, err := Load("", []string{"KEY=x"}, values)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "s3cret") || !strings.Contains(out.String(), "(secret)") {
		t.Errorf("printed:\n%s", out.String())
	}
	path := filepath.Join(t.TempDir(), "atrium.yaml")
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path, []string{"KEY=x", "ATRIUM_SMTP_PASSWORD=s3cret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.SMTP, again.SMTP); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}
