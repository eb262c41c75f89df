package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// code returns the code of the SDK's error, "" when there is none.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestTheSDKsWayThroughBucketsAndObjects(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		c, ctx := d.client(d.admit(account, everything)), t.Context()
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("first.bucket")}))(t)
		must(c.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("first.bucket")}))(t)
		if l := must(c.GetBucketLocation(ctx, &sdk.GetBucketLocationInput{Bucket: aws.String("first.bucket")}))(t); l.LocationConstraint != "" {
			t.Errorf("location: %q", l.LocationConstraint)
		}
		put := must(c.PutObject(ctx, &sdk.PutObjectInput{
			Bucket: aws.String("first.bucket"), Key: aws.String("a/ü b+c%20.txt"), Body: strings.NewReader("hello"),
			ContentType: aws.String("text/plain"), Metadata: map[string]string{"colour": "blue"}, Tagging: aws.String("team=a&kind=b"),
		}))(t)
		if *put.ETag != `"5d41402abc4b2a76b9719d911017c592"` {
			t.Errorf("ETag %s is not the MD5", *put.ETag)
		}
		got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("first.bucket"), Key: aws.String("a/ü b+c%20.txt"), ChecksumMode: types.ChecksumModeEnabled}))(t)
		if text := read(t, got.Body); text != "hello" || *got.ContentType != "text/plain" || got.Metadata["colour"] != "blue" || aws.ToString(got.ChecksumCRC32) == "" {
			t.Errorf("got %q as %v with %v and the checksum %v", text, *got.ContentType, got.Metadata, got.ChecksumCRC32)
		}
		tags := must(c.GetObjectTagging(ctx, &sdk.GetObjectTaggingInput{Bucket: aws.String("first.bucket"), Key: aws.String("a/ü b+c%20.txt")}))(t)
		if len(tags.TagSet) != 2 {
			t.Errorf("tags: %v", tags.TagSet)
		}
		must(c.CopyObject(ctx, &sdk.CopyObjectInput{Bucket: aws.String("first.bucket"), Key: aws.String("copy"), CopySource: aws.String("first.bucket/a/%C3%BC%20b%2Bc%2520.txt")}))(t)
		head := must(c.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("first.bucket"), Key: aws.String("copy")}))(t)
		if *head.ContentLength != 5 || head.Metadata["colour"] != "blue" || *head.ETag != *put.ETag {
			t.Errorf("the copy: %+v", head)
		}
		listed := must(c.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: aws.String("first.bucket"), Delimiter: aws.String("/")}))(t)
		if len(listed.Contents) != 1 || *listed.Contents[0].Key != "copy" || len(listed.CommonPrefixes) != 1 || *listed.CommonPrefixes[0].Prefix != "a/" || *listed.KeyCount != 2 {
			t.Errorf("listed: %+v", listed)
		}
		if _, err := c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: aws.String("first.bucket")}); code(err) != "BucketNotEmpty" {
			t.Errorf("deleting a bucket with objects: %v", err)
		}
		gone := must(c.DeleteObjects(ctx, &sdk.DeleteObjectsInput{Bucket: aws.String("first.bucket"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: aws.String("a/ü b+c%20.txt")}, {Key: aws.String("copy")}, {Key: aws.String("never was")},
		}}}))(t)
		if len(gone.Deleted) != 3 || len(gone.Errors) != 0 {
			t.Errorf("deleted: %+v", gone)
		}
		must(c.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: aws.String("first.bucket")}))(t)
		if _, err := c.HeadBucket(ctx, &sdk.HeadBucketInput{Bucket: aws.String("first.bucket")}); code(err) != "NotFound" {
			t.Errorf("after it is gone: %v", err)
		}
	})
}

