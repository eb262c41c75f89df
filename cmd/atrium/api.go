package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/atrium-iam/atrium/internal/clientenv"
	"github.com/atrium-iam/atrium/internal/wire/awsjson"
	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/sigv4"
)

// findNode returns the dev node that runs on a data directory. Commands that
// want to know something of it ask it: the node holds its database open.
func findNode(ctx context.Context, dir string) (node, error) {
	var n node
	if err := readJSON(filepath.Join(dir, nodeFile), &n); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return n, fmt.Errorf("no dev node is running on %s; start one with: atrium dev --data-dir %s", dir, clientenv.Quote(dir))
		}
		return n, err
	}
	client, err := trusting(n.CABundle)
	if err != nil {
		return n, err
	}
	if err := checkReady(ctx, client, n.Endpoints.People); err != nil {
		return n, fmt.Errorf("the dev node on %s does not answer: %w", dir, err)
	}
	return n, nil
}

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 8 << 20

// call calls an operation of a service of the node as its administrator. in
// and out are JSON as the service's own. A refusal is an error with AWS's code
// and message.
func (n node) call(ctx context.Context, s *schema.Service, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Endpoints.People, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", awsjson.ContentType)
	r.Header.Set("X-Amz-Target", s.TargetPrefix+"."+operation)
	if err := sigv4.Sign(r, body, n.Administrator.ID, n.Administrator.Secret, n.Region, s.SigningName, time.Now()); err != nil {
		return err
	}
	client, err := trusting(n.CABundle)
	if err != nil {
		return err
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return refusal(operation, response.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// apiError is an operation's refusal.
type apiError struct{ Operation, Code, Message string }

// Error tells the refusal.
func (e *apiError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Operation, e.Code, e.Message)
}

func refusal(operation string, status int, answer []byte) error {
	var told struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or Message: decoding ignores the case
	}
	if err := json.Unmarshal(answer, &told); err != nil || told.Type == "" {
		return fmt.Errorf("%s: the node answered with HTTP status %d", operation, status)
	}
	return &apiError{operation, told.Type, told.Message}
}
