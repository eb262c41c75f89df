package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/atrium-iam/atrium/internal/store/storetest"
)

// Environment variables that tell a program that stores what to use. An empty
// people host stands for what the configuration says, the data host.
const (
	peopleHostVariable = "ATRIUM_TEST_STORAGE_PEOPLE_HOST"
	dataHostVariable   = "ATRIUM_TEST_STORAGE_DATA_HOST"
	bucketVariable     = "ATRIUM_TEST_STORAGE_BUCKET"
)

// bothHosts runs a program that stores, with each host's address.
func (d *desk) bothHosts(language string, command ...string) {
	d.t.Helper()
	variables := d.endpoints()
	for host, address := range map[string]string{"data": "", "people": variables["AWS_ENDPOINT_URL"]} {
		cmd := exec.CommandContext(d.t.Context(), command[0], command[1:]...)
		cmd.Dir = d.dir
		cmd.Env = append(d.env(), bucketVariable+"="+strings.ToLower(language)+"-"+host, peopleHostVariable+"="+address,
			dataHostVariable+"="+variables["AWS_ENDPOINT_URL_S3"],
			"ADMINISTRATOR="+administrator, "AUDITOR="+auditor)
		if out, err := cmd.CombinedOutput(); err != nil {
			d.t.Errorf("at the %s host: %v\n%s", host, err, out)
		}
	}
}

// storesWithGo runs this program anew, which sees nothing but the desk's
// environment then.
func (d *desk) storesWithGo() {
	program, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	d.bothHosts("Go", program)
}

func (d *desk) storesWithJavaScript() {
	dir, err := filepath.Abs(filepath.Join("..", "js"))
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@aws-sdk", "client-s3")); err != nil {
		if os.Getenv(storetest.RequireVariable) == "1" {
			d.t.Fatal(err)
		}
		d.t.Skip("the SDK for JavaScript is not installed: run npm ci in test/js")
	}
	d.bothHosts("JavaScript", "node", filepath.Join(dir, "storage.mjs"))
}

// storing is a program that uses S3 through the SDK for Go, as test/js's
// storage.mjs does through the one for JavaScript.
type storing struct {
	bucket           *string
	people           string // address of the people host, "" to use the data host
	data             string // address of the data host
	client, onlooker *s3.Client
}

// largeSize is the length of the large object, in bytes.
const largeSize = 100_000_000

// runStoring is the program.
func runStoring(ctx context.Context) error {
	s := storing{bucket: aws.String(os.Getenv(bucketVariable)), people: os.Getenv(peopleHostVariable), data: os.Getenv(dataHostVariable)}
	for profile, client := range map[string]**s3.Client{os.Getenv("ADMINISTRATOR"): &s.client, os.Getenv("AUDITOR"): &s.onlooker} {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile))
		if err != nil {
			return err
		}
		key, err := cfg.Credentials.Retrieve(ctx)
		if err != nil || key.Source != ssocreds.ProviderName {
			return fmt.Errorf("credentials of %s: %w", key.Source, err)
		}
		*client = s3.NewFromConfig(cfg, func(o *s3.Options) {
			if s.people != "" {
				o.BaseEndpoint, o.UsePathStyle = &s.people, true
			}
		})
	}
	for _, step := range []func(context.Context) error{s.small, s.large, s.denied, s.presigned, s.calledLikePages, s.belowThePeopleHost, s.clear} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

const smallKey = "dir/ü b+c.txt"

// small stores, finds, reads and copies a small object.
func (s *storing) small(ctx context.Context) error {
	if _, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: s.bucket}); err != nil {
		return err
	}
	if _, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: s.bucket, Key: aws.String(smallKey), Body: strings.NewReader("hello"), ContentType: aws.String("text/plain"), Metadata: map[string]string{"colour": "blue"},
	}); err != nil {
		return err
	}
	if _, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: s.bucket, Key: aws.String("copy"), CopySource: aws.String(*s.bucket + "/dir/%C3%BC%20b%2Bc.txt")}); err != nil {
		return err
	}
	list, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: s.bucket})
	if err != nil {
		return err
	}
	if len(list.Contents) != 2 || *list.Contents[0].Key != "copy" || *list.Contents[1].Key != smallKey {
		return fmt.Errorf("listed %v", list.Contents)
	}
	for _, key := range []string{smallKey, "copy"} {
		got, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: &key, Range: aws.String("bytes=1-3")})
		if err != nil {
			return err
		}
		text, err := io.ReadAll(got.Body)
		if err != nil || string(text) != "ell" || *got.ContentType != "text/plain" || got.Metadata["colour"] != "blue" {
			return fmt.Errorf("%s: got %q with %v: %w", key, text, got.Metadata, err)
		}
	}
	return nil
}

