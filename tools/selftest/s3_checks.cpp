#include "tools/selftest/s3_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/digest/digest.h"
#include "storage/digest/hmac.h"
#include "storage/digest/text.h"
#include "tools/selftest/sample.h"

namespace outcrop::selftest {
namespace {

constexpr std::string_view kOddKey = "dir/ünï cödé +%&=?#~/file (1).txt";
constexpr std::string_view kRegionOfNone = "us-east-1";  // its buckets name no location

std::string quoted_md5(std::string_view body) {
  return "\"" +
         digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(body)))) +
         "\"";
}

std::string base64_of(digest::Algorithm algorithm, std::string_view body) {
  return digest::to_base64(as_bytes(digest::Digest::of(algorithm, as_bytes(body))));
}

}  // namespace

Task<Reply> S3Checks::call(std::string method,
                           std::string_view key,
                           Pairs query,
                           Pairs headers,
                           std::string body,
                           Signing signing) {
  const std::string path = "/" + x_bucket + (key.empty() ? "" : "/" + std::string(key));
  return x_client.send({.method = std::move(method),
                        .path = path,
                        .query = std::move(query),
                        .headers = std::move(headers),
                        .body = std::move(body),
                        .signing = signing,
                        .payload_hash = {}});
}

Async<> S3Checks::run(Checklist& checks) {
  if (!co_await checks.run("bucket: create, head, location", bucket())) {
    checks.skip_rest("there is no scratch bucket");
  }
  co_await checks.run("bucket: an unknown one is NoSuchBucket", unknown_bucket());
  co_await checks.run("object: put, get, head, metadata", object());
  co_await checks.run("object: a missing one is NoSuchKey, delete twice", missing_object());
  co_await checks.run("object: ranges", ranges());
  co_await checks.run("object: conditional reads and writes", conditions());
  co_await checks.run("object: copy", copy());
  co_await checks.run("multipart: parts, listing, complete", multipart());
  co_await checks.run("multipart: abort", abort_upload());
  co_await checks.run("upload: one that is broken off leaves nothing", broken_off());
  co_await checks.run("list: pages in order", listing());
  co_await checks.run("list: delimiter", delimiter());
  co_await checks.run("object: delete many", delete_many());
  co_await checks.run("checksum: kept and shown", checksums());
  co_await checks.run("checksum: a wrong one is refused", wrong_checksums());
  co_await checks.run("presigned URL", presigned());
  co_await checks.run("signature: wrong, unknown key, none", signatures());
}

Task<> S3Checks::put(std::string_view key, std::string body, Pairs headers) {
  const std::string md5 = quoted_md5(body);
  CO_TRY(const Reply reply, co_await call("PUT", key, {}, std::move(headers), std::move(body)));
  CO_TRYV(expect("PutObject", reply, 200));
  co_return expect_equal("ETag of PutObject", md5, reply.header("etag"));
}

Task<> S3Checks::expect_object(std::string_view key, std::string_view body) {
  CO_TRY(const Reply reply, co_await call("GET", key));
  CO_TRYV(expect("GetObject", reply, 200));
  co_return expect_equal("bytes of GetObject", body, reply.body);
}

Task<> S3Checks::expect_gone(std::string_view key) {
  CO_TRY(const Reply reply, co_await call("GET", key));
  co_return expect("GetObject of a removed object", reply, 404, "NoSuchKey");
}

Task<> S3Checks::remove(std::string_view key) {
  CO_TRY(const Reply reply, co_await call("DELETE", key));
  co_return expect("DeleteObject", reply, 204);
}

Task<> S3Checks::bucket() {
  std::string body;
  if (x_region != kRegionOfNone) {
    body = fmt::format(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        x_region);
  }
  CO_TRY(const Reply made, co_await call("PUT", "", {}, {}, std::move(body)));
  CO_TRYV(expect("CreateBucket", made, 200));
  CO_TRY(const Reply head, co_await call("HEAD", ""));
  CO_TRYV(expect("HeadBucket", head, 200));
  CO_TRY(const Reply where, co_await call("GET", "", {{"location", ""}}));
  CO_TRYV(expect("GetBucketLocation", where, 200));
  const std::string_view location = bench::xml_text(where.body, "LocationConstraint");
  CO_TRYV(expect_equal("GetBucketLocation", x_region == kRegionOfNone ? "" : x_region, location));
  CO_TRY(const Reply all, co_await x_client.send({}));
  CO_TRYV(expect("ListBuckets", all, 200));
  const std::vector<std::string> names = xml_texts(all.body, "Name");
  co_return std::ranges::find(names, x_bucket) != names.end()
      ? ok()
      : Result<void>(differs("ListBuckets", x_bucket, fmt::format("{} others", names.size())));
}

