package s3_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// counted counts what reaches the storage.
type counted struct {
	yes
	n *atomic.Int32
}

func (c counted) Do(ctx context.Context, account string, op *s3.Operation) (*s3.Answer, error) {
	c.n.Add(1)
	return c.yes.Do(ctx, account, op)
}

// TestNobodyUnknownUsesAnyOperation asks for every operation without a
// signature, with another's, and with credentials that have ended.
func TestNobodyUnknownUsesAnyOperation(t *testing.T) {
	var reached atomic.Int32
	d := open(t, func(o *s3.Options) { o.Connector = counted{n: &reached} })
	stranger, former := d.admit(account, everything), d.admit(account, everything)
	stranger.secret = "another"
	d.end(former)
	for _, r := range requests() {
		plain, err := http.NewRequestWithContext(t.Context(), r.method, d.URL+r.target, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(r.headers); i += 2 {
			plain.Header.Set(r.headers[i], r.headers[i+1])
		}
		if status, body := do(t, plain); status != http.StatusForbidden || r.method != http.MethodHead && !strings.Contains(body, "<Code>AccessDenied</Code>") {
			t.Errorf("%s without a signature: %d %s", r.name, status, body)
		}
		if status, body := d.ask(t, stranger, r.method, r.target, r.body, r.headers...); status != http.StatusForbidden || r.method != http.MethodHead && !strings.Contains(body, "<Code>SignatureDoesNotMatch</Code>") {
			t.Errorf("%s with another secret: %d %s", r.name, status, body)
		}
		if status, body := d.ask(t, former, r.method, r.target, r.body, r.headers...); status != http.StatusBadRequest || r.method != http.MethodHead && !strings.Contains(body, "<Code>ExpiredToken</Code>") {
			t.Errorf("%s after the end: %d %s", r.name, status, body)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the storage was asked %d times", n)
	}
}

// TestRecords looks at what is recorded: changes of buckets before they are
// answered, content and refusals after, and nothing that is secret.
func TestRecords(t *testing.T) {
	d := open(t)
	who := d.admit(account, everything)
	c, ctx, bucket, key := d.client(who), t.Context(), aws.String("recorded"), aws.String("a/key")
	must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
	if len(d.trail.records) != 1 || !strings.Contains(d.trail.records[0], `"eventName":"CreateBucket"`) || !strings.Contains(d.trail.records[0], `"bucketName":"recorded"`) {
		t.Errorf("making a bucket: %q", d.trail.records)
	}
	must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("the content"), Metadata: map[string]string{"note": "the metadata"}, Tagging: aws.String("note=the-tag")}))(t)
	must(c.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a/")}))(t)
	signed := must(sdk.NewPresignClient(c).PresignGetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: key}))(t)
	send(t, http.MethodGet, signed.URL, nil, "")
	_, _ = d.client(d.admit(account, listing)).DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: bucket})
	send(t, http.MethodGet, d.URL+"/recorded/a/key", nil, "")
	d.server.Close() // what is recorded after the answer is recorded then

	for _, want := range []struct {
		name, parameters, code string
		readOnly, data         bool
	}{
		{"PutObject", `{"bucketName":"recorded","key":"a/key"}`, "", false, true},
		{"ListObjectsV2", `{"bucketName":"recorded","prefix":"a/"}`, "", true, true},
		{"GetObject", `{"bucketName":"recorded","key":"a/key"}`, "", true, true},
		{"DeleteBucket", `{"bucketName":"recorded"}`, "AccessDenied", false, false},
	} {
		at := slices.IndexFunc(d.trail.queued, func(r audit.Record) bool { return r.EventName == want.name })
		if at < 0 {
			t.Errorf("no record of %s", want.name)
			continue
		}
		r := d.trail.queued[at]
		if string(r.RequestParameters) != want.parameters || r.ErrorCode != want.code || r.ReadOnly != want.readOnly || r.Data != want.data ||
			r.EventSource != "s3.amazonaws.com" || r.RecipientAccountID != account || r.SourceIPAddress != "192.0.2.7" {
			t.Errorf("%+v, want %+v", r, want)
		}
		if (r.ErrorMessage != "") != strings.Contains(r.ErrorMessage, "is not authorized to perform: s3:DeleteBucket") {
			t.Errorf("%s says %q", want.name, r.ErrorMessage)
		}
	}
	if len(d.trail.noise) != 1 || d.trail.noise[0].ErrorCode != "AccessDenied" {
		t.Errorf("the request without signature: %+v", d.trail.noise)
	}
	all, err := json.Marshal([]any{d.trail.queued, d.trail.noise, d.trail.records})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{who.secret, who.token, "the content", "the metadata", "the-tag", "X-Amz-Signature"} {
		if strings.Contains(string(all), secret) {
			t.Errorf("the records hold %s", secret)
		}
	}
}

// unrecorded is a store that keeps no records.
type unrecorded struct{ *trail }

func (unrecorded) Update(context.Context, func(s3.Tx) error) error {
	return errors.New("the database is away")
}

// TestAChangeWithoutItsRecordIsNoSuccess has a trail that cannot be written now.
func TestAChangeWithoutItsRecordIsNoSuccess(t *testing.T) {
	d := open(t, func(o *s3.Options) {
		at, _ := o.DB.(*trail)
		o.DB = gateway.Database[s3.Tx](unrecorded{at})
	})
	status, body := d.ask(t, d.admit(account, everything), http.MethodPut, "/unrecorded", "")
	wants(t, "making a bucket", status, body, "InternalError")
	d.server.Close()
	if len(d.trail.queued) != 1 || d.trail.queued[0].EventName != "CreateBucket" || d.trail.queued[0].ErrorCode != "InternalError" {
		t.Errorf("recorded later: %+v", d.trail.queued)
	}
}
