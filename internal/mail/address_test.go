package mail_test

import (
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/mail"
)

func TestDeliverable(t *testing.T) {
	label := strings.Repeat("d", 61)
	long := label + "." + label + "." + label + "." // 186 bytes
	for address, want := range map[string]bool{
		"sam.lee@example.com": true, "o'neil+x@example.co.uk": true, "jürgen@exämple.de": true, "sam@bücher.example": true,
		"sam@[192.0.2.1]": true, "sam@mail_server.example.com": true, "sam@xn--bcher-kva.example": true,
		"": false, "sam": false, "sam@": false, "@example.com": false, "sam lee@example.com": false, "Sam <sam@example.com>": false,
		"sam@example.com, eve@example.com": false, "sam@example.com\r\nBcc: eve@example.com": false, "sam@example.com\x7f": false,
		"sam@example": false, "sam@-ä-.example": false, "sam@\u202eexample.com": false, `"sam lee"@example.com`: false,
		strings.Repeat("a", 64) + "@example.com": true, strings.Repeat("a", 65) + "@example.com": false, strings.Repeat("ä", 33) + "@example.com": false,
		"s@" + long + strings.Repeat("d", 62) + ".ee": true, "sam@" + long + strings.Repeat("d", 62) + ".eee": false,
		strings.Repeat("a", 64) + "@" + long + "ee": true, strings.Repeat("a", 64) + "@" + long + "eeee": false,
		// In ASCII it is longer.
		"sam@" + strings.Repeat("ä.", 60) + "example": false, "sam@" + strings.Repeat("ä.", 20) + "example": true,
		"sam@" + strings.Repeat("ä", 70) + ".example": false,
		"sam@" + strings.Repeat("d", 63) + ".example": true, "sam@" + strings.Repeat("d", 64) + ".example": false, "sam@example..com": false, "sam@example.com.": false,
	} {
		if got := mail.Deliverable(address); got != want {
			t.Errorf("Deliverable(%q), of %d bytes, is %v", address, len(address), got)
		}
	}
}

func TestEnvelope(t *testing.T) {
	for address, want := range map[string]string{
		"sam@example.com": "sam@example.com", "Sam@Example.com": "Sam@Example.com", "sam@BÜCHER.example": "sam@xn--bcher-kva.example",
		"jürgen@exämple.de": "jürgen@xn--exmple-cua.de", "root@localhost": "root@localhost", `"a@b"@example.com`: `"a@b"@example.com`,
		"sam@faß.example": "sam@xn--fa-hia.example",
		"":                "", "sam": "", "sam@": "", "@example.com": "", "sam@ä b.example": "",
	} {
		got, err := mail.Envelope(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Envelope(%q) = %q, %v; want %q", address, got, err, want)
		}
	}
}

func TestHint(t *testing.T) {
	for address, want := range map[string]string{
		"sam.lee@example.com": "s•••@example.com", "élise@exämple.com": "é•••@exämple.com", "a@b.com": "a•••@b.com", "": "•••", "nobody": "•••",
	} {
		if got := mail.Hint(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
