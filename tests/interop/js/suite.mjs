// The AWS SDK for JavaScript v3 against the endpoint in OUTCROP_TEST_ENDPOINT; exits 1 at the first difference.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import {
  CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, DeleteObjectsCommand, GetObjectCommand,
  HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

const Bucket = `js-${randomBytes(6).toString("hex")}`;
const s3 = new S3Client({ endpoint: process.env.OUTCROP_TEST_ENDPOINT, forcePathStyle: true, maxAttempts: 1 });

async function body(Key, extra = {}) {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  return Buffer.from(await answer.Body.transformToByteArray());
}

async function bytes() {
  for (const size of [0, 1, 200_000, 4 * 1024 * 1024]) {
    const data = randomBytes(size);
    await s3.send(new PutObjectCommand({ Bucket, Key: `bytes/${size}`, Body: data, Metadata: { size: `${size}` } }));
    assert.deepEqual(await body(`bytes/${size}`), data, `bytes of ${size}`);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: `bytes/${size}` }));
    assert.equal(head.ContentLength, size);
    assert.equal(head.Metadata.size, `${size}`);
  }
  assert.equal((await body("bytes/200000", { Range: "bytes=10-19" })).length, 10);
}

// A stream goes out aws-chunked inside chunked transfer encoding, with a trailing checksum.
async function stream() {
  const data = randomBytes(300_001);
  const pieces = Readable.from((function* () {
    for (let at = 0; at < data.length; at += 7777) yield data.subarray(at, at + 7777);
  })());
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body: pieces, ContentLength: data.length }));
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "stream" }));
  assert.notEqual(head.ContentEncoding, "aws-chunked");
  assert.deepEqual(await body("stream"), data, "stream");
}

async function upload() {
  const data = randomBytes(12 * 1024 * 1024 + 5);
  await new Upload({ client: s3, params: { Bucket, Key: "upload", Body: Readable.from([data]) } }).done();
  assert.deepEqual(await body("upload"), data, "Upload of lib-storage");
}

async function listAndDelete() {
  const keys = Array.from({ length: 12 }, (_, n) => `list/${String(n).padStart(2, "0")} é+`);
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const got = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 5 }, { Bucket, Prefix: "list/" })) {
    got.push(...page.Contents.map((entry) => entry.Key));
  }
  assert.deepEqual(got, keys);
  const answer = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
  assert.equal(answer.Deleted.length, keys.length);
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "list/" }))).KeyCount, 0);
  await assert.rejects(body(keys[0]), { name: "NoSuchKey" });
}

async function cleanUp() {
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket })) {
    for (const entry of page.Contents ?? []) await s3.send(new DeleteObjectCommand({ Bucket, Key: entry.Key }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

await s3.send(new CreateBucketCommand({ Bucket }));
for (const check of [bytes, stream, upload, listAndDelete, cleanUp]) {
  await check();
  console.log(`ok ${check.name}`);
}