Task<> S3Checks::unknown_bucket() {
  const std::string none = "/" + x_bucket + "-none";
  CO_TRY(const Reply got, co_await x_client.send({.path = none + "/key"}));
  CO_TRYV(expect("GetObject", got, 404, "NoSuchBucket"));
  CO_TRY(const Reply listed, co_await x_client.send({.path = none, .query = {{"list-type", "2"}}}));
  CO_TRYV(expect("ListObjectsV2", listed, 404, "NoSuchBucket"));
  CO_TRY(const Reply head, co_await x_client.send({.method = "HEAD", .path = none}));
  co_return expect("HeadBucket", head, 404);
}

Task<> S3Checks::object() {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{700}, std::size_t{60'000}, std::size_t{1'500'000}}) {
    const std::string body = sample(size), key = fmt::format("object/{}", size);
    CO_TRYV(co_await put(key, body));
    CO_TRYV(co_await expect_object(key, body));
  }
  const std::string body = sample(1234);
  CO_TRYV(co_await put(kOddKey, body,
                       {{"content-type", "text/x-selftest"}, {"x-amz-meta-who", "selftest"}}));
  CO_TRYV(co_await expect_object(kOddKey, body));
  CO_TRY(const Reply head, co_await call("HEAD", kOddKey));
  CO_TRYV(expect("HeadObject", head, 200));
  CO_TRYV(expect_equal("Content-Length", "1234", head.header("content-length")));
  CO_TRYV(expect_equal("Content-Type", "text/x-selftest", head.header("content-type")));
  CO_TRYV(expect_equal("x-amz-meta-who", "selftest", head.header("x-amz-meta-who")));
  CO_TRYV(co_await put(kOddKey, "other"));
  co_return co_await expect_object(kOddKey, "other");
}

Task<> S3Checks::missing_object() {
  CO_TRY(const Reply got, co_await call("GET", "missing"));
  CO_TRYV(expect("GetObject", got, 404, "NoSuchKey"));
  CO_TRY(const Reply head, co_await call("HEAD", "missing"));
  CO_TRYV(expect("HeadObject", head, 404));
  CO_TRYV(co_await put("removed", "x"));
  CO_TRYV(co_await remove("removed"));
  CO_TRYV(co_await expect_gone("removed"));
  co_return co_await remove("removed");
}

