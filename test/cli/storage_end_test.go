package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/aws/smithy-go"
)

// endsInTheMiddle takes an assignment away while sessions of it upload a large
// file in parts: the CLI, slowly, and a client that sends a part without end.
// A third one makes small calls all the time.
func (d *desk) endsInTheMiddle() {
	variables := d.endpoints()
	key := d.roleCredentials(variables["AWS_ENDPOINT_URL"])
	c := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(variables["AWS_ENDPOINT_URL_S3"]), Credentials: key, Retryer: aws.NopRetryer{}})
	remove := d.removal(variables)
	bucket := aws.String("slow")
	if _, err := c.CreateBucket(d.t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		d.t.Fatal(err)
	}
	d.run("aws configure set s3.max_bandwidth 10MB/s" + asAdministrator)
	shell := openTerminal(d.t, d.dir, d.env(), "aws s3 cp large.bin s3://slow/large.bin --only-show-errors"+asAdministrator+" || true")
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		list, err := c.ListMultipartUploads(d.t.Context(), &s3.ListMultipartUploadsInput{Bucket: bucket})
		if err == nil && len(list.Uploads) == 1 {
			break
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the CLI's upload does not begin: %v", err)
		}
	}
	part := sendPart(d.t, c, key, variables["AWS_ENDPOINT_URL_S3"])
	calls := callAgainAndAgain(d.t, c)

	if err := remove(); err != nil {
		d.t.Fatal(err)
	}
	removed := time.Now()
	ended := <-part
	refused := calls.untilRefused(d.t, removed)
	// How long a small call takes tells how busy the machine is.
	limit := time.Second + 4*calls.longest()
	d.t.Logf("after the assignment was removed: small calls were refused after %v, the part in the middle after %v; a small call took up to %v",
		refused, ended.at.Sub(removed), calls.longest())
	if refused > limit {
		d.t.Errorf("a small call was answered %v after the assignment was removed", refused)
	}
	if took := ended.at.Sub(removed); took > limit || !strings.Contains(ended.answer, "<Code>ExpiredToken</Code>") {
		d.t.Errorf("the part was answered %v after the assignment was removed: %s", took, ended.answer)
	}
	if text := shell.close(); !strings.Contains(text, "ExpiredToken") {
		d.t.Errorf("the CLI's upload says %q", text)
	}
	d.refused("aws s3 ls"+asAdministrator, "(ExpiredToken)")
	d.run("rm -r $HOME/.aws/cli/cache") // and with it the credentials that have ended
	d.refused("aws s3 ls"+asAdministrator, "(ForbiddenException)", "No access")
	d.says("aws s3 ls s3://slow"+asAuditor, "")
}

// roleCredentials are another session of the role that the CLI uses.
func (d *desk) roleCredentials(endpoint string) aws.CredentialsProvider {
	d.t.Helper()
	portal := sso.New(sso.Options{Region: "us-east-1", BaseEndpoint: &endpoint})
	role, account, _ := strings.Cut(administrator, "-")
	out, err := portal.GetRoleCredentials(d.t.Context(), &sso.GetRoleCredentialsInput{AccessToken: aws.String(d.cachedToken()), AccountId: &account, RoleName: &role})
	if err != nil {
		d.t.Fatal(err)
	}
	k := out.RoleCredentials
	return credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken)
}

