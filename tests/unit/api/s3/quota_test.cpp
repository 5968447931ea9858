// QuotaExceeded: what each operation answers, and when.
#include "storage/base/async.h"
#include "tests/unit/api/s3/post_fixture.h"

namespace outcrop::s3::test {
namespace {

class Quotas : public PostTest {
 protected:
  void limit(std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> objects = {}) {
    ASSERT_TRUE(run_sync(ns.put_limits("bucket", {bytes, objects})));
  }
  static void expect_refused(const Reply& reply, const std::string& of = "bytes") {
    EXPECT_EQ(reply.status, 403) << reply.body;
    EXPECT_EQ(code(reply), "QuotaExceeded");
    EXPECT_EQ(text(reply.body, "Message"),
              "The bucket's quota of " + of +
                  " does not allow this. Delete objects, or ask for a larger quota.");
  }
};

TEST_F(Quotas, Put) {
  limit(10, 2);
  ASSERT_EQ(put("a", "0123456789").status, 200);
  expect_refused(put("b", "x"));
  expect_refused(put("a", "0123456789x"));
  ASSERT_EQ(put("a", "01234").status, 200);
  ASSERT_EQ(put("b", "01234").status, 200);
  expect_refused(put("c", ""), "objects");
  EXPECT_EQ(get("c").status, 404);
  limit({}, {});
  EXPECT_EQ(put("c", "more and more").status, 200);
}

TEST_F(Quotas, WhoIsRefusedIsNotAskedForTheBody) {
  limit(4);
  bool asked = false;
  Body body{.text = "small", .kept_back = true, .before_read = [&asked] { asked = true; }};
  const Reply refused = send("PUT", "/bucket/k", {}, body);
  expect_refused(refused);
  EXPECT_TRUE(refused.close);
  EXPECT_FALSE(asked);
  // Without a length it is known when all has come.
  body.length_known = false;
  body.kept_back = false;
  expect_refused(send("PUT", "/bucket/k", {}, body));
  EXPECT_TRUE(asked);
  const std::string id = start_upload("m");
  asked = false;
  body.length_known = true;
  body.kept_back = true;
  expect_refused(send("PUT", "/bucket/m?partNumber=1&uploadId=" + id, {}, body));
  EXPECT_FALSE(asked);
}

// The room is gone when the payload has come.
TEST_F(Quotas, JudgedAgainAtTheEnd) {
  limit(8);
  Body body{.text = "small"};
  body.before_read = [this] { EXPECT_EQ(put("other", "12345").status, 200); };
  expect_refused(send("PUT", "/bucket/k", {}, body));
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Quotas, Append) {
  limit(10);
  ASSERT_EQ(put("k", "01234567").status, 200);
  const Headers at{{"x-amz-write-offset-bytes", "8"}};
  expect_refused(put("k", "xyz", at));
  EXPECT_EQ(put("k", "xy", at).status, 200);
}

TEST_F(Quotas, Copy) {
  ASSERT_EQ(put("k", "01234567").status, 200);
  limit(15, 1);
  const Headers from{{"x-amz-copy-source", "/bucket/k"}};
  expect_refused(send("PUT", "/bucket/l", from));
  limit(16, 1);
  expect_refused(send("PUT", "/bucket/l", from), "objects");
  limit(16, 2);
  EXPECT_EQ(send("PUT", "/bucket/l", from).status, 200);
}

TEST_F(Quotas, Uploads) {
  limit(10, 1);
  ASSERT_EQ(put("k", "01234").status, 200);
  const std::string id = start_upload("m");
  const std::string etag = put_part("m", id, 1, "01234").header("etag");
  expect_refused(put_part("m", id, 2, "x"));
  const std::string again = put_part("m", id, 1, "43210").header("etag");
  EXPECT_NE(again, "");
  expect_refused(
      send("PUT", "/bucket/m?partNumber=2&uploadId=" + id, {{"x-amz-copy-source", "/bucket/k"}}));
  expect_refused(complete("m", id, {{1, again}}), "objects");
  EXPECT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(complete("m", id, {{1, again}}).status, 200);
  EXPECT_EQ(get("m").body, "43210");
}

TEST_F(Quotas, Forms) {
  ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
                     "Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}]})"})
                .status,
            204);
  limit(5);
  // The form is larger than the limit, the file is not.
  EXPECT_EQ(post(form({{"key", "k"}}, "01234")).status, 204);
  expect_refused(post(form({{"key", "k"}}, "012345")));
  EXPECT_EQ(get("k").body, "01234");
}

TEST_F(Quotas, WhatAlwaysWorks) {
  ASSERT_EQ(put("k", "01234").status, 200);
  ASSERT_EQ(put("l", "01234").status, 200);
  const std::string id = start_upload("m");
  put_part("m", id, 1, "01234");
  limit(1, 1);
  EXPECT_EQ(put("k", "0123").status, 200);
  EXPECT_EQ(send("PUT", "/bucket/k?tagging", {},
                 {"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"})
                .status,
            200);
  EXPECT_EQ(get("k").body, "0123");
  EXPECT_EQ(send("DELETE", "/bucket/m?uploadId=" + id).status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/l").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(put("k", "0").status, 200);
}

TEST_F(Quotas, EncryptedObjectsCountAsTheyAreShown) {
  limit(5);
  EXPECT_EQ(put("k", "01234", {{"x-amz-server-side-encryption", "AES256"}}).status, 200);
  expect_refused(put("l", "0", {{"x-amz-server-side-encryption", "AES256"}}));
}

}  // namespace
}  // namespace outcrop::s3::test
