// The compatibility rules of real clients that this layer answers for, one test each.
#include "api/s3/headers.h"
#include "storage/digest/digest.h"
#include "tests/unit/api/s3/s3_fixture.h"
#include "tests/unit/auth/support.h"

namespace outcrop::s3::test {
namespace {

using digest::Algorithm;
class ClientRules : public S3Test {};

TEST_F(ClientRules, Rule02_RefusalBeforeALargeBodyClosesTheConnection) {
  Body large{std::string(200'000, 'x')};
  const Reply reply = send("PUT", "/absent/key", {}, large);
  EXPECT_EQ(reply.status, 404);
  EXPECT_TRUE(reply.close);
  const Reply drained = send("PUT", "/absent/key", {}, {"small"});
  EXPECT_EQ(drained.status, 404);
  EXPECT_FALSE(drained.close);
  EXPECT_EQ(observed.back().in, 5U);
}

TEST_F(ClientRules, Rule04_ChunkedIsToldByThePayloadHashAndNotStored) {
  Headers headers{{"content-encoding", "aws-chunked,gzip"}};
  const auto crc = digest_text(Algorithm::crc32, "hello");
  ASSERT_EQ(put_streaming("k", "hello", "x-amz-checksum-crc32", crc, headers).status, 200);
  EXPECT_EQ(get("k").body, "hello");
  EXPECT_EQ(get("k").header("content-encoding"), "gzip");
  ASSERT_EQ(put_streaming("l", "hello", "x-amz-checksum-crc32", crc,
                          {{"content-encoding", "aws-chunked"}})
                .status,
            200);
  EXPECT_FALSE(get("l").has("content-encoding"));
  ASSERT_EQ(put("m", "5\r\nhello\r\n0\r\n\r\n", {{"content-encoding", "aws-chunked"}}).status, 200);
  EXPECT_EQ(get("m").body, "5\r\nhello\r\n0\r\n\r\n");
}

TEST_F(ClientRules, Rule05_ChunkedInsideChunkedWithoutContentLength) {
  const std::string payload(70'000, 'p');
  const auto crc = digest_text(Algorithm::crc32, payload);
  ASSERT_EQ(put_streaming("k", payload, "x-amz-checksum-crc32", crc).status, 200);
  EXPECT_EQ(head("k").content_length, payload.size());
}

// `curl -T -`: AWS wants to know the length.
TEST_F(ClientRules, ChunkedWithoutAnyLength) {
  for (const std::size_t size : {0, 1, 5000, 131'072, 300'000}) {
    Body body{std::string(size, 'p')};
    body.length_known = false;
    EXPECT_EQ(send("PUT", "/bucket/k", {}, body).status, 200);
    EXPECT_EQ(get("k").body, body.text);
    const std::string id = start_upload("parts");
    const Reply part = send("PUT", "/bucket/parts?partNumber=1&uploadId=" + id, {}, body);
    ASSERT_EQ(complete("parts", id, {{1, part.header("etag")}}).status, 200);
    EXPECT_EQ(get("parts").body, body.text);
  }
  Body body{"hello"};
  body.length_known = false;
  const std::string wrong = digest_text(Algorithm::crc32, "hellO");
  EXPECT_EQ(code(send("PUT", "/bucket/k", {{"x-amz-checksum-crc32", wrong}}, body)), "BadDigest");
  EXPECT_EQ(code(send("PUT", "/bucket/k", {{"x-amz-write-offset-bytes", "300000"}}, body)),
            "MissingContentLength");
  EXPECT_EQ(get("k").body.size(), 300'000u);
}

TEST_F(ClientRules, Rule06_AllPayloadForms) {
  const std::string sha256 =
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // of "hello"
  EXPECT_EQ(put("a", "hello", {{"x-amz-content-sha256", sha256}}).status, 200);
  const Reply wrong = put("b", "hellO", {{"x-amz-content-sha256", sha256}});
  EXPECT_EQ(code(wrong), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(get("b").status, 404);
  EXPECT_EQ(put("c", "hello", {{"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}}).status, 200);
  for (const bool trailer : {false, true}) {
    auth::test::ChunkedBody chunked{{"hel", "lo"}, {}, trailer};
    Headers headers{{"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                    {"x-amz-decoded-content-length", "5"}};
    if (trailer) {
      const auto crc = digest_text(Algorithm::crc64nvme, "hello");
      chunked.trailers = {{"x-amz-checksum-crc64nvme", crc}};
      headers[0].value += "-TRAILER";
      headers.push_back({"x-amz-trailer", "x-amz-checksum-crc64nvme"});
    }
    const std::string body = auth::test::encode_signed(auth::test::doc_chunk_signing(), chunked);
    EXPECT_EQ(send("PUT", "/bucket/d", headers, {body}).status, 200);
    EXPECT_EQ(get("d").body, "hello");
    std::string forged = body;
    forged[forged.find("hel")] = 'H';
    EXPECT_EQ(code(send("PUT", "/bucket/d", headers, {forged})), "SignatureDoesNotMatch");
    const Reply cut = send("PUT", "/bucket/d", headers, {body.substr(0, body.size() / 2)});
    EXPECT_EQ(cut.status, 400);
    EXPECT_EQ(code(cut), "IncompleteBody");
  }
}

TEST_F(ClientRules, Rule02_WhoIsRefusedIsNotAskedForTheBody) {
  bool asked = false;
  Body body{.text = "small", .kept_back = true, .before_read = [&asked] { asked = true; }};
  const Reply refused = send("PUT", "/bucket/k", {{"x-test-anonymous", "1"}}, body);
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(refused.close);
  EXPECT_EQ(send("PUT", "/nobucket/k", {}, body).status, 404);
  EXPECT_FALSE(asked);
  const Reply taken = send("PUT", "/bucket/k", {}, body);
  EXPECT_EQ(taken.status, 200);
  EXPECT_TRUE(asked && !taken.close);
  body.kept_back = false;
  EXPECT_FALSE(send("PUT", "/bucket/k", {{"x-test-anonymous", "1"}}, body).close);
}

TEST_F(ClientRules, Rule07_DeleteObjectsTakesAnyChecksumOrContentMd5) {
  const std::string xml = "<Delete><Object><Key>k</Key></Object></Delete>";
  for (const Algorithm a : digest::kAlgorithms) {
    const Headers headers{{std::string(digest::header_name(a)), digest_text(a, xml)}};
    EXPECT_EQ(send("POST", "/bucket?delete", headers, {xml}).status, 200);
    const Reply wrong = send("POST", "/bucket?delete=", headers, {xml + " "});
    EXPECT_EQ(code(wrong), "BadDigest");
  }
  EXPECT_EQ(
      send("POST", "/bucket?delete", {{"content-md5", digest_text(Algorithm::md5, xml)}}, {xml})
          .status,
      200);
  EXPECT_EQ(code(send("POST", "/bucket?delete", {}, {xml})), "InvalidRequest");
}

TEST_F(ClientRules, Rule08_NoChecksumOnRangedGet) {
  const auto crc = digest_text(Algorithm::crc32, "0123456789");
  ASSERT_EQ(put("k", "0123456789", {{"x-amz-checksum-crc32", crc}}).status, 200);
  const Headers mode{{"x-amz-checksum-mode", "ENABLED"}};
  EXPECT_EQ(get("k", mode).header("x-amz-checksum-crc32"), crc);
  EXPECT_EQ(get("k", mode).header("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(head("k", mode).header("x-amz-checksum-crc32"), crc);
  EXPECT_FALSE(get("k").has("x-amz-checksum-crc32"));
  for (const std::string range : {"bytes=0-4", "bytes=0-", "bytes=-10"}) {
    const Reply reply = get("k", {{"x-amz-checksum-mode", "ENABLED"}, {"range", range}});
    EXPECT_EQ(reply.status, 206);
    EXPECT_FALSE(reply.has("x-amz-checksum-crc32")) << range;
  }
}

TEST_F(ClientRules, Rule11_AnyRegionIsFine) {
  EXPECT_EQ(send("PUT", "/euro", {},
                 {"<CreateBucketConfiguration><LocationConstraint>EU"
                  "</LocationConstraint></CreateBucketConfiguration>"})
                .status,
            200);
  EXPECT_NE(send("GET", "/euro?location").body.find(">EU</LocationConstraint>"), std::string::npos);
}

TEST_F(ClientRules, Rule12_PathStyleAndVirtualHost) {
  ASSERT_EQ(put("dir/key", "v").status, 200);
  const Reply reply = send("GET", "/dir/key", {{"host", "bucket.s3.test:9000"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "v");
  EXPECT_EQ(send("HEAD", "/", {{"host", "bucket.s3.test"}}).status, 200);
}

TEST_F(ClientRules, Rule13_RegionOfBuckets) {
  EXPECT_EQ(send("HEAD", "/bucket").header("x-amz-bucket-region"), "us-east-1");
  const Reply absent = send("HEAD", "/absent");
  EXPECT_EQ(absent.status, 404);
  EXPECT_EQ(absent.header("x-amz-bucket-region"), "us-east-1");
  EXPECT_TRUE(absent.body.empty());
  EXPECT_EQ(send("GET", "/bucket?location").body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "</LocationConstraint>");
}

TEST_F(ClientRules, Rule14_UnknownQueryArgumentsAreIgnored) {
  EXPECT_EQ(send("PUT", "/bucket/k?x-id=PutObject", {}, {"v"}).status, 200);
  EXPECT_EQ(send("GET", "/bucket/k?x-id=GetObject&foo=bar").body, "v");
  EXPECT_EQ(send("GET", "/?x-id=ListBuckets").status, 200);
}

TEST_F(ClientRules, Rule17_AclAndStorageClassThatSayWhatIsTheCaseAnyway) {
  EXPECT_EQ(put("k", "v", {{"x-amz-acl", "private"}, {"x-amz-storage-class", "STANDARD"}}).status,
            200);
  EXPECT_EQ(put("k", "v", {{"x-amz-acl", "public-read"}}).status, 400);
  EXPECT_NE(get("k?acl").body.find("<Permission>FULL_CONTROL</Permission>"), std::string::npos);
}

TEST_F(ClientRules, Rule18_OwnBucketAgain) {
  ASSERT_EQ(put("k", "v").status, 200);
  const std::string created = text(send("GET", "/").body, "CreationDate");
  clock.seconds += 60;
  const Reply reply = send("PUT", "/bucket");
  EXPECT_EQ(reply.status, 200);  // in us-east-1, and nowhere else
  EXPECT_EQ(reply.header("location"), "/bucket");
  EXPECT_EQ(text(send("GET", "/").body, "CreationDate"), created);
  EXPECT_EQ(get("k").body, "v");
  const auto elsewhere = [](const std::string& region) {
    return Body{"<CreateBucketConfiguration><LocationConstraint>" + region +
                "</LocationConstraint></CreateBucketConfiguration>"};
  };
  EXPECT_EQ(send("PUT", "/bucket", {}, elsewhere("us-east-1")).status, 200);
  EXPECT_EQ(code(send("PUT", "/bucket", {}, elsewhere("eu-west-1"))), "BucketAlreadyOwnedByYou");
  ASSERT_EQ(send("PUT", "/europe", {}, elsewhere("eu-west-1")).status, 200);
  EXPECT_EQ(code(send("PUT", "/europe")), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(code(send("PUT", "/europe", {}, elsewhere("eu-west-1"))), "BucketAlreadyOwnedByYou");
  config.region = "eu-west-1";
  const Reply refused = send_with(new_handler(), "PUT", "/bucket", {}, {});
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(code(refused), "BucketAlreadyOwnedByYou");
}

TEST_F(ClientRules, Rule19_RangesAndParts) {
  ASSERT_EQ(put("k", "0123456789").status, 200);
  const Reply end = get("k", {{"range", "bytes=10-"}});
  EXPECT_EQ(end.status, 416);
  EXPECT_EQ(code(end), "InvalidRange");
  EXPECT_EQ(text(end.body, "ActualObjectSize"), "10");
  const Reply suffix = get("k", {{"range", "bytes=-3"}});
  EXPECT_EQ(suffix.status, 206);
  EXPECT_EQ(suffix.body, "789");
  EXPECT_EQ(suffix.header("content-range"), "bytes 7-9/10");
  EXPECT_EQ(get("k", {{"range", "bytes=2-3,5-6"}}).status, 200);
  const Reply part = head("k?partNumber=1");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("content-range"), "bytes 0-9/10");
  EXPECT_EQ(get("k?partNumber=2").status, 416);
  ASSERT_EQ(put("empty", "").status, 200);
  EXPECT_EQ(get("empty?partNumber=1").status, 200);
  EXPECT_EQ(get("empty", {{"range", "bytes=0-"}}).status, 416);
}

TEST_F(ClientRules, Rule20_MessagesVerbatim) {
  EXPECT_EQ(text(get("absent").body, "Message"), "The specified key does not exist.");
  EXPECT_EQ(text(send("GET", "/absent").body, "Message"), "The specified bucket does not exist");
}

TEST_F(ClientRules, Rule21_ConditionalWrites) {
  const Headers fresh{{"if-none-match", "*"}};
  const Reply first = put("k", "one", fresh);
  EXPECT_EQ(first.status, 200);
  const Reply again = put("k", "two", fresh);
  EXPECT_EQ(again.status, 412);
  EXPECT_EQ(code(again), "PreconditionFailed");
  EXPECT_EQ(put("k", "two", {{"if-match", first.header("etag")}}).status, 200);
  EXPECT_EQ(put("k", "three", {{"if-match", first.header("etag")}}).status, 412);
  EXPECT_EQ(put("absent", "x", {{"if-match", "\"abc\""}}).status, 404);
  EXPECT_EQ(put("k", "two", {{"if-none-match", head("k").header("etag")}}).status, 412);
  EXPECT_EQ(put("k", "two", {{"if-none-match", "\"abc\""}}).status, 200);
  const Headers copy{{"x-amz-copy-source", "/bucket/k"},
                     {"x-amz-copy-source-if-match", "\"nope\""}};
  EXPECT_EQ(send("PUT", "/bucket/c", copy).status, 412);
  const Reply cached = get("k", {{"if-none-match", head("k").header("etag")}});
  EXPECT_EQ(cached.status, 304);
  EXPECT_TRUE(cached.body.empty());
  EXPECT_EQ(cached.header("etag"), head("k").header("etag"));
}

TEST_F(ClientRules, Rule22_DeclarationIsByteZero) {
  for (const std::string target : {"/", "/bucket", "/bucket?list-type=2", "/bucket?acl", "/absent",
                                   "/bucket/absent", "/bucket?uploads", "/bucket?versions"}) {
    EXPECT_TRUE(send("GET", target).body.starts_with("<?xml version=\"1.0\"")) << target;
  }
}

TEST_F(ClientRules, Rule23_StatusesAndDates) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(head("k").header("last-modified"), "Sat, 21 Nov 2026 23:19:36 GMT");
  EXPECT_EQ(text(send("GET", "/bucket").body, "LastModified"), "2026-11-21T23:19:36.000Z");
  EXPECT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/k").status, 204);
  const Reply absent = head("k");
  EXPECT_EQ(absent.status, 404);
  EXPECT_TRUE(absent.body.empty());
}

}  // namespace
}  // namespace outcrop::s3::test
