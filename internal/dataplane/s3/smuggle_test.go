package s3_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestRequestsMeanOneThing sends requests that could mean another thing to
// who stands before or behind the door: they are refused, or mean what was
// signed.
func TestRequestsMeanOneThing(t *testing.T) {
	const signed = "PUT /smuggled/key HTTP/1.1"
	eachStorage(t, func(t *testing.T, d *door) {
		who := d.admit(account, everything)
		c, ctx := d.client(who), t.Context()
		for _, bucket := range []string{"smuggled", "other"} {
			must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &bucket}))(t)
		}
		host := strings.TrimPrefix(d.URL, "http://")
		for what, test := range map[string]struct {
			line, headers, body string
			stored              bool
		}{
			"as it was signed":      {signed, "Content-Length: 7\r\n", "content", true},
			"another method":        {signed, "X-HTTP-Method-Override: DELETE\r\nContent-Length: 7\r\n", "content", true},
			"another address":       {signed, "X-Original-URL: /other/key\r\nX-Rewrite-URL: /other/key\r\nForwarded: host=other\r\nContent-Length: 7\r\n", "content", true},
			"hop by hop":            {signed, "Connection: close, X-Amz-Content-Sha256, X-Amz-Date, Authorization\r\nContent-Length: 7\r\n", "content", true},
			"another copy source":   {signed, "x_amz_copy_source: other/secret\r\nContent-Length: 7\r\n", "content", true},
			"a copy source":         {signed, "x-amz-copy-source: other/secret\r\nContent-Length: 0\r\n", "", false},
			"an absolute address":   {"PUT http://" + host + "/smuggled/key HTTP/1.1", "Content-Length: 7\r\n", "content", false},
			"another absolute one":  {"PUT http://other/smuggled/key HTTP/1.1", "Content-Length: 7\r\n", "content", false},
			"no path":               {"PUT * HTTP/1.1", "Content-Length: 7\r\n", "content", false},
			"two hosts":             {signed, "Host: other\r\nContent-Length: 7\r\n", "content", false},
			"two lengths":           {signed, "Content-Length: 7\r\nContent-Length: 8\r\n", "contents", false},
			"a list of lengths":     {signed, "Content-Length: 7, 8\r\n", "contents", false},
			"length and chunks":     {signed, "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n", "7\r\ncontent\r\n0\r\n\r\n", false},
			"chunks":                {signed, "Transfer-Encoding: chunked\r\n", "7\r\ncontent\r\n0\r\n\r\n", false},
			"unknown coding":        {signed, "Transfer-Encoding: xchunked\r\n", "7\r\ncontent\r\n0\r\n\r\n", false},
			"a space before colon":  {signed, "X-Amz-Acl : public-read\r\nContent-Length: 7\r\n", "content", false},
			"a folded field":        {signed, "X-Other: a\r\n X-Amz-Acl: public-read\r\nContent-Length: 7\r\n", "content", true},
			"a field without name":  {signed, ": x\r\nContent-Length: 7\r\n", "content", false},
			"a null byte":           {signed, "X-Other: a\x00b\r\nContent-Length: 7\r\n", "content", false},
			"a token in the query":  {"PUT /smuggled/key?X-Amz-Security-Token=x HTTP/1.1", "Content-Length: 7\r\n", "content", false},
			"a fragment":            {"PUT /smuggled/key#x HTTP/1.1", "Content-Length: 7\r\n", "content", false},
			"HTTP/1.0 without host": {"PUT /smuggled/key HTTP/1.0", "Content-Length: 7\r\n", "content", true}, // it has one here
		} {
			_, _ = c.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: aws.String("smuggled"), Key: aws.String("key")})
			status, body := d.raw(t, who, test.line, test.headers, test.body)
			if (status == http.StatusOK) != test.stored || status == http.StatusInternalServerError {
				t.Errorf("%s: %d %s", what, status, body)
			}
			got, err := c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("smuggled"), Key: aws.String("key")})
			if (err == nil) != test.stored {
				t.Errorf("%s: stored: %v", what, err)
			}
			if err == nil {
				if text := read(t, got.Body); text != "content" {
					t.Errorf("%s: stored %q", what, text)
				}
			}
		}
		if list := must(c.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: aws.String("other")}))(t); len(list.Contents) != 0 {
			t.Errorf("the other bucket has %v", list.Contents)
		}
	})
}

