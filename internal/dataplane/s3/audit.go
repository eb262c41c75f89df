package s3

import (
	"context"
	"encoding/json"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// auditWait is how long a change of a bucket waits for its record.
const auditWait = 10 * time.Second

// changesBuckets tells whether the operation changes buckets, not content: its
// record is a management event, written before the caller hears of success.
func (c *call) changesBuckets() bool { return !c.spec.readOnly && !c.spec.data }

// record writes the record of a change of a bucket that was made.
func (c *call) record() *Error {
	if !c.changesBuckets() {
		return nil
	}
	// The change is made: its record does not depend on the caller's patience.
	ctx, cancel := context.WithTimeout(context.Background(), auditWait)
	defer cancel()
	err := c.DB.Update(ctx, func(tx Tx) error { return audit.Append(tx, c.event(nil)) })
	if err != nil {
		return c.translate(err)
	}
	return nil
}

// auditOutcome records everything else: content, reads and refusals.
func (c *call) auditOutcome(err *Error) {
	if err == nil && c.changesBuckets() {
		return
	}
	event := c.event(err)
	if c.caller.Kind == iam.KindAnonymous {
		c.Audit.Noise(event)
		return
	}
	c.Audit.Enqueue(event)
}

// event describes the request: which operation, on which bucket and key.
func (c *call) event(err *Error) audit.Record {
	e := audit.Record{
		UserIdentity: gateway.IdentityOf(c.caller), EventTime: c.began,
		EventSource: "s3.amazonaws.com", EventName: "Unknown", Region: c.Region,
		SourceIPAddress: c.source.String(), UserAgent: c.agent, RequestID: c.id, EventID: c.IDs.UUID(),
		RecipientAccountID: c.caller.AccountID,
	}
	if c.spec != nil {
		e.EventName, e.ReadOnly, e.Data = c.spec.name, c.spec.readOnly, c.spec.data
		e.RequestParameters = c.parameters()
	}
	if err != nil {
		e.ErrorCode = err.Code
		if err.Code == "AccessDenied" {
			e.ErrorMessage = err.Message
		}
	}
	return e
}

// parameters are the parts of the request that its record keeps.
func (c *call) parameters() json.RawMessage {
	p := map[string]string{}
	if c.bucket != "" {
		p["bucketName"] = c.bucket
	}
	if c.key != "" {
		p["key"] = c.key
	}
	if c.op != nil && c.op.Source != nil {
		p["x-amz-copy-source"] = c.op.Source.Bucket + "/" + c.op.Source.Key
	}
	for _, name := range []string{"uploadId", "partNumber", "versionId", "prefix"} {
		if value := c.query[name]; value != "" {
			p[name] = value
		}
	}
	raw, err := json.Marshal(p)
	if err != nil || len(p) == 0 {
		return nil
	}
	return raw
}
