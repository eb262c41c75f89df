package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// tokenLife is how long a repeat of a request is answered like the first.
const tokenLife = 24 * time.Hour

// idempotencyTx stores the answers of operations that were called with an
// idempotency token.
type idempotencyTx interface {
	IdempotentResponse(account, operation, token string) (requestHash, response []byte, found bool, err error)
	SaveIdempotentResponse(account, operation, token string, requestHash, response []byte, expires time.Time) error
}

// idempotencyToken is the token of the input, "" when it has none.
func (c *call) idempotencyToken() string {
	s, op := c.target.service.desc, c.target.op
	if op.Input == schema.NoShape || op.ReadOnly {
		return ""
	}
	for i, m := range s.Shape(op.Input).Members {
		if m.Idempotency {
			if token, ok := reflect.ValueOf(c.input).Elem().Field(i).Interface().(*string); ok && token != nil {
				return *token
			}
		}
	}
	return ""
}

// findReplay looks for the answer to an earlier request with the same token.
// The same token with other input is a conflict.
func (c *call) findReplay(tx idempotencyTx) error {
	token := c.idempotencyToken()
	if token == "" {
		return nil
	}
	hash, response, found, err := tx.IdempotentResponse(c.caller.AccountID, c.operationKey(), token)
	if err != nil || !found {
		return err
	}
	if !bytes.Equal(hash, c.inputHash()) {
		return fault.New(fault.Conflict, "idempotency_token",
			"The client token was used with different parameters. Use a new token for a different request.")
	}
	c.replay = response
	return nil
}

// saveReplay keeps the answer for a repeat of the request.
func (c *call) saveReplay(tx idempotencyTx) error {
	token := c.idempotencyToken()
	if token == "" {
		return nil
	}
	body := c.target.service.codec.Encode(make(http.Header), nil, c.target.op, c.output, c.request.ID)
	return tx.SaveIdempotentResponse(c.caller.AccountID, c.operationKey(), token, c.inputHash(), body, c.request.Time.Add(tokenLife))
}

func (c *call) operationKey() string {
	return strings.Join([]string{c.target.service.desc.ID, c.target.op.Name}, ":")
}

// inputHash identifies the input. Encoding a decoded input is deterministic:
// struct fields come in order and map keys sorted.
func (c *call) inputHash() []byte {
	raw, err := json.Marshal(c.input)
	if err != nil {
		raw = c.body
	}
	sum := sha256.Sum256(raw)
	return sum[:]
}
