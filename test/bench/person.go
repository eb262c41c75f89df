package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// person is somebody who is signed in to the portal of a node.
type person struct {
	base   string
	cookie string // as a browser sends it
	csrf   string // of every form
}

var (
	formPattern   = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>.*?</form>`)
	hiddenPattern = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
)

// signIn takes a person with a one-time password through the sign-in pages, as
// a browser would.
func signIn(ctx context.Context, base, user, oneTime string) (*person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	const chosen = "Vt7-kelp-Moon"
	page, err := fetch(ctx, client, base+"/signin?to=%2Fdevice", nil)
	if err != nil {
		return nil, err
	}
	for _, values := range []url.Values{
		{"username": {user}}, {"username": {user}, "password": {oneTime}}, {"username": {user}, "password": {chosen}, "confirm": {chosen}},
	} {
		action, csrf, err := form(page)
		if err != nil {
			return nil, err
		}
		values.Set("csrf", csrf)
		values.Set("to", "/device")
		if page, err = fetch(ctx, client, base+action, values); err != nil {
			return nil, err
		}
	}
	action, csrf, err := form(page)
	if err != nil || action != "/device" {
		return nil, fmt.Errorf("signing in ended at the form %q (%w)", action, err)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	var cookies []string
	for _, c := range jar.Cookies(u) {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	return &person{base: base, csrf: csrf, cookie: strings.Join(cookies, "; ")}, nil
}

// signInSample signs in one of the sample's people on a node that has its data
// under dir.
func signInSample(ctx context.Context, node *process, dir, user string) (*person, error) {
	password, err := oneTimePassword(filepath.Join(dir, "data", "credentials.txt"), user)
	if err != nil {
		return nil, err
	}
	return signIn(ctx, node.server.Endpoint, user, password)
}

// portalToken is the header with the access token that the portal's API wants.
const portalToken = "X-Amz-Sso_bearer_token"

// roleCredentialsPath is where the sample's administrator gets the credentials
// of the administrator's role in the management account.
const roleCredentialsPath = "/federation/credentials?account_id=123456789012&role_name=Administrator"

// accessToken logs in as one of the sample's people, at the portal and with a
// program, and returns the program's access token.
func accessToken(ctx context.Context, node *process, dir, user string) (string, error) {
	person, err := signInSample(ctx, node, dir, user)
	if err != nil {
		return "", err
	}
	d := &devices{person: person, logins: make([]login, 1)}
	err = d.flow(ctx, 0, unled())
	return d.logins[0].AccessToken, err
}

// unled is a client that goes nowhere by itself.
func unled() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// administratorRole logs in as the sample's administrator and returns the
// access token, and the credentials of the administrator's role in the
// management account.
func administratorRole(ctx context.Context, node *process, dir string) (token string, c loadgen.Credentials, err error) {
	if token, err = accessToken(ctx, node, dir, "admin"); err != nil {
		return "", c, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, node.server.Endpoint+roleCredentialsPath, nil)
	if err != nil {
		return "", c, err
	}
	r.Header.Set(portalToken, token)
	response, err := unled().Do(r)
	if err != nil {
		return "", c, err
	}
	defer response.Body.Close()
	var out struct {
		RoleCredentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil || out.RoleCredentials.SessionToken == "" {
		return "", c, fmt.Errorf("asking for role credentials answered %s (%w)", response.Status, err)
	}
	return token, loadgen.Credentials(out.RoleCredentials), nil
}

// form returns where a page's first form goes, and its token. The form to sign
// out, which stands at the head of every page, does not count.
func form(page string) (action, csrf string, err error) {
	for _, f := range formPattern.FindAllStringSubmatch(page, -1) {
		hidden := hiddenPattern.FindStringSubmatch(f[0])
		switch {
		case f[1] == "/signin/out":
		case hidden == nil:
			return "", "", errors.New("the form has no token")
		default:
			return html.UnescapeString(f[1]), html.UnescapeString(hidden[1]), nil
		}
	}
	return "", "", errors.New("the page has no form")
}

// fetch gets a page, or posts a form.
func fetch(ctx context.Context, client *http.Client, target string, values url.Values) (string, error) {
	method := http.MethodGet
	if values != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(values.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", target, response.Status)
	}
	return string(page), err
}

// approve allows a device.
func (p *person) approve(ctx context.Context, client *http.Client, userCode string) error {
	values := url.Values{"csrf": {p.csrf}, "user_code": {userCode}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+"/device/allow", strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Cookie", p.cookie)
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if to := response.Header.Get("Location"); to != "/device/done" {
		return fmt.Errorf("allowing a device answered %s, to %q", response.Status, to)
	}
	return nil
}

// oneTimePassword reads the password of a sample person.
func oneTimePassword(file, user string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if name, password, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && name == user {
			return password, nil
		}
	}
	return "", fmt.Errorf("%s names no %s", file, user)
}
