package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// startTimeout is how long a server may take until it answers.
const startTimeout = 60 * time.Second

// process is a server that runs beside us.
type process struct {
	name    string
	server  loadgen.Server
	command *exec.Cmd
	ended   chan struct{}
}

// start runs a program with its output in a file. env is added to the
// environment.
func start(name, log string, env []string, program string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{name: name, command: exec.Command(program, args...), ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = out, out
	p.command.Env = append(os.Environ(), env...)
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the process, gently first.
func (p *process) stop() {
	p.command.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
		p.command.Process.Signal(syscall.SIGKILL)
		<-p.ended
	}
}

// until calls ready until it succeeds, the process ends or time is up.
func (p *process) until(ctx context.Context, log string, ready func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			err = errors.New("it ended")
		case <-ctx.Done():
			err = fmt.Errorf("it is not ready: %w", err)
		case <-time.After(50 * time.Millisecond):
			continue
		}
		p.stop()
		text, _ := os.ReadFile(log)
		return fmt.Errorf("%w; its output:\n%s", err, text)
	}
}

// startStub builds and starts the stub.
func startStub(ctx context.Context, dir string) (*process, error) {
	program, log := filepath.Join(dir, "stub"), filepath.Join(dir, "stub.log")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/atrium-iam/atrium/test/bench/stub")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	who := loadgen.Credentials{AccessKeyID: "AKIASTUBSTUBSTUBSTUB", SecretAccessKey: "stub"}
	p, err := start("stub", log, nil, program, "-access-key", who.AccessKeyID, "-secret", who.SecretAccessKey)
	if err != nil {
		return nil, err
	}
	return p, p.until(ctx, log, func() error {
		text, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		endpoint, ok := strings.CutPrefix(string(text), "listening ")
		if !ok || !strings.HasSuffix(endpoint, "\n") {
			return errors.New("no address yet")
		}
		p.server = loadgen.Server{Endpoint: strings.TrimSpace(endpoint), Region: "us-east-1", Credentials: who}
		return nil
	})
}

// startAtrium starts a node on a new data directory under dir, with its data in
// the engine and with further flags.
func startAtrium(ctx context.Context, program, dir string, e engine, flags ...string) (*process, error) {
	data, log := filepath.Join(dir, "data"), filepath.Join(dir, "atrium.log")
	p, err := start("atrium", log, []string{"ATRIUM_DATABASE_DSN=" + e.dsn}, program,
		append([]string{"dev", "--data-dir", data, "--listen", "127.0.0.1:0"}, flags...)...)
	if err != nil {
		return nil, err
	}
	return p, p.until(ctx, log, func() error {
		env, err := environment(ctx, program, data)
		if err != nil {
			return err
		}
		p.server = loadgen.Server{
			Endpoint: env["AWS_ENDPOINT_URL"], Region: env["AWS_REGION"],
			Credentials: loadgen.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"], SessionToken: env["AWS_SESSION_TOKEN"]},
		}
		return healthy(p.server.Endpoint)
	})
}

func healthy(endpoint string) error {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get(endpoint + "/readyz")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("readyz: " + response.Status)
	}
	return nil
}

// environment returns what the shell exports of "atrium env" set.
func environment(ctx context.Context, program, data string) (map[string]string, error) {
	shell := exec.CommandContext(ctx, "sh", "-c", `out=$("$0" env --data-dir "$1") && eval "$out" && env -0`, program, data)
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	out, err := shell.Output()
	if err != nil {
		return nil, fmt.Errorf("atrium env: %w", err)
	}
	env := map[string]string{}
	for pair := range bytes.SplitSeq(out, []byte{0}) {
		name, value, _ := strings.Cut(string(pair), "=")
		env[name] = value
	}
	if env["AWS_ENDPOINT_URL"] == "" {
		return nil, errors.New("atrium env names no endpoint")
	}
	return env, nil
}

// cpu is the processor time that the process has used. It is zero where
// /proc does not tell.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	// The fields after the command's name, which may hold blanks itself.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
	return time.Duration(user+system) * tick
}

// machine describes where the figures come from.
func machine() string {
	model := ""
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(io.LimitReader(f, 64<<10)); lines.Scan() && model == ""; {
			if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
				model = ", " + strings.TrimSpace(value)
			}
		}
	}
	return fmt.Sprintf("%d cores%s, %s/%s, %s; load generator on the same cores", runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
