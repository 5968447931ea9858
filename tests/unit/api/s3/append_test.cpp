// x-amz-write-offset-bytes: what it takes, what it answers, what is left of the old object.
#include "storage/base/async.h"
#include "storage/digest/digest.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using digest::Algorithm;

class Append : public S3Test {
 protected:
  Reply append(const std::string& key, std::string payload, std::uint64_t at, Headers more = {}) {
    more.push_back({"x-amz-write-offset-bytes", std::to_string(at)});
    return put(key, std::move(payload), std::move(more));
  }
};

TEST_F(Append, MakesAndContinuesAnObject) {
  const Reply made = append("k", "one", 0, {{"x-amz-meta-a", "b"}, {"content-type", "text/x"}});
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.header("x-amz-object-size"), "3");
  const Reply more = append("k", " two", 3);
  ASSERT_EQ(more.status, 200) << more.body;
  EXPECT_EQ(more.header("x-amz-object-size"), "7");
  EXPECT_NE(more.header("etag"), made.header("etag"));
  const Reply all = get("k");
  EXPECT_EQ(all.body, "one two");
  EXPECT_EQ(all.header("etag"), more.header("etag"));
  EXPECT_EQ(all.header("x-amz-meta-a"), "b");
  EXPECT_EQ(all.header("content-type"), "text/x");
  EXPECT_FALSE(put("l", "x").has("x-amz-object-size"));
}

TEST_F(Append, WrongOffsets) {
  EXPECT_EQ(code(append("k", "x", 1)), "InvalidWriteOffset");
  ASSERT_EQ(put("k", "one").status, 200);
  for (const std::uint64_t wrong : {0, 2, 4}) {
    const Reply refused = append("k", "x", wrong);
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(code(refused), "InvalidWriteOffset");
    EXPECT_EQ(text(refused.body, "Message"),
              "The write offset value that you specified does not match the current object size.");
  }
  EXPECT_EQ(code(put("k", "x", {{"x-amz-write-offset-bytes", "-1"}})), "InvalidArgument");
  EXPECT_EQ(code(put("k", "x", {{"x-amz-write-offset-bytes", "three"}})), "InvalidArgument");
  EXPECT_EQ(code(append("k", "", 3)), "InvalidRequest");
  EXPECT_EQ(get("k").body, "one");
  // The object grows while the body is on its way: what was right is wrong by then.
  Body late{.text = "late"};
  late.before_read = [this] { EXPECT_EQ(append("k", "soon", 3).status, 200); };
  EXPECT_EQ(code(send("PUT", "/bucket/k", {{"x-amz-write-offset-bytes", "3"}}, late)),
            "InvalidWriteOffset");
  EXPECT_EQ(get("k").body, "onesoon");
}

TEST_F(Append, WhatAnObjectIsCannotBeSaidAgain) {
  ASSERT_EQ(put("k", "one").status, 200);
  EXPECT_EQ(code(append("k", "x", 3, {{"x-amz-meta-a", "b"}})), "InvalidRequest");
  EXPECT_EQ(code(append("k", "x", 3, {{"x-amz-tagging", "a=b"}})), "InvalidRequest");
  EXPECT_EQ(code(append("k", "x", 3, {{"x-amz-acl", "bucket-owner-full-control"}})),
            "InvalidRequest");
  const std::string presigned = "?x-amz-write-offset-bytes=3&x-amz-acl=bucket-owner-full-control";
  EXPECT_EQ(code(send("PUT", "/bucket/k" + presigned, {{"x-test-presigned", "1"}}, {"x"})),
            "InvalidRequest");
  EXPECT_EQ(get("k").body, "one");
  EXPECT_EQ(append("k", "!", 3, {{"x-amz-acl", "private"}}).status, 200);
  EXPECT_EQ(append("new", "x", 0, {{"x-amz-tagging", "a=b"}}).status, 200);
}

TEST_F(Append, OtherOperationsDoNotTakeIt) {
  ASSERT_EQ(put("k", "one").status, 200);
  const Headers offset{{"x-amz-write-offset-bytes", "3"}};
  EXPECT_EQ(get("k", offset).status, 501);
  Headers copy = offset;
  copy.push_back({"x-amz-copy-source", "bucket/k"});
  EXPECT_EQ(put("l", "", copy).status, 501);
  const std::string id = start_upload("m");
  EXPECT_EQ(put_part("m", id, 1, "x", offset).status, 501);
}

TEST_F(Append, Checksums) {
  const auto sum = [](Algorithm algorithm, const std::string& data) {
    return Headers{{std::string(digest::header_name(algorithm)), digest_text(algorithm, data)}};
  };
  const Headers mode{{"x-amz-checksum-mode", "ENABLED"}};
  ASSERT_EQ(append("crc", "one", 0, sum(Algorithm::crc64nvme, "one")).status, 200);
  const Reply more = append("crc", " two", 3, sum(Algorithm::crc64nvme, " two"));
  ASSERT_EQ(more.status, 200) << more.body;
  EXPECT_EQ(more.header("x-amz-checksum-crc64nvme"), digest_text(Algorithm::crc64nvme, " two"));
  // Without one from the client it is computed: the object's stays right.
  ASSERT_EQ(append("crc", "!", 7).status, 200);
  EXPECT_EQ(head("crc", mode).header("x-amz-checksum-crc64nvme"),
            digest_text(Algorithm::crc64nvme, "one two!"));
  EXPECT_EQ(head("crc", mode).header("x-amz-checksum-type"), "FULL_OBJECT");
  const Reply other = append("crc", "x", 8, sum(Algorithm::sha1, "x"));
  EXPECT_EQ(code(other), "InvalidRequest");
  EXPECT_EQ(text(other.body, "Message"),
            "Checksum Type mismatch occurred, expected checksum Type: crc64nvme, actual checksum "
            "Type: sha1");
  EXPECT_EQ(code(append("crc", "x", 8, sum(Algorithm::crc64nvme, "y"))), "BadDigest");

  ASSERT_EQ(append("sha", "one", 0, sum(Algorithm::sha256, "one")).status, 200);
  ASSERT_EQ(append("sha", "two", 3, sum(Algorithm::sha256, "two")).status, 200);
  EXPECT_EQ(head("sha", mode).header("x-amz-checksum-type"), "COMPOSITE");
  EXPECT_TRUE(head("sha", mode).header("x-amz-checksum-sha256").ends_with("-2"));
  EXPECT_EQ(get("sha?partNumber=2").body, "two");
}

TEST_F(Append, ConditionsAndPolicies) {
  ASSERT_EQ(put("k", "one").status, 200);
  const std::string etag = get("k").header("etag");
  EXPECT_EQ(append("k", "x", 3, {{"if-match", "\"0\""}}).status, 412);
  EXPECT_EQ(append("k", "x", 3, {{"if-none-match", "*"}}).status, 412);
  EXPECT_EQ(append("k", "x", 3, {{"if-match", etag}}).status, 200);
  add_user("reader", {R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"s3:GetObject","Resource":"*"}]})"});
  EXPECT_EQ(append("k", "x", 4, {{"x-test-user", "reader"}}).status, 403);
  EXPECT_EQ(get("k").body, "onex");
}

}  // namespace
}  // namespace outcrop::s3::test