// TestKeysComeBackAsTheyAre lists keys that an encoding could change.
func TestKeysComeBackAsTheyAre(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		c, ctx := d.client(d.admit(account, everything)), t.Context()
		bucket := aws.String("keys")
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
		want := []string{"a b", "a%20b", "a+b", "d+ü/&<x>", "e\"f'g", "日本"}
		for _, key := range want {
			must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("x")}))(t)
		}
		for _, encoding := range []types.EncodingType{"", types.EncodingTypeUrl} {
			list := must(c.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/"), EncodingType: encoding}))(t)
			if list.EncodingType != encoding {
				t.Errorf("encoded as %q, want %q", list.EncodingType, encoding)
			}
			got := merged(list.Contents, list.CommonPrefixes)
			if encoding != "" {
				for i := range got {
					got[i] = unquote(t, got[i])
				}
			}
			if diff := cmp.Diff([]string{"a b", "a%20b", "a+b", "d+ü/", "e\"f'g", "日本"}, got); diff != "" {
				t.Errorf("encoded as %q (-want +got):\n%s", encoding, diff)
			}
		}
		for _, key := range want {
			got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: &key, Range: aws.String("bytes=0-0"), ChecksumMode: types.ChecksumModeEnabled}))(t)
			if text := read(t, got.Body); text != "x" || got.ChecksumCRC32 != nil {
				t.Errorf("%s: %q, with a checksum of the whole: %v", key, text, got.ChecksumCRC32)
			}
		}
	})
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		c, ctx := d.client(d.admit(account, everything)), t.Context()
		bucket := aws.String("lists")
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
		for _, key := range []string{"a!", "a/1", "a/2", "a/3", "a0", "b/x/1", "b/x/2", "b/y", "c", "日本"} {
			must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: bucket, Key: aws.String(key), Body: strings.NewReader("x")}))(t)
		}
		for size := int32(1); size <= 11; size++ {
			for _, test := range []struct {
				prefix, delimiter string
				want              []string
			}{
				{"", "", []string{"a!", "a/1", "a/2", "a/3", "a0", "b/x/1", "b/x/2", "b/y", "c", "日本"}},
				{"", "/", []string{"a!", "a/", "a0", "b/", "c", "日本"}},
				{"a", "/", []string{"a!", "a/", "a0"}},
				{"b/", "/", []string{"b/x/", "b/y"}},
				{"b/x/", "/", []string{"b/x/1", "b/x/2"}},
				{"", "x", []string{"a!", "a/1", "a/2", "a/3", "a0", "b/x", "b/y", "c", "日本"}},
				{"zzz", "/", nil},
			} {
				var v2, v1, versions []string
				pages := sdk.NewListObjectsV2Paginator(c, &sdk.ListObjectsV2Input{Bucket: bucket, Prefix: &test.prefix, Delimiter: &test.delimiter, MaxKeys: &size})
				for pages.HasMorePages() {
					page := must(pages.NextPage(ctx))(t)
					v2 = append(v2, merged(page.Contents, page.CommonPrefixes)...)
				}
				for marker := aws.String(""); marker != nil; {
					page := must(c.ListObjects(ctx, &sdk.ListObjectsInput{Bucket: bucket, Prefix: &test.prefix, Delimiter: &test.delimiter, MaxKeys: &size, Marker: marker, EncodingType: types.EncodingTypeUrl}))(t)
					found := merged(page.Contents, page.CommonPrefixes)
					for _, name := range found {
						v1 = append(v1, unquote(t, name))
					}
					marker = nil
					if *page.IsTruncated {
						marker = aws.String(v1[len(v1)-1])
					}
				}
				if d.foreign {
					versions = test.want // it answers every page of versions with the first
				}
				for marker := aws.String(""); marker != nil && !d.foreign; {
					page := must(c.ListObjectVersions(ctx, &sdk.ListObjectVersionsInput{Bucket: bucket, Prefix: &test.prefix, Delimiter: &test.delimiter, MaxKeys: &size, KeyMarker: marker}))(t)
					var objects []types.Object
					for _, v := range page.Versions {
						objects = append(objects, types.Object{Key: v.Key})
					}
					versions = append(versions, merged(objects, page.CommonPrefixes)...)
					if marker = page.NextKeyMarker; !*page.IsTruncated {
						marker = nil
					}
					if len(versions) > 20 {
						t.Fatalf("the list of versions has no end: %q", versions)
					}
				}
				for name, got := range map[string][]string{"v2": v2, "v1": v1, "versions": versions} {
					if diff := cmp.Diff(test.want, got); diff != "" {
						t.Errorf("%s in pages of %d, prefix %q, delimiter %q (-want +got):\n%s", name, size, test.prefix, test.delimiter, diff)
					}
				}
			}
		}
	})
}

// merged are the keys and prefixes of a page in their order.
func merged(objects []types.Object, prefixes []types.CommonPrefix) []string {
	var out []string
	for _, o := range objects {
		for len(prefixes) > 0 && *prefixes[0].Prefix < *o.Key {
			out, prefixes = append(out, *prefixes[0].Prefix), prefixes[1:]
		}
		out = append(out, *o.Key)
	}
	for _, p := range prefixes {
		out = append(out, *p.Prefix)
	}
	return out
}