Task<> S3Checks::ranges() {
  const std::string body = sample(300'000);
  CO_TRYV(co_await put("ranges", body));
  struct Case {
    std::string_view asked, shown;
    std::size_t from, length;
  };
  for (const Case& c : {Case{"bytes=0-0", "bytes 0-0/300000", 0, 1},
                        Case{"bytes=99990-200009", "bytes 99990-200009/300000", 99'990, 100'020},
                        Case{"bytes=-10", "bytes 299990-299999/300000", 299'990, 10},
                        Case{"bytes=299000-", "bytes 299000-299999/300000", 299'000, 1000}}) {
    CO_TRY(const Reply reply,
           co_await call("GET", "ranges", {}, {{"range", std::string(c.asked)}}));
    CO_TRYV(expect(c.asked, reply, 206));
    CO_TRYV(expect_equal("Content-Range", c.shown, reply.header("content-range")));
    CO_TRYV(expect_equal(c.asked, std::string_view(body).substr(c.from, c.length), reply.body));
  }
  CO_TRY(const Reply beyond, co_await call("GET", "ranges", {}, {{"range", "bytes=300000-"}}));
  co_return expect("a range behind the end", beyond, 416, "InvalidRange");
}

Task<> S3Checks::conditions() {
  CO_TRYV(co_await put("conditions", "first"));
  CO_TRY(const Reply head, co_await call("HEAD", "conditions"));
  const std::string etag = head.header("etag");
  CO_TRY(const Reply same, co_await call("GET", "conditions", {}, {{"if-none-match", etag}}));
  CO_TRYV(expect("GetObject If-None-Match", same, 304));
  CO_TRY(const Reply other, co_await call("GET", "conditions", {}, {{"if-match", "\"no\""}}));
  CO_TRYV(expect("GetObject If-Match", other, 412, "PreconditionFailed"));
  CO_TRY(const Reply again,
         co_await call("PUT", "conditions", {}, {{"if-none-match", "*"}}, "second"));
  CO_TRYV(expect("PutObject If-None-Match: *", again, 412, "PreconditionFailed"));
  CO_TRY(const Reply swap, co_await call("PUT", "conditions", {}, {{"if-match", etag}}, "third"));
  CO_TRYV(expect("PutObject If-Match", swap, 200));
  co_return co_await expect_object("conditions", "third");
}

Task<> S3Checks::copy() {
  const std::string body = sample(200'000);
  CO_TRYV(co_await put("copy/from", body, {{"x-amz-meta-who", "selftest"}}));
  const std::string source = "/" + x_bucket + "/copy/from";
  CO_TRY(const Reply copied, co_await call("PUT", "copy/to", {}, {{"x-amz-copy-source", source}}));
  CO_TRYV(expect("CopyObject", copied, 200));
  CO_TRYV(co_await remove("copy/from"));
  CO_TRYV(co_await expect_object("copy/to", body));
  CO_TRY(const Reply head, co_await call("HEAD", "copy/to"));
  CO_TRYV(expect_equal("x-amz-meta-who of the copy", "selftest", head.header("x-amz-meta-who")));
  CO_TRY(const Reply gone, co_await call("PUT", "copy/to", {}, {{"x-amz-copy-source", source}}));
  co_return expect("CopyObject of a missing object", gone, 404, "NoSuchKey");
}

Task<> S3Checks::checksums() {
  const std::string body = sample(50'000);
  const std::string sum = base64_of(digest::Algorithm::crc32c, body);
  CO_TRYV(co_await put("checksum", body, {{"x-amz-checksum-crc32c", sum}}));
  CO_TRY(const Reply head,
         co_await call("HEAD", "checksum", {}, {{"x-amz-checksum-mode", "ENABLED"}}));
  CO_TRYV(expect("HeadObject", head, 200));
  co_return expect_equal("x-amz-checksum-crc32c", sum, head.header("x-amz-checksum-crc32c"));
}

Task<> S3Checks::wrong_checksums() {
  const std::string body = sample(5000), other = sample(5001);
  const auto refused = [](std::string_view what, const Reply& reply, std::string_view code) {
    return expect(what, reply, 400, code);
  };
  CO_TRY(const Reply crc,
         co_await call("PUT", "corrupted", {},
                       {{"x-amz-checksum-crc32c", base64_of(digest::Algorithm::crc32c, other)}},
                       body));
  CO_TRYV(refused("PutObject with another CRC32C", crc, "BadDigest"));
  CO_TRY(const Reply md5,
         co_await call("PUT", "corrupted", {},
                       {{"content-md5", base64_of(digest::Algorithm::md5, other)}}, body));
  CO_TRYV(refused("PutObject with another Content-MD5", md5, "BadDigest"));
  CO_TRY(const Reply sha,
         co_await x_client.send({.method = "PUT",
                                 .path = "/" + x_bucket + "/corrupted",
                                 .body = body,
                                 .payload_hash = digest::to_hex(digest::sha256(as_bytes(other)))}));
  CO_TRYV(refused("PutObject with another SHA-256", sha, "XAmzContentSHA256Mismatch"));
  co_return co_await expect_gone("corrupted");
}

Task<> S3Checks::presigned() {
  CO_TRYV(co_await put("presigned", "for everybody who has the link"));
  CO_TRY(const Reply good,
         co_await call("GET", "presigned", {{"response-content-type", "text/x-selftest"}}, {}, {},
                       Signing::presigned));
  CO_TRYV(expect("GetObject by a presigned URL", good, 200));
  CO_TRYV(expect_equal("Content-Type by a presigned URL", "text/x-selftest",
                       good.header("content-type")));
  CO_TRYV(expect_equal("bytes by a presigned URL", "for everybody who has the link", good.body));
  CO_TRY(const Reply put_by, co_await call("PUT", "presigned", {}, {}, "new", Signing::presigned));
  CO_TRYV(expect("PutObject by a presigned URL", put_by, 200));
  co_return co_await expect_object("presigned", "new");
}

Task<> S3Checks::signatures() {
  CO_TRYV(co_await put("private", "x"));
  CO_TRY(const Reply wrong, co_await call("GET", "private", {}, {}, {}, Signing::wrong));
  CO_TRYV(expect("a wrong signature", wrong, 403, "SignatureDoesNotMatch"));
  CO_TRY(const Reply stranger, co_await call("GET", "private", {}, {}, {}, Signing::stranger));
  CO_TRYV(expect("an unknown access key", stranger, 403, "InvalidAccessKeyId"));
  CO_TRY(const Reply anonymous, co_await call("GET", "private", {}, {}, {}, Signing::anonymous));
  co_return expect("no signature", anonymous, 403, "AccessDenied");
}

}  // namespace outcrop::selftest
