package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/atrium-iam/atrium/internal/wire/sigv4"
	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

func TestStubAnswersOnlyWhatIsSigned(t *testing.T) {
	server := httptest.NewServer(handler{verifier: sigv4.NewVerifier(1), keyID: "AKIDSTUB", secret: "secret", now: time.Now})
	defer server.Close()
	call := loadgen.JSON("identitystore", "AWSIdentityStore.CreateUser", func(int64) []byte { return []byte(`{}`) })
	for _, tc := range []struct {
		secret string
		status int
	}{{"secret", 200}, {"another", 400}} {
		who := loadgen.Credentials{AccessKeyID: "AKIDSTUB", SecretAccessKey: tc.secret, SessionToken: "token"}
		got, err := loadgen.Run(context.Background(), loadgen.Server{Endpoint: server.URL, Region: "us-east-1", Credentials: who}, call, loadgen.Load{Clients: 2, Count: 20})
		if err != nil {
			t.Fatal(err)
		}
		if got.Statuses[tc.status] != 20 || got.Calls != 20 || got.Failed != 0 {
			t.Errorf("secret %s: %+v", tc.secret, got)
		}
	}
}

func TestStubListsAHundredUsers(t *testing.T) {
	var out struct{ Users []struct{ UserName string } }
	if err := json.Unmarshal([]byte(list()), &out); err != nil || len(out.Users) != 100 || out.Users[99].UserName == "" {
		t.Errorf("%d users, %v", len(out.Users), err)
	}
}