func TestMultipartUploads(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		c, ctx := d.client(d.admit(account, everything)), t.Context()
		bucket, key := aws.String("parts"), aws.String("big")
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: bucket}))(t)
		up := must(c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: key, ContentType: aws.String("x/y"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32}))(t)
		var want bytes.Buffer
		var parts []types.CompletedPart
		for n := int32(1); n <= 3; n++ {
			content := bytes.Repeat([]byte{byte('a' + n)}, 5<<20)
			if n == 3 {
				content = content[:10]
			}
			want.Write(content)
			p := must(c.UploadPart(ctx, &sdk.UploadPartInput{Bucket: bucket, Key: key, UploadId: up.UploadId, PartNumber: &n, Body: bytes.NewReader(content)}))(t)
			number := n
			parts = append(parts, types.CompletedPart{PartNumber: &number, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32})
		}
		listed := must(c.ListParts(ctx, &sdk.ListPartsInput{Bucket: bucket, Key: key, UploadId: up.UploadId, MaxParts: aws.Int32(2)}))(t)
		if len(listed.Parts) != 2 || !*listed.IsTruncated || *listed.NextPartNumberMarker != "2" {
			t.Errorf("parts: %+v", listed)
		}
		uploads := must(c.ListMultipartUploads(ctx, &sdk.ListMultipartUploadsInput{Bucket: bucket}))(t)
		if len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != *up.UploadId {
			t.Errorf("uploads: %+v", uploads)
		}
		complete := &sdk.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
		done := must(c.CompleteMultipartUpload(ctx, complete))(t)
		if !strings.HasSuffix(*done.ETag, `-3"`) {
			t.Errorf("ETag %s", *done.ETag)
		}
		got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: key}))(t)
		if read(t, got.Body) != want.String() || *got.ContentType != "x/y" {
			t.Error("the object is not its parts")
		}
		ranged := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=5242878-10485761")}))(t)
		if text := read(t, ranged.Body); text != want.String()[5242878:10485762] || *ranged.ContentRange != "bytes 5242878-10485761/10485770" {
			t.Errorf("a range over three parts has %d bytes, %s", len(text), *ranged.ContentRange)
		}
		second := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: key, PartNumber: aws.Int32(3)}))(t)
		if read(t, second.Body) != strings.Repeat("d", 10) || *second.PartsCount != 3 {
			t.Error("the third part is another")
		}

		copied := must(c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("copy")}))(t)
		part := must(c.UploadPartCopy(ctx, &sdk.UploadPartCopyInput{
			Bucket: bucket, Key: aws.String("copy"), UploadId: copied.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("parts/big"), CopySourceRange: aws.String("bytes=0-9"),
		}))(t)
		must(c.CompleteMultipartUpload(ctx, &sdk.CompleteMultipartUploadInput{
			Bucket: bucket, Key: aws.String("copy"), UploadId: copied.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.CopyPartResult.ETag}}},
		}))(t)
		small := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: bucket, Key: aws.String("copy")}))(t)
		if read(t, small.Body) != strings.Repeat("b", 10) {
			t.Error("the copied part is another")
		}

		dropped := must(c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: bucket, Key: key}))(t)
		must(c.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: dropped.UploadId}))(t)
		if _, err := c.ListParts(ctx, &sdk.ListPartsInput{Bucket: bucket, Key: key, UploadId: dropped.UploadId}); code(err) != "NoSuchUpload" {
			t.Errorf("after the upload was aborted: %v", err)
		}
	})
}

func TestPresignedRequests(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		who := d.admit(account, everything)
		c, ctx := d.client(who), t.Context()
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("start")}))(t)
		signer := sdk.NewPresignClient(c)
		put := must(signer.PresignPutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("start"), Key: aws.String("x.html"), ContentType: aws.String("text/html")}))(t)
		if status, body := send(t, put.Method, put.URL, put.SignedHeader, "<script>alert(1)</script>"); status != http.StatusOK {
			t.Fatalf("PUT: %d %s", status, body)
		}
		get := must(signer.PresignGetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("start"), Key: aws.String("x.html"), ResponseContentDisposition: aws.String("inline")}))(t)
		r, err := http.Get(get.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if text := read(t, r.Body); r.StatusCode != http.StatusOK || text != "<script>alert(1)</script>" {
			t.Errorf("GET: %d %s", r.StatusCode, text)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "sandbox; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html", "Content-Disposition": "inline",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		people := d.client(who, func(o *sdk.Options) { o.BaseEndpoint = aws.String(d.People) })
		elsewhere := must(sdk.NewPresignClient(people).PresignGetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("start"), Key: aws.String("x.html")}))(t)
		if status, body := send(t, http.MethodGet, elsewhere.URL, nil, ""); status != http.StatusForbidden || !strings.Contains(body, "<Code>AccessDenied</Code>") {
			t.Errorf("presigned for the people host: %d %s", status, body)
		}
		if _, err := people.HeadObject(ctx, &sdk.HeadObjectInput{Bucket: aws.String("start"), Key: aws.String("x.html")}); err != nil {
			t.Errorf("signed in headers on the people host: %v", err)
		}
	})
}

