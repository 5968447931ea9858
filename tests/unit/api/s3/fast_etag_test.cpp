// Buckets whose ETags are no MD5: what gets which, what is verified all the same.
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using digest::Algorithm;

const std::string kMd5OfX = "\"9dd4e461268c8034f5c8564e155c67a6\"";

class FastEtags : public S3Test {
 protected:
  void set(std::string kind) { ASSERT_TRUE(run_sync(set_task(std::move(kind)))); }
  Task<> set_task(std::string kind) {
    const access::AccessTable::Held held = co_await access->lock();
    CO_TRY(const ns::BucketInfo bucket, co_await ns.get_bucket("bucket"));
    BucketSettings next{.bucket = "bucket", .root = bucket.root};
    if (const BucketSettingsPtr there = settings->find("bucket")) {
      next = *there;
    }
    if (kind.empty()) {
      erase_document(next, Setting::etag);
    } else {
      EXPECT_TRUE(set_document(next, Setting::etag, std::move(kind)));
    }
    co_return co_await settings->put(held, std::move(next));
  }
  static bool fast(const std::string& etag) {
    return etag.size() == 36 && etag.starts_with('"') && etag.ends_with("-0\"");
  }
};

TEST_F(FastEtags, OfBucketsThatHaveThem) {
  EXPECT_EQ(put("k", "x").header("etag"), kMd5OfX);
  set("fast");
  const std::string first = put("k", "x").header("etag");
  EXPECT_TRUE(fast(first)) << first;
  EXPECT_EQ(get("k").header("etag"), first);
  EXPECT_EQ(get("k", {{"if-none-match", first}}).status, 304);
  EXPECT_EQ(put("k", "y", {{"if-match", "\"0\""}}).status, 412);
  EXPECT_EQ(put("k", "y", {{"if-match", first}}).status, 200);
  EXPECT_NE(get("k").header("etag"), first);
  // A copy is the same bytes, and may say so.
  EXPECT_EQ(put("l", "", {{"x-amz-copy-source", "bucket/k"}}).status, 200);
  EXPECT_EQ(get("l").header("etag"), get("k").header("etag"));
  set("md5");
  EXPECT_EQ(put("k", "x").header("etag"), kMd5OfX);
}

TEST_F(FastEtags, OfTheServersDefault) {
  config.fast_etags = true;
  handler = new_handler();
  EXPECT_TRUE(fast(put("k", "x").header("etag")));
  set("md5");
  EXPECT_EQ(put("k", "x").header("etag"), kMd5OfX);
  set("");
  EXPECT_TRUE(fast(put("k", "x").header("etag")));
}

TEST_F(FastEtags, WhatTheClientPromisesIsVerified) {
  set("fast");
  const Headers md5{{"content-md5", digest_text(Algorithm::md5, "x")}};
  EXPECT_EQ(code(put("k", "y", md5)), "BadDigest");
  EXPECT_EQ(get("k").status, 404);
  EXPECT_EQ(put("k", "x", md5).header("etag"), kMd5OfX);  // there it is, so it is the ETag
  const Headers crc{{"x-amz-checksum-crc32", digest_text(Algorithm::crc32, "x")}};
  EXPECT_EQ(code(put("k", "y", crc)), "BadDigest");
  EXPECT_TRUE(fast(put("k", "x", crc).header("etag")));
  EXPECT_EQ(
      put("k", "x", {{"x-amz-checksum-md5", digest_text(Algorithm::md5, "x")}}).header("etag"),
      kMd5OfX);
}

TEST_F(FastEtags, OfParts) {
  set("fast");
  const std::string id = start_upload("k");
  const std::string one = put_part("k", id, 1, std::string(2500, 'a')).header("etag");
  const std::string two = put_part("k", id, 2, "b").header("etag");
  EXPECT_TRUE(fast(one) && fast(two)) << one << two;
  EXPECT_NE(one, two);
  EXPECT_EQ(code(complete("k", id, {{1, two}})), "InvalidPart");
  const Reply done = complete("k", id, {{1, one}, {2, two}});
  ASSERT_EQ(done.status, 200) << done.body;
  const std::string etag = head("k").header("etag");
  EXPECT_EQ(etag.size(), 36u);
  EXPECT_TRUE(etag.ends_with("-2\"")) << etag;
}

TEST_F(FastEtags, AreKept) {
  set("fast");
  const InodeId root = run_sync(ns.get_bucket("bucket")).value().root;
  settings = run_sync(SettingsTable::open(meta, {{"bucket", root}})).value();
  config.settings = settings.get();
  handler = new_handler();
  EXPECT_TRUE(fast(put("k", "x").header("etag")));
  EXPECT_EQ(settings->find("bucket")->etag, EtagKind::fast);
  BucketSettings next = *settings->find("bucket");
  EXPECT_FALSE(set_document(next, Setting::etag, "slow"));
}

}  // namespace
}  // namespace outcrop::s3::test