// large uploads a large object in parts and reads it.
func (s *storing) large(ctx context.Context) error {
	key := aws.String("large")
	content := make([]byte, largeSize)
	for i := range content {
		content[i] = byte(i * i >> 7)
	}
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: s.bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		return err
	}
	done := new(types.CompletedMultipartUpload)
	for piece := range slices.Chunk(content, 16<<20) {
		number := aws.Int32(int32(len(done.Parts) + 1))
		part, err := s.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: s.bucket, Key: key, UploadId: begun.UploadId, PartNumber: number, Body: bytes.NewReader(piece)})
		if err != nil {
			return err
		}
		done.Parts = append(done.Parts, types.CompletedPart{PartNumber: number, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	if _, err := s.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: s.bucket, Key: key, UploadId: begun.UploadId, MultipartUpload: done}); err != nil {
		return err
	}
	got, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: key})
	if err != nil {
		return err
	}
	read := sha256.New()
	if _, err := io.Copy(read, got.Body); err != nil {
		return err
	}
	if sum := sha256.Sum256(content); !bytes.Equal(read.Sum(nil), sum[:]) {
		return errors.New("the large object is another")
	}
	return nil
}

// denied does what one who may only look may not do.
func (s *storing) denied(ctx context.Context) error {
	list, err := s.onlooker.ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list.Buckets, func(b types.Bucket) bool { return *b.Name == *s.bucket }) {
		return fmt.Errorf("the onlooker sees %v", list.Buckets)
	}
	_, err = s.onlooker.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("onlookers")})
	e, ok := errors.AsType[smithy.APIError](err)
	const why = `is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::onlookers" because no identity-based policy allows the s3:CreateBucket action`
	if !ok || e.ErrorCode() != "AccessDenied" || !strings.Contains(e.ErrorMessage(), why) {
		return fmt.Errorf("the onlooker makes a bucket: %w", err)
	}
	return nil
}

// presigned fetches an address that holds its signature, which the data host
// alone serves.
func (s *storing) presigned(ctx context.Context) error {
	signed, err := s3.NewPresignClient(s.client).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String(smallKey)})
	if err != nil {
		return err
	}
	return s.fetches(ctx, signed.URL)
}

func (s *storing) fetches(ctx context.Context, address string) error {
	want := http.StatusOK
	if s.people != "" {
		want = http.StatusForbidden
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want || strings.Contains(string(text), "hello") != (want == http.StatusOK) {
		return fmt.Errorf("the presigned address answers %d %s: %w", response.StatusCode, text, err)
	}
	return nil
}

// calledLikePages has buckets with the names of what a host serves to who signs
// nothing, with a page in each: what is signed reaches the bucket, what is not
// never does.
func (s *storing) calledLikePages(ctx context.Context) error {
	const page = "<script>alert(1)</script>"
	for _, name := range []string{"start", "signin", "portal", "console", "device", "account", "healthz", "readyz", "metrics", "federation", "token", "authorize"} {
		bucket, key := &name, aws.String("page.html")
		if _, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(page), ContentType: aws.String("text/html")}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		got, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text, err := io.ReadAll(got.Body)
		if err != nil || string(text) != page {
			return fmt.Errorf("%s: got %s: %w", name, text, err)
		}
		for _, path := range []string{"/" + name + "/page.html", "/" + name + "/", "/" + name} {
			if err := s.servesNoContent(ctx, path, page); err != nil {
				return err
			}
		}
		if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: key}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, err := s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// servesNoContent asks without a signature. The data host has no pages either.
func (s *storing) servesNoContent(ctx context.Context, path, page string) error {
	address := cmp.Or(s.people, s.data)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case strings.Contains(string(text), page):
		return fmt.Errorf("%s serves what is stored", path)
	case s.people == "" && path != "/healthz" && path != "/readyz" && response.StatusCode < http.StatusBadRequest:
		return fmt.Errorf("%s on the data host: %d %s", path, response.StatusCode, text)
	}
	return nil
}

// belowThePeopleHost puts the bucket before the people host's name, where
// there is nothing: it would be another origin beside the pages.
func (s *storing) belowThePeopleHost(ctx context.Context) error {
	if s.people == "" {
		return nil
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(s.people, "http://"), ":")
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}
	defer transport.CloseIdleConnections()
	_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: s.bucket}, func(o *s3.Options) {
		o.UsePathStyle, o.HTTPClient, o.Retryer = false, &http.Client{Transport: transport, Timeout: 10 * time.Second}, aws.NopRetryer{}
	})
	e, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || e.HTTPStatusCode() != http.StatusMisdirectedRequest {
		return fmt.Errorf("below the people host: %w", err)
	}
	return nil
}

// clear removes everything.
func (s *storing) clear(ctx context.Context) error {
	_, err := s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: s.bucket})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "BucketNotEmpty" {
		return fmt.Errorf("deleting a bucket with objects: %w", err)
	}
	if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: aws.String("copy")}); err != nil {
		return err
	}
	gone, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: s.bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String(smallKey)}, {Key: aws.String("large")},
	}}})
	if err != nil {
		return err
	}
	if len(gone.Deleted) != 2 || len(gone.Errors) != 0 {
		return fmt.Errorf("deleted %v, not %v", gone.Deleted, gone.Errors)
	}
	_, err = s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: s.bucket})
	return err
}
