package preview_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/preview"
)

func get(t *testing.T, url string) (string, http.Header, int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), answer.Header, answer.StatusCode
}

func TestMailIsShown(t *testing.T) {
	var terminal strings.Builder
	box, err := preview.New(&terminal)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	box.Mount(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	if body, _, _ := get(t, server.URL+preview.Path); !strings.Contains(body, "There is none yet") {
		t.Errorf("without mail:\n%s", body)
	}
	for i := range 250 {
		m := mail.Message{ID: fmt.Sprintf("m%d", i), To: "<b>@example.com", Subject: fmt.Sprintf("Subject %d <i>", i), Text: "the text\n", HTML: "<p>the HTML</p>"}
		if err := box.Deliver(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if said := terminal.String(); strings.Count(said, "the text") != 250 || !strings.Contains(said, "Subject: Subject 7 <i>") {
		t.Error("the terminal does not tell of each mail")
	}
	list, header, _ := get(t, server.URL+preview.Path)
	first, last := strings.Index(list, "Subject 249 &lt;i&gt;"), strings.Index(list, "Subject 50 &lt;i&gt;")
	if first < 0 || last < first || strings.Contains(list, "Subject 49 ") || strings.Contains(list, "<i>") || strings.Contains(list, "<b>@") {
		t.Errorf("the list is not the newest 200, newest first, as text:\n%.2000s", list)
	}
	if policy := header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "script") {
		t.Errorf("the list has the policy %q", policy)
	}
	body, header, _ := get(t, server.URL+preview.Path+"/m249")
	if body != "<p>the HTML</p>" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") || strings.Contains(header.Get("Content-Security-Policy"), "allow-scripts") {
		t.Errorf("a mail is shown as %q with %q", body, header.Get("Content-Security-Policy"))
	}
	if _, _, status := get(t, server.URL+preview.Path+"/m1"); status != http.StatusNotFound {
		t.Errorf("a mail that is gone: %d", status)
	}
}
