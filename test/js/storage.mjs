// Uses S3 with the credentials and the endpoint that the SDK finds by itself,
// as Go's does in test/cli/storage_sdk_test.go: that of the profiles, or the
// people host when it is named.
import assert from "node:assert/strict";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const {
  ATRIUM_TEST_STORAGE_PEOPLE_HOST: people,
  ATRIUM_TEST_STORAGE_BUCKET: Bucket,
  ADMINISTRATOR,
  AUDITOR,
} = process.env;
const host = people ? { endpoint: people, forcePathStyle: true } : {};
const client = await as(ADMINISTRATOR);
const onlooker = await as(AUDITOR);
const key = "dir/ü b+c.txt";

await small();
await large();
await denied();
await presigned();
await clear();

// The SDK's own client for SSO takes its endpoint from AWS_PROFILE only, and
// not from the profile that a client is given.
async function as(profile) {
  process.env.AWS_PROFILE = profile;
  const made = new S3Client(host);
  await made.config.credentials();
  return made;
}

async function small() {
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(
    new PutObjectCommand({ Bucket, Key: key, Body: "hello", ContentType: "text/plain", Metadata: { colour: "blue" } }),
  );
  await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/dir/%C3%BC%20b%2Bc.txt` }));
  const list = await client.send(new ListObjectsV2Command({ Bucket }));
  assert.deepEqual(list.Contents.map((o) => o.Key), ["copy", key]);
  for (const Key of ["copy", key]) {
    const got = await client.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=1-3" }));
    assert.equal(await got.Body.transformToString(), "ell");
    assert.equal(got.ContentType, "text/plain");
    assert.equal(got.Metadata.colour, "blue");
  }
}

async function large() {
  const content = Buffer.alloc(100_000_000);
  for (let i = 0; i < content.length; i += 4) content.writeInt32LE(Math.imul(i, i), i);
  const Key = "large";
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: "CRC32" }));
  const Parts = [];
  for (let at = 0; at < content.length; at += 16 << 20) {
    const PartNumber = Parts.length + 1;
    const Body = content.subarray(at, at + (16 << 20));
    const part = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
  }
  await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const got = await client.send(new GetObjectCommand({ Bucket, Key }));
  assert.equal(Buffer.compare(Buffer.from(await got.Body.transformToByteArray()), content), 0);
}

async function denied() {
  const { Buckets } = await onlooker.send(new ListBucketsCommand({}));
  assert.ok(Buckets.some((b) => b.Name === Bucket));
  await assert.rejects(onlooker.send(new CreateBucketCommand({ Bucket: "onlookers" })), {
    name: "AccessDenied",
    message:
      /is not authorized to perform: s3:CreateBucket on resource: "arn:aws:s3:::onlookers" because no identity-based policy allows the s3:CreateBucket action/,
  });
}

// The data host alone serves addresses that hold their signature.
async function presigned() {
  const address = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: key }), { expiresIn: 60 });
  const response = await fetch(address);
  const text = await response.text();
  assert.equal(response.status, people ? 403 : 200, text);
  assert.equal(text === "hello", !people);
}

async function clear() {
  await assert.rejects(client.send(new DeleteBucketCommand({ Bucket })), { name: "BucketNotEmpty" });
  await client.send(new DeleteObjectCommand({ Bucket, Key: "copy" }));
  const gone = await client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: key }, { Key: "large" }] } }),
  );
  assert.equal(gone.Deleted.length, 2);
  await client.send(new DeleteBucketCommand({ Bucket }));
}
