package audit_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/ident"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// signer signs with a fixed key.
type signer string

func (s signer) Sign(data []byte) ([]byte, error) {
	h := hmac.New(sha256.New, []byte(s))
	h.Write(data)
	return h.Sum(nil), nil
}

func (s signer) Verify(data, signature []byte) error {
	if want, _ := s.Sign(data); !hmac.Equal(want, signature) {
		return errors.New("bad signature")
	}
	return nil
}

func start() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

func record(id string, at time.Time) audit.Record {
	return audit.Record{
		EventID: id, EventTime: at, EventSource: "sso.amazonaws.com", EventName: "DescribeInstance",
		UserIdentity: audit.UserIdentity{Type: "IAMUser", AccountID: "123456789012"},
		Region:       "us-east-1", SourceIPAddress: "192.0.2.7", ReadOnly: true, RecipientAccountID: "123456789012",
	}
}

func newWriter(t testing.TB, s *store.Store, now func() time.Time) *audit.Writer {
	return audit.NewWriter(audit.Options{
		DB: store.Bind[audit.ChainTx](s), Signer: signer("key"), Now: now,
		IDs: ident.NewSource(rand.Reader), Report: func(err error) { t.Error(err) },
	})
}

func appendRecord(t testing.TB, s *store.Store, r audit.Record) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *store.Tx) error { return audit.Append(tx, r) }); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, w *audit.Writer) {
	t.Helper()
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s *store.Store, after int64, limit int) (entries []audit.Entry, next int64) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		entries, next, err = audit.Read(tx, after, limit)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries, next
}

func verify(t testing.TB, s *store.Store, anchors ...audit.Anchor) *audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), signer("key"), anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRecordsHaveCloudTrailsShape(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	appendRecord(t, s, audit.Record{
		EventID: "11111111-2222-4333-8444-555555555555", EventTime: start().Add(999 * time.Millisecond),
		EventSource: "sso.amazonaws.com", EventName: "CreatePermissionSet",
		UserIdentity: audit.UserIdentity{
			Type: "AssumedRole", PrincipalID: "AROAEXAMPLE:sam", ARN: "arn:aws:sts::123456789012:assumed-role/Admin/sam",
			AccountID: "123456789012", AccessKeyID: "ASIAEXAMPLE",
			SessionContext: &audit.SessionContext{
				SessionIssuer: &audit.SessionIssuer{Type: "Role", PrincipalID: "AROAEXAMPLE", UserName: "Admin"},
				Attributes:    audit.SessionAttributes{CreationDate: "2026-03-04T05:00:00Z", MFAAuthenticated: "true"},
			},
			OnBehalfOf: &audit.OnBehalfOf{UserID: "u-1", IdentityStoreARN: "arn:aws:identitystore::123456789012:identitystore/d-1"},
		},
		Region: "us-east-1", SourceIPAddress: "192.0.2.7", UserAgent: "aws-cli/2",
		ErrorCode: "ConflictException", ErrorMessage: "exists",
		RequestParameters: json.RawMessage(`{"name":"Admin"}`), RequestID: "r-1", RecipientAccountID: "123456789012",
	})
	flush(t, newWriter(t, s, start))
	entries, _ := read(t, s, 0, 10)
	if len(entries) != 1 {
		t.Fatalf("%d entries, want 1", len(entries))
	}
	var got, want any
	if err := json.Unmarshal(entries[0].JSON, &got); err != nil {
		t.Fatalf("%s: %v", entries[0].JSON, err)
	}
	if err := json.Unmarshal([]byte(`{
		"eventVersion": "1.11",
		"userIdentity": {
			"type": "AssumedRole", "principalId": "AROAEXAMPLE:sam", "arn": "arn:aws:sts::123456789012:assumed-role/Admin/sam",
			"accountId": "123456789012", "accessKeyId": "ASIAEXAMPLE",
			"sessionContext": {
				"sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "userName": "Admin"},
				"attributes": {"creationDate": "2026-03-04T05:00:00Z", "mfaAuthenticated": "true"}},
			"onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::123456789012:identitystore/d-1"}},
		"eventTime": "2026-03-04T05:06:07Z", "eventSource": "sso.amazonaws.com", "eventName": "CreatePermissionSet",
		"awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2",
		"errorCode": "ConflictException", "errorMessage": "exists",
		"requestParameters": {"name": "Admin"}, "responseElements": null,
		"requestID": "r-1", "eventID": "11111111-2222-4333-8444-555555555555", "readOnly": false,
		"eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "123456789012",
		"eventCategory": "Management", "atrium": {"schemaVersion": 1, "sequence": 1}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLargeElementsAreLeftOut(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	r := record("a", start())
	r.RequestParameters = json.RawMessage(`{"text":"` + strings.Repeat("x", 100<<10) + `"}`)
	appendRecord(t, s, r)
	flush(t, newWriter(t, s, start))
	entries, _ := read(t, s, 0, 10)
	if len(entries) != 1 || !strings.Contains(string(entries[0].JSON), `"requestParameters":{"omitted":true,"originalSize":102411}`) {
		t.Errorf("got %d entries, want one with its parameters left out", len(entries))
	}
}

func TestIncompleteRecordsAreRefused(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	for name, spoil := range map[string]func(*audit.Record){
		"id":         func(r *audit.Record) { r.EventID = "" },
		"name":       func(r *audit.Record) { r.EventName = "" },
		"source":     func(r *audit.Record) { r.EventSource = "" },
		"time":       func(r *audit.Record) { r.EventTime = time.Time{} },
		"parameters": func(r *audit.Record) { r.RequestParameters = json.RawMessage(`{"cut`) },
	} {
		r := record("a", start())
		spoil(&r)
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return audit.Append(tx, r) }); err == nil {
			t.Errorf("a record without its %s was accepted", name)
		}
	}
}