// send sends a request as it is.
func send(t testing.TB, method, target string, h http.Header, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range h {
		if !strings.EqualFold(name, "Host") && !strings.EqualFold(name, "Content-Length") {
			r.Header[name] = values
		}
	}
	return do(t, r)
}

func TestAccessDeniedSaysWhy(t *testing.T) {
	d := open(t)
	admin := d.client(d.admit(account, everything))
	auditor, ctx := d.client(d.admit(account, listing)), t.Context()
	must(admin.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("reports")}))(t)
	if l := must(auditor.ListBuckets(ctx, &sdk.ListBucketsInput{}))(t); len(l.Buckets) != 1 {
		t.Errorf("the auditor sees %d buckets", len(l.Buckets))
	}
	_, err := auditor.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("mine")})
	want := `User: arn:aws:sts::111111111111:assumed-role/Tester/sam is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::mine" because no session policy allows the s3:CreateBucket action`
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "AccessDenied" || e.ErrorMessage() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := auditor.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("reports"), Key: aws.String("x"), Body: strings.NewReader("x")}); code(err) != "AccessDenied" {
		t.Errorf("PutObject: %v", err)
	}
	stranger := d.client(d.admit(other, everything))
	if l := must(stranger.ListBuckets(ctx, &sdk.ListBucketsInput{}))(t); len(l.Buckets) != 0 {
		t.Errorf("another account sees %v", l.Buckets)
	}
	if _, err := stranger.ListObjectsV2(ctx, &sdk.ListObjectsV2Input{Bucket: aws.String("reports")}); code(err) != "NoSuchBucket" {
		t.Errorf("another account lists: %v", err)
	}
}

func TestCredentialsThatEndStopWhatTheyBegan(t *testing.T) {
	eachStorage(t, func(t *testing.T, d *door) {
		who := d.admit(account, everything)
		c, ctx := d.client(who), t.Context()
		must(c.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: aws.String("live")}))(t)
		must(c.PutObject(ctx, &sdk.PutObjectInput{Bucket: aws.String("live"), Key: aws.String("big"), Body: bytes.NewReader(make([]byte, 64<<20))}))(t)
		up := must(c.CreateMultipartUpload(ctx, &sdk.CreateMultipartUploadInput{Bucket: aws.String("live"), Key: aws.String("new")}))(t)
		got := must(c.GetObject(ctx, &sdk.GetObjectInput{Bucket: aws.String("live"), Key: aws.String("big")}))(t)

		slow, feed := io.Pipe()
		sent := make(chan error, 1)
		go func() {
			url := fmt.Sprintf("%s/live/new?partNumber=1&uploadId=%s", d.URL, *up.UploadId)
			r, err := signed(who, http.MethodPut, url, slow, "UNSIGNED-PAYLOAD", time.Now())
			if err == nil {
				r.ContentLength = 64 << 20
				var response *http.Response
				if response, err = http.DefaultClient.Do(r); err == nil {
					body, _ := io.ReadAll(response.Body)
					response.Body.Close()
					err = fmt.Errorf("%d %s", response.StatusCode, body)
				}
			}
			sent <- err
		}()
		if _, err := feed.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		bystander := d.client(d.admit(account, everything))
		d.end(who)
		began := time.Now()
		// How long a small call takes tells how busy the machine is.
		must(bystander.ListBuckets(ctx, &sdk.ListBucketsInput{}))(t)
		limit := time.Second + 10*time.Since(began)
		select {
		case err := <-sent:
			if took := time.Since(began); took > limit || !strings.Contains(err.Error(), "ExpiredToken") {
				t.Errorf("the upload ended after %v: %v", took, err)
			}
		case <-time.After(limit + 5*time.Second):
			t.Error("the upload goes on")
		}
		feed.Close()
		time.Sleep(limit - time.Since(began))
		if n, err := io.Copy(io.Discard, got.Body); err == nil {
			t.Errorf("the download went on to its end, %d bytes", n)
		}
	})
}