// removal looks up what is to be removed, as the administrator of the
// organization, and returns what removes it.
func (d *desk) removal(variables map[string]string) func() error {
	d.t.Helper()
	ctx := d.t.Context()
	endpoint := aws.String(variables["AWS_ENDPOINT_URL"])
	key := credentials.NewStaticCredentialsProvider(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], "")
	center := ssoadmin.New(ssoadmin.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: key})
	people := identitystore.New(identitystore.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: key})
	instances, err := center.ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	if err != nil {
		d.t.Fatal(err)
	}
	at := instances.Instances[0]
	groups, err := people.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: at.IdentityStoreId})
	if err != nil {
		d.t.Fatal(err)
	}
	sets, err := center.ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: at.InstanceArn})
	if err != nil {
		d.t.Fatal(err)
	}
	role, account, _ := strings.Cut(administrator, "-")
	in := &ssoadmin.DeleteAccountAssignmentInput{InstanceArn: at.InstanceArn, PrincipalType: admintypes.PrincipalTypeGroup, TargetId: &account, TargetType: admintypes.TargetTypeAwsAccount}
	for _, g := range groups.Groups {
		if *g.DisplayName == "Operations" {
			in.PrincipalId = g.GroupId
		}
	}
	for _, arn := range sets.PermissionSets {
		set, err := center.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: at.InstanceArn, PermissionSetArn: &arn})
		if err != nil {
			d.t.Fatal(err)
		}
		if *set.PermissionSet.Name == role {
			in.PermissionSetArn = &arn
		}
	}
	return func() error {
		_, err := center.DeleteAccountAssignment(ctx, in)
		return err
	}
}

// ending is how a request ended.
type ending struct {
	at     time.Time
	answer string
}

// sendPart begins to send a part of an upload that has no end of its own, and
// returns once the server reads it.
func sendPart(t *testing.T, c *s3.Client, key aws.CredentialsProvider, endpoint string) <-chan ending {
	t.Helper()
	upload, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("slow"), Key: aws.String("part")})
	if err != nil {
		t.Fatal(err)
	}
	content, feed := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, fmt.Sprintf("%s/slow/part?partNumber=1&uploadId=%s", endpoint, *upload.UploadId), content)
	if err != nil {
		t.Fatal(err)
	}
	const unsigned = "UNSIGNED-PAYLOAD"
	r.ContentLength = 1 << 30
	r.Header.Set("X-Amz-Content-Sha256", unsigned)
	k, err := key.Retrieve(t.Context())
	if err == nil {
		err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(t.Context(), k, r, unsigned, "s3", "us-east-1", time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan ending, 1)
	go func() {
		e := ending{answer: "no answer"}
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			var text []byte
			text, err = io.ReadAll(response.Body)
			response.Body.Close()
			e.answer = string(text)
		}
		if e.at = time.Now(); err != nil {
			e.answer = err.Error()
		}
		content.CloseWithError(errors.New("the request has ended"))
		done <- e
	}()
	piece := bytes.Repeat([]byte("x"), 64<<10)
	for range 32 { // more than any buffer holds
		if _, err := feed.Write(piece); err != nil {
			t.Fatalf("the part ended at once: %s", (<-done).answer)
		}
	}
	go func() {
		for err := error(nil); err == nil; time.Sleep(20 * time.Millisecond) {
			_, err = feed.Write(piece)
		}
	}()
	return done
}

// calls are small calls that are made one after the other.
type calls struct {
	refused chan time.Time // when the first refused one was answered
	slowest atomic.Int64
}

func callAgainAndAgain(t *testing.T, c *s3.Client) *calls {
	made := &calls{refused: make(chan time.Time, 1)}
	ctx := t.Context()
	answered := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			began := time.Now()
			_, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("slow")})
			made.slowest.Store(max(made.slowest.Load(), int64(time.Since(began))))
			if n == 0 {
				close(answered)
			}
			if e, ok := errors.AsType[smithy.APIError](err); ok && e.ErrorCode() == "ExpiredToken" || ctx.Err() != nil {
				made.refused <- time.Now()
				return
			}
		}
	}()
	<-answered
	return made
}

func (c *calls) longest() time.Duration { return time.Duration(c.slowest.Load()) }

// untilRefused returns how long calls were answered after a time.
func (c *calls) untilRefused(t *testing.T, after time.Time) time.Duration {
	t.Helper()
	select {
	case at := <-c.refused:
		return at.Sub(after)
	case <-time.After(patience):
		t.Error("small calls go on")
		return patience
	}
}