func TestAMutationAndItsRecordCommitTogether(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		failure := errors.New("the mutation failed")
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := audit.Append(tx, record("a", start())); err != nil {
				return err
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("got %v", err)
		}
		appendRecord(t, s, record("b", start()))
		flush(t, newWriter(t, s, start))
		entries, _ := read(t, s, 0, 10)
		if len(entries) != 1 || !strings.Contains(string(entries[0].JSON), `"eventID":"b"`) {
			t.Errorf("got %v, want only record b", entries)
		}
	})
}

func TestSequenceHasNoGapsAndPagesAreWhole(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		w := newWriter(t, s, start)
		n := 0
		for batch := range 5 {
			for range 3 + batch {
				appendRecord(t, s, record(fmt.Sprintf("m%03d", n), start().Add(time.Duration(n)*time.Second)))
				w.Enqueue(record(fmt.Sprintf("q%03d", n), start().Add(time.Duration(n)*time.Second+time.Millisecond)))
				n++
			}
			flush(t, w)
		}
		flush(t, w) // with nothing waiting: must not add a batch
		var ids []string
		for after := int64(0); ; {
			entries, next := read(t, s, after, 4)
			for _, e := range entries {
				var r struct {
					EventID string
					Atrium  struct{ Sequence int64 }
				}
				if err := json.Unmarshal(e.JSON, &r); err != nil {
					t.Fatal(err)
				}
				if ids = append(ids, r.EventID); r.Atrium.Sequence != int64(len(ids)) || e.Sequence != int64(len(ids)) {
					t.Errorf("record %d has sequence %d (%d)", len(ids), r.Atrium.Sequence, e.Sequence)
				}
			}
			if after = next; len(entries) < 4 {
				break
			}
		}
		var want []string
		for i := range n {
			want = append(want, fmt.Sprintf("m%03d", i), fmt.Sprintf("q%03d", i))
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Error(diff)
		}
		report := verify(t, s)
		if !report.Good() || report.Records != int64(2*n) || report.Batches != 5 {
			t.Errorf("Verify = %+v", report)
		}
	})
}

func TestAnEmptyTrailIsGood(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	if report := verify(t, s); !report.Good() || report.Batches != 0 {
		t.Errorf("Verify = %+v", report)
	}
	report, err := audit.Verify(t.Context(), store.Bind[audit.ChainTx](s), signer("key"), audit.Anchor{Number: 3, Hash: "x"})
	if err != nil || report.Good() {
		t.Errorf("a trail that was deleted as a whole passes: %+v, %v", report, err)
	}
}

func TestVerifyFailsWhenTheTrailCannotBeRead(t *testing.T) {
	s := storetest.Open(t, store.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := audit.Verify(ctx, store.Bind[audit.ChainTx](s), signer("key")); err == nil {
		t.Error("no error")
	}
}