// raw sends a request as it is written, with the signature of a PUT of
// /smuggled/key with unsigned content.
func (d *door) raw(t *testing.T, who caller, line, headers, body string) (int, string) {
	t.Helper()
	r, err := signed(who, http.MethodPut, d.URL+"/smuggled/key", http.NoBody, "UNSIGNED-PAYLOAD", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var text strings.Builder
	fmt.Fprintf(&text, "%s\r\nHost: %s\r\n", line, r.URL.Host)
	_ = r.Header.Write(&text)
	if _, err := io.WriteString(conn, text.String()+headers+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	return answer(t, bufio.NewReader(conn))
}

// TestCopiesTakeWhatOneMayRead copies from where the caller may not read.
func TestCopiesTakeWhatOneMayRead(t *testing.T) {
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::copies/secret"},
		{"Effect":"Deny","Action":["s3:GetObjectTagging"],"Resource":"arn:aws:s3:::copies/tagged"}]}`
	eachStorage(t, func(t *testing.T, d *door) {
		owner, guest, ctx := d.client(d.admit(account, everything)), d.admit(account, policy), t.Context()
		bucket := aws.String("copies")
		must(owner.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
		for _, key := range []string{"secret", "tagged"} {
			must(owner.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("the secret"), Tagging: aws.String("salary=high")}))(t)
		}
		up := must(owner.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("parts")}))(t)
		for _, source := range []string{"copies/secret", "/copies/secret", "copies%2Fsecret", "%2Fcopies%2Fsecret", "copies/%73ecret", "copies/secret?versionId=null"} {
			for _, target := range []string{"/copies/copy", "/copies/secret", "/copies/parts?partNumber=1&uploadId=" + *up.UploadId} {
				headers := []string{"X-Amz-Copy-Source", source}
				if !strings.Contains(target, "?") {
					headers = append(headers, "X-Amz-Metadata-Directive", "REPLACE")
				}
				status, body := d.ask(t, guest, http.MethodPut, target, "", headers...)
				wants(t, source+" to "+target, status, body, "AccessDenied")
				if !strings.Contains(body, "perform: s3:GetObject") || !strings.Contains(body, "arn:aws:s3:::copies/secret&#34; with an explicit deny") {
					t.Errorf("%s to %s: %s", source, target, body)
				}
			}
		}
		if _, err := owner.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: bucket, Key: aws.String("copy")}); code(err) != "NotFound" {
			t.Errorf("a copy was made: %v", err)
		}
		if parts := must(owner.ListParts(ctx, &sdk.ListPartsInput{Bucket: bucket, Key: aws.String("parts"), UploadId: up.UploadId}))(t); len(parts.Parts) != 0 {
			t.Errorf("parts were made: %v", parts.Parts)
		}
		// Tags that one may not read do not come along.
		must(d.client(guest).CopyObject(ctx, &sdk.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String("copies/tagged")}))(t)
		if tags := must(owner.GetObjectTagging(ctx, &sdk.GetObjectTaggingInput{Bucket: bucket, Key: aws.String("copy")}))(t); len(tags.TagSet) != 0 {
			t.Errorf("the copy has the tags %v", tags.TagSet)
		}
	})
}

// TestWhatChangedMeanwhileIsKept writes and deletes on the condition that an
// object is the one that the caller knows.
func TestWhatChangedMeanwhileIsKept(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		c, ctx, bucket, key := d.client(d.admit(account, everything)), t.Context(), aws.String("conditional"), aws.String("key")
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
		old := must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("old")}))(t)
		must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("new")}))(t)
		out, err := c.DeleteObjects(ctx, &sdk.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key, ETag: old.ETag}}}})
		if err == nil && (len(out.Errors) != 1 || *out.Errors[0].Code != "PreconditionFailed") || err != nil && code(err) != "NotImplemented" {
			t.Errorf("deleting many: %+v, %v", out, err)
		}
		if _, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("newer"), IfMatch: old.ETag}); code(err) != "PreconditionFailed" {
			t.Errorf("replacing another: %v", err)
		}
		if _, err := c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("newer"), IfNoneMatch: aws.String("*")}); code(err) != "PreconditionFailed" {
			t.Errorf("replacing any: %v", err)
		}
		if _, err := c.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: bucket, Key: key, IfMatch: old.ETag}); code(err) != "PreconditionFailed" {
			t.Errorf("deleting another: %v", err)
		}
		got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: key}))(t)
		if text := read(t, got.Body); text != "new" {
			t.Errorf("now it is %q", text)
		}
	})
}
