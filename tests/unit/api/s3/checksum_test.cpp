// Every algorithm, by header and by trailer, right and wrong.
#include "storage/digest/digest.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using digest::Algorithm;

class Checksums : public S3Test, public ::testing::WithParamInterface<Algorithm> {
 protected:
  std::string name() const { return std::string(digest::header_name(GetParam())); }
  const std::string payload = std::string(5000, 'a') + "end";
  const std::string right = digest_text(GetParam(), payload);
  const std::string wrong = digest_text(GetParam(), "else");
};

TEST_P(Checksums, ByHeader) {
  const Reply good = put("k", payload, {{name(), right}});
  ASSERT_EQ(good.status, 200) << good.body;
  EXPECT_EQ(good.header(name()), right);
  EXPECT_EQ(good.header("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(get("k", {{"x-amz-checksum-mode", "ENABLED"}}).header(name()), right);
  const Reply bad = put("l", payload, {{name(), wrong}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(code(bad), "BadDigest");
  EXPECT_EQ(text(bad.body, "Message"), "The " + std::string(digest::name(GetParam())) +
                                           " you specified did not match the calculated checksum.");
  EXPECT_EQ(get("l").status, 404);
  EXPECT_EQ(code(put("l", payload, {{name(), "bm90IGl0"}})), "InvalidRequest");
}

TEST_P(Checksums, ByTrailer) {
  const Reply good = put_streaming("k", payload, name(), right);
  ASSERT_EQ(good.status, 200) << good.body;
  EXPECT_EQ(good.header(name()), right);
  EXPECT_EQ(head("k", {{"x-amz-checksum-mode", "ENABLED"}}).header(name()), right);
  EXPECT_EQ(code(put_streaming("l", payload, name(), wrong)), "BadDigest");
  EXPECT_EQ(get("l").status, 404);
  EXPECT_EQ(put_streaming("empty", "", name(), digest_text(GetParam(), "")).status, 200);
}

TEST_P(Checksums, InListingAndAttributes) {
  ASSERT_EQ(put("k", payload, {{name(), right}}).status, 200);
  EXPECT_EQ(text(send("GET", "/bucket?list-type=2").body, "ChecksumAlgorithm"),
            digest::name(GetParam()));
  const Reply reply = get("k?attributes", {{"x-amz-object-attributes", "Checksum,ObjectSize"}});
  EXPECT_EQ(text(reply.body, "Checksum" + std::string(digest::name(GetParam()))), right);
  EXPECT_EQ(text(reply.body, "ObjectSize"), "5003");
}

INSTANTIATE_TEST_SUITE_P(All,
                         Checksums,
                         ::testing::ValuesIn(digest::kAlgorithms),
                         [](const auto& p) { return std::string(digest::name(p.param)); });

class ChecksumRules : public S3Test {};

TEST_F(ChecksumRules, ContentMd5) {
  EXPECT_EQ(put("k", "v", {{"content-md5", digest_text(Algorithm::md5, "v")}}).status, 200);
  EXPECT_EQ(code(put("k", "v", {{"content-md5", digest_text(Algorithm::md5, "w")}})), "BadDigest");
  EXPECT_EQ(code(put("k", "v", {{"content-md5", "short"}})), "InvalidDigest");
}

TEST_F(ChecksumRules, OneChecksumOnly) {
  const Headers two{{"x-amz-checksum-crc32", digest_text(Algorithm::crc32, "v")},
                    {"x-amz-checksum-sha1", digest_text(Algorithm::sha1, "v")}};
  EXPECT_EQ(code(put("k", "v", two)), "InvalidRequest");
}

TEST_F(ChecksumRules, SdkAlgorithmNeedsItsChecksum) {
  const Reply alone = put("k", "v", {{"x-amz-sdk-checksum-algorithm", "CRC32"}});
  EXPECT_EQ(alone.status, 400);
  EXPECT_EQ(code(alone), "InvalidRequest");
  EXPECT_EQ(put("k", "v",
                {{"x-amz-sdk-checksum-algorithm", "CRC32"},
                 {"x-amz-checksum-crc32", digest_text(Algorithm::crc32, "v")}})
                .status,
            200);
  EXPECT_EQ(code(put("k", "v", {{"x-amz-sdk-checksum-algorithm", "CRC99"}})), "InvalidRequest");
}

TEST_F(ChecksumRules, NoneIsMadeUp) {
  ASSERT_EQ(put("k", "v").status, 200);
  const Reply reply = get("k", {{"x-amz-checksum-mode", "ENABLED"}});
  for (const auto& [name, value] : reply.headers) {
    EXPECT_FALSE(name.starts_with("x-amz-checksum")) << name;
  }
}

TEST_F(ChecksumRules, AlgorithmsWeDoNotHave) {
  EXPECT_EQ(put("k", "v", {{"x-amz-checksum-sha384", "AAAAAAAAAAA="}}).status, 501);
  EXPECT_EQ(code(send("POST", "/bucket/k?uploads", {{"x-amz-checksum-algorithm", "SHA384"}})),
            "InvalidRequest");
}

TEST_F(ChecksumRules, PresignedQueryCountsAsHeader) {
  const Headers presigned{{"x-test-presigned", "1"}};
  const std::string query = "?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-meta-a=b";
  EXPECT_EQ(code(send("PUT", "/bucket/k" + query, presigned, {"v"})), "BadDigest");
  ASSERT_EQ(send("PUT", "/bucket/k" + query, presigned, {""}).status, 200);
  EXPECT_EQ(head("k").header("x-amz-meta-a"), "b");
}

}  // namespace
}  // namespace outcrop::s3::test
