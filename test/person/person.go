// Package person has people sign in at a node's pages and approve what their
// clients ask for, as they do with a browser: page by page, form by form.
package person

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Person is somebody with a browser. The browser keeps its cookies.
type Person struct {
	UserName string
	// Password is what the person signs in with, and NewPassword what they
	// choose when they are asked to. From then on it is their Password.
	Password, NewPassword string
	// UserCode is what the person's terminal shows, to be typed where a page
	// asks for it.
	UserCode string
	// Pause, if it is set, comes before each page that the person opens.
	Pause func()

	browser *http.Client
}

// New returns a person with an empty browser.
func New(userName, password, newPassword string) (*Person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Person{UserName: userName, Password: password, NewPassword: newPassword, browser: &http.Client{Jar: jar}}, nil
}

// maxPages is how many pages one approval has at most.
const maxPages = 10

// Approve opens an address and agrees to everything until a page asks for
// nothing more. It returns the headings of the pages it has seen. A page that
// refuses is an error.
func (p *Person) Approve(ctx context.Context, address string) (headings []string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Sec-Fetch-Site", "none")
	for range maxPages {
		here, err := p.open(r)
		if err != nil {
			return headings, err
		}
		headings = append(headings, here.heading())
		form, more := here.form()
		if !more {
			return headings, nil
		}
		p.fill(form.fields)
		if r, err = here.submit(ctx, form); err != nil {
			return headings, err
		}
	}
	return headings, errors.New("the pages do not come to an end")
}

// fill types into the fields of a form.
func (p *Person) fill(fields url.Values) {
	set := func(name, value string) {
		if fields.Has(name) {
			fields.Set(name, value)
		}
	}
	set("username", p.UserName)
	if fields.Has("confirm") {
		p.Password = p.NewPassword
	}
	set("password", p.Password)
	set("confirm", p.Password)
	if fields.Get("user_code") == "" {
		set("user_code", p.UserCode)
	}
}

// page is what a browser shows.
type page struct {
	at   *url.URL
	text string
}

func (p *Person) open(r *http.Request) (*page, error) {
	if p.Pause != nil {
		p.Pause()
	}
	response, err := p.browser.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	out := &page{response.Request.URL, string(text)}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d: %s: %s", out.at, response.StatusCode, out.heading(), first(problem, out.text))
	}
	return out, nil
}

var (
	heading = regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`)
	problem = regexp.MustCompile(`(?s)<p class="problem"[^>]*>(.*?)</p>`)
	forms   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">(.*?)</form>`)
	input   = regexp.MustCompile(`<input [^>]*>`)
	name    = regexp.MustCompile(` name="([^"]*)"`)
	value   = regexp.MustCompile(` value="([^"]*)"`)
)

// first returns what is in the first match of a pattern.
func first(pattern *regexp.Regexp, text string) string {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

func (p *page) heading() string { return first(heading, p.text) }

// form is a form with what is in its fields.
type form struct {
	action string
	fields url.Values
}

// form returns the form of the page that goes on, if there is one.
func (p *page) form() (form, bool) {
	for _, m := range forms.FindAllStringSubmatch(p.text, -1) {
		f := form{html.UnescapeString(m[1]), url.Values{}}
		if strings.HasSuffix(f.action, "/deny") || f.action == "/signin/out" {
			continue
		}
		for _, field := range input.FindAllString(m[2], -1) {
			f.fields.Set(first(name, field), first(value, field))
		}
		return f, true
	}
	return form{}, false
}

// submit returns the request that the page's browser makes with a form.
func (p *page) submit(ctx context.Context, f form) (*http.Request, error) {
	to, err := p.at.Parse(f.action)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(f.fields.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", p.at.Scheme+"://"+p.at.Host)
	return r, nil
}
