package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// objectRows are the rows that objects measures, by the size of the object in
// bytes.
var objectRows = []struct {
	name string
	size int
}{{"S3 GET 1 KiB", 1 << 10}, {"S3 GET 1 MiB", 1 << 20}}

// management is the account whose role reads.
const management = "123456789012"

// objects measures how objects are read: from an S3 server directly, through a
// node from that server, and through a node from its own storage.
func (b *bencher) objects(ctx context.Context) error {
	if b.s3Server == "" || !b.measures(objectRows[0].name) && !b.measures(objectRows[1].name) {
		return nil
	}
	direct, err := b.startS3(ctx)
	if err != nil {
		return fmt.Errorf("the S3 server: %w", err)
	}
	defer direct.stop()
	accounts := filepath.Join(b.dir, "accounts.yaml")
	who := direct.server.Credentials
	text := fmt.Sprintf("%q: {access_key_id: %s, secret_access_key: %s}\n", management, who.AccessKeyID, who.SecretAccessKey)
	if err := os.WriteFile(accounts, []byte(text), 0o600); err != nil {
		return err
	}
	servers := []*process{direct}
	for _, way := range []struct {
		name  string
		flags []string
	}{
		{"atrium, from versitygw", []string{"--s3-endpoint", direct.server.Endpoint, "--s3-accounts-file", accounts}},
		{"atrium, from its own storage", nil},
	} {
		node, err := b.startStorage(ctx, way.name, way.flags...)
		if err != nil {
			return err
		}
		defer node.stop()
		servers = append(servers, node)
	}
	return b.reads(ctx, servers)
}

// reads measures reading on servers; the first is what the others are compared
// with.
func (b *bencher) reads(ctx context.Context, servers []*process) error {
	for i, s := range servers {
		if err := fill(ctx, s, fmt.Sprintf("bench-%d", i)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	printHead("S3")
	for _, row := range objectRows {
		if !b.measures(row.name) {
			continue
		}
		contenders, want := make([]contender, len(servers)), object(row.size)
		for i, s := range servers {
			contenders[i] = contender{s, loadgen.Object(http.MethodGet, fmt.Sprintf("/bench-%d/%d", i, row.size), nil).Checked(func(_ int64, body []byte) error {
				if !bytes.Equal(body, want) {
					return errors.New("another object")
				}
				return nil
			})}
		}
		for _, clients := range b.clients {
			got, err := b.measure(ctx, clients, contenders...)
			if err != nil {
				return err
			}
			for i, m := range got {
				share := ""
				if i > 0 {
					share = ratio(m.Rate(), got[0].Rate()) + " of " + servers[0].name
				}
				printRow(row.name, clients, servers[i].name, m, share)
			}
		}
	}
	return nil
}

// object is an object's content.
func object(size int) []byte { return bytes.Repeat([]byte{'x'}, size) }

// fill makes a bucket and the objects in it.
func fill(ctx context.Context, s *process, bucket string) error {
	calls := []loadgen.Call{loadgen.Object(http.MethodPut, "/"+bucket, nil)}
	for _, row := range objectRows {
		calls = append(calls, loadgen.Object(http.MethodPut, fmt.Sprintf("/%s/%d", bucket, row.size), object(row.size)))
	}
	for _, c := range calls {
		result, err := loadgen.Run(ctx, s.server, c, loadgen.Load{Clients: 1, Count: 1})
		if err == nil && result.Errors() > 0 {
			err = result.FirstError
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// startStorage starts a node and has the administrator's role use its S3.
func (b *bencher) startStorage(ctx context.Context, name string, flags ...string) (*process, error) {
	dir, err := os.MkdirTemp(b.dir, "storage")
	if err != nil {
		return nil, err
	}
	node, err := startAtrium(ctx, b.atrium, dir, engine{}, flags...)
	if err != nil {
		return nil, err
	}
	node.name = name
	if _, node.server.Credentials, err = administratorRole(ctx, node, dir); err != nil {
		node.stop()
		return nil, err
	}
	return node, nil
}

// startS3 starts Versity's gateway on a directory, with a user of its own.
func (b *bencher) startS3(ctx context.Context) (*process, error) {
	const root, secret = "root", "root-secret"
	dir, err := os.MkdirTemp(b.dir, "s3")
	if err != nil {
		return nil, err
	}
	for _, sub := range []string{"iam", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log := filepath.Join(dir, "log")
	p, err := start("versitygw", log, nil, b.s3Server, "--port", address, "--access", root, "--secret", secret, "--keep-alive", "--quiet",
		"--iam-dir", filepath.Join(dir, "iam"), "posix", filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	p.server = loadgen.Server{
		Endpoint: "http://" + address, Region: "us-east-1",
		Credentials: loadgen.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench-secret"},
	}
	return p, p.until(ctx, log, func() error {
		out, err := exec.CommandContext(ctx, b.s3Server, "admin", "--access", root, "--secret", secret, "--endpoint-url", p.server.Endpoint,
			"create-user", "--access", "bench", "--secret", "bench-secret", "--role", "userplus").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// freeAddress is an address on this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
