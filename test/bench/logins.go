package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// loginRows are the rows that logins measures.
const (
	flowRow    = "7 whole device flow"
	refreshRow = "7 refresh"
)

// logins measures how clients log in and refresh, on a new node.
func (b *bencher) logins(ctx context.Context) error {
	if !b.measures(flowRow) && !b.measures(refreshRow) {
		return nil
	}
	dir := filepath.Join(b.dir, "logins")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	node, err := startAtrium(ctx, b.atrium, dir, engine{})
	if err != nil {
		return err
	}
	defer node.stop()
	sam, err := signInSample(ctx, node, dir, "sam.lee")
	if err != nil {
		return err
	}
	ceilings, err := engine{}.ceilings(ctx, dir, b.duration)
	if err != nil {
		return fmt.Errorf("commit ceiling: %w", err)
	}
	printHead("logins, SQLite")
	printCeiling("7", ceilings[0])
	for _, clients := range b.clients {
		d := &devices{person: sam, logins: make([]login, clients)}
		for _, row := range []struct {
			name string
			step func(context.Context, int, *http.Client) error
		}{{flowRow, d.flow}, {refreshRow, d.refresh}} {
			if !b.measures(row.name) {
				continue
			}
			m := b.steps(ctx, node, clients, row.step)
			printRow(row.name, clients, node.name, m, ratio(m.Rate(), ceilings[0].rate)+" of "+ceilings[0].name)
		}
	}
	return ctx.Err()
}

// steps measures a step several times and returns the median by rate.
func (b *bencher) steps(ctx context.Context, node *process, clients int, step func(context.Context, int, *http.Client) error) measurement {
	all := make([]measurement, b.runs)
	for i := range all {
		before := node.cpu()
		result := loadgen.Steps(ctx, loadgen.Load{Clients: clients, Warmup: b.warmup, Duration: b.duration}, step)
		all[i] = measurement{Result: result}
		if used := node.cpu() - before; used > 0 {
			all[i].perCore = result.Rate() * (b.warmup + result.Elapsed).Seconds() / used.Seconds()
		}
	}
	slices.SortFunc(all, func(a, b measurement) int { return cmp.Compare(a.Rate(), b.Rate()) })
	return all[len(all)/2]
}

// devices are clients that one person lets log in.
type devices struct {
	person *person
	logins []login // by worker
}

// login is a client and its newest tokens.
type login struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	RefreshToken string `json:"refreshToken"`
	AccessToken  string `json:"accessToken"`
}

// flow is a whole login: register, start, approve, redeem.
func (d *devices) flow(ctx context.Context, worker int, client *http.Client) error {
	l := &d.logins[worker]
	*l = login{}
	err := d.post(ctx, client, "/client/register", `{"clientName": "bench", "clientType": "public", "scopes": ["sso:account:access"]}`, l)
	if err != nil {
		return err
	}
	var started struct{ DeviceCode, UserCode string }
	body := fmt.Sprintf(`{"clientId": %q, "clientSecret": %q, "startUrl": %q}`, l.ClientID, l.ClientSecret, d.person.base+"/start")
	if err := d.post(ctx, client, "/device_authorization", body, &started); err != nil {
		return err
	}
	if err := d.person.approve(ctx, client, started.UserCode); err != nil {
		return err
	}
	body = fmt.Sprintf(`{"grantType": "urn:ietf:params:oauth:grant-type:device_code", "clientId": %q, "clientSecret": %q, "deviceCode": %q}`, l.ClientID, l.ClientSecret, started.DeviceCode)
	return d.post(ctx, client, "/token", body, l)
}

// refresh exchanges a worker's refresh token, after a login if it has none.
func (d *devices) refresh(ctx context.Context, worker int, client *http.Client) error {
	l := &d.logins[worker]
	if l.RefreshToken == "" {
		return d.flow(ctx, worker, client)
	}
	body := fmt.Sprintf(`{"grantType": "refresh_token", "clientId": %q, "clientSecret": %q, "refreshToken": %q}`, l.ClientID, l.ClientSecret, l.RefreshToken)
	return d.post(ctx, client, "/token", body, l)
}

func (d *devices) post(ctx context.Context, client *http.Client, path, body string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.person.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s %s", path, response.Status, response.Header.Get("x-amzn-ErrorType"))
	}
	return json.NewDecoder(response.Body).Decode(into)
}
