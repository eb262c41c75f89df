package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/outbound"
)

// The control socket is how commands on the server reach a node that runs
// there. It is a file that only the node's own user can open, which is all
// that protects it: whoever can open it could read the root key too.

// controlSocket is where the control socket of a data directory is. Its
// directory is its own, so that nobody else gets at it before its mode is set.
func controlSocket(dataDir string) string { return filepath.Join(dataDir, "control", "socket") }

// ListenControl makes the control socket of a data directory. The caller holds
// the directory's database, so that no other node uses the socket.
func ListenControl(ctx context.Context, dataDir string) (net.Listener, error) {
	path := controlSocket(dataDir)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil { //nolint:gosec // a directory
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a node that was killed
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("the control socket: %w", err)
	}
	return l, nil
}

// controlRequest is what a command asks of a running node, and controlAnswer
// what it says.
type controlRequest struct {
	Operation string
	By        Operator
	Flag      bool
	ID        string
	RootKey   RootKeyText `json:",omitempty"`
}

type controlAnswer struct {
	Error  string          `json:",omitempty"`
	Result json.RawMessage `json:",omitempty"`
}

// The operations of the control socket.
const (
	controlRotateKeys = "RotateKeys"
	controlReplace    = "ReplaceRootKey"
	controlReseal     = "ResealSecrets"
	controlRetire     = "RetireKeys"
	controlListKeys   = "ListAdministratorKeys"
	controlRotateKey  = "RotateAdministratorKey"
	controlEnableKey  = "EnableAdministratorKey"
	controlResetRoot  = "ResetRoot"
)

// control serves the control socket.
func (p *Program) control(w http.ResponseWriter, r *http.Request) {
	var in controlRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
		http.Error(w, "the request is not understood", http.StatusBadRequest)
		return
	}
	var out controlAnswer
	result, err := p.operate(r.Context(), in)
	if err == nil {
		out.Result, err = json.Marshal(result)
	}
	if err != nil {
		p.Log.Error("a command failed", "operation", in.Operation, "operator", in.By.User, "error", err)
		out = controlAnswer{Error: messageOf(err)}
	} else {
		p.Log.Info("a command was run", "operation", in.Operation, "operator", in.By.User)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out) // a command that went away reads no answer
}

func messageOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return err.Error()
}

func (p *Program) operate(ctx context.Context, in controlRequest) (any, error) {
	switch in.Operation {
	case controlRotateKeys:
		return p.RotateKeys(ctx, in.By, in.Flag)
	case controlReplace:
		return p.ReplaceRootKey(ctx, in.By, in.RootKey)
	case controlReseal:
		return p.ResealSecrets(ctx, in.By, in.ID)
	case controlRetire:
		return p.RetireKeys(ctx, in.By)
	case controlListKeys:
		return p.AdministratorKeys(ctx)
	case controlRotateKey:
		return p.RotateAdministratorKey(ctx, in.By, in.Flag)
	case controlEnableKey:
		return nil, p.EnableAdministratorKey(ctx, in.By, in.ID, in.Flag)
	case controlResetRoot:
		return p.ResetRoot(ctx, in.By)
	}
	return nil, fmt.Errorf("the running node does not know the operation %s: is it of another version?", in.Operation)
}

// Control has a running node do what an operator asks for.
type Control struct{ client *http.Client }

var _ Operations = Control{}

// DialControl finds the node that runs on a data directory; false when none
// does.
func DialControl(ctx context.Context, dataDir string) (Control, bool) {
	path := controlSocket(dataDir)
	if !exists(path) {
		return Control{}, false
	}
	conn, err := outbound.DialSocket(ctx, path)
	if err != nil {
		return Control{}, false // left by a node that was killed
	}
	_ = conn.Close()
	return Control{outbound.Socket(path)}, true
}

// RotateKeys is Program.RotateKeys.
func (c Control) RotateKeys(ctx context.Context, by Operator, revoke bool) (out []RotatedKeys, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlRotateKeys, By: by, Flag: revoke}, &out)
	return out, err
}

// ReplaceRootKey is Program.ReplaceRootKey.
func (c Control) ReplaceRootKey(ctx context.Context, by Operator, next RootKeyText) (out keys.Replaced, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlReplace, By: by, RootKey: next}, &out)
	return out, err
}

// ResealSecrets is Program.ResealSecrets.
func (c Control) ResealSecrets(ctx context.Context, by Operator, from string) (out Resealed, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlReseal, By: by, ID: from}, &out)
	return out, err
}

// RetireKeys is Program.RetireKeys.
func (c Control) RetireKeys(ctx context.Context, by Operator) (out []Retired, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlRetire, By: by}, &out)
	return out, err
}

// AdministratorKeys is Program.AdministratorKeys.
func (c Control) AdministratorKeys(ctx context.Context) (out []AdministratorKey, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlListKeys}, &out)
	return out, err
}

// RotateAdministratorKey is Program.RotateAdministratorKey.
func (c Control) RotateAdministratorKey(ctx context.Context, by Operator, revoke bool) (out AccessKey, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlRotateKey, By: by, Flag: revoke}, &out)
	return out, err
}

// EnableAdministratorKey is Program.EnableAdministratorKey.
func (c Control) EnableAdministratorKey(ctx context.Context, by Operator, id string, enabled bool) error {
	return c.ask(ctx, controlRequest{Operation: controlEnableKey, By: by, ID: id, Flag: enabled}, new(any))
}

// ResetRoot is Program.ResetRoot.
func (c Control) ResetRoot(ctx context.Context, by Operator) (out RootLink, err error) {
	err = c.ask(ctx, controlRequest{Operation: controlResetRoot, By: by}, &out)
	return out, err
}

func (c Control) ask(ctx context.Context, in controlRequest, result any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	// The host is not looked at: the socket is the address.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("asking the running node: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("asking the running node: %s: %s", response.Status, text)
	}
	var out controlAnswer
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		return fmt.Errorf("asking the running node: %w", err)
	}
	if out.Error != "" {
		return errors.New(out.Error)
	}
	return json.Unmarshal(out.Result, result)
}
