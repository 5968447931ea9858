// Multipart uploads from start to finish, with and without checksums.
#include "api/s3/headers.h"
#include "storage/digest/digest.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using digest::Algorithm;

class Multipart : public S3Test {
 protected:
  const std::string one = std::string(2500, '1');
  const std::string two = std::string(1500, '2');
  const std::string last = "3";
};

TEST_F(Multipart, ClientRules_Rule10_EtagOfParts) {
  const std::string id = start_upload("k", {{"content-type", "text/x"}, {"x-amz-meta-a", "b"}});
  const std::string a = put_part("k", id, 1, one).header("etag");
  const std::string b = put_part("k", id, 5, last).header("etag");
  EXPECT_EQ(get("k").status, 404);
  const Reply done = complete("k", id, {{1, a}, {5, b}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_NE(done.body.find("-2&quot;</ETag>"), std::string::npos) << done.body;
  EXPECT_EQ(text(done.body, "Location"), "http://s3.test:9000/bucket/k");
  const Reply read = get("k");
  EXPECT_EQ(read.body, one + last);
  EXPECT_TRUE(read.header("etag").ends_with("-2\""));
  EXPECT_EQ(read.header("content-type"), "text/x");
  EXPECT_EQ(read.header("x-amz-meta-a"), "b");
  const Reply part = get("k?partNumber=5");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, last);
  EXPECT_EQ(part.header("x-amz-mp-parts-count"), "2");
  EXPECT_EQ(part.header("content-range"), "bytes 2500-2500/2501");
  EXPECT_EQ(get("k?partNumber=2").status, 416);
  const std::string parts =  // also of what has no checksum
      get("k?attributes", {{"x-amz-object-attributes", "ObjectParts"}}).body;
  EXPECT_EQ(texts(parts, "PartNumber"), (std::vector<std::string>{"1", "5"}));
  EXPECT_EQ(texts(parts, "Size"), (std::vector<std::string>{"2500", "1"}));
  EXPECT_EQ(text(parts, "IsTruncated"), "false");
  EXPECT_EQ(code(get("k?partNumber=1", {{"range", "bytes=0-1"}})), "InvalidRequest");
}

TEST_F(Multipart, ClientRules_Rule21_CompleteIsIdempotentAndConditional) {
  ASSERT_EQ(put("k", "old").status, 200);
  const std::string id = start_upload("k");
  const std::string a = put_part("k", id, 1, one).header("etag");
  EXPECT_EQ(complete("k", id, {{1, a}}, {{"if-none-match", "*"}}).status, 412);
  const Reply first = complete("k", id, {{1, a}}, {{"if-match", head("k").header("etag")}});
  ASSERT_EQ(first.status, 200);
  const Reply again = complete("k", id, {{1, a}}, {{"if-none-match", "*"}});
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  ASSERT_EQ(put("k", "new").status, 200);
  EXPECT_EQ(code(complete("k", id, {{1, a}})), "NoSuchUpload");
}

struct ChecksumCase {
  Algorithm algorithm;
  bool full;
};
class MultipartChecksum : public Multipart, public ::testing::WithParamInterface<ChecksumCase> {};

TEST_P(MultipartChecksum, ClientRules_Rule09_TypesAndEcho) {
  const auto [algorithm, full] = GetParam();
  const std::string name(digest::name(algorithm));
  const std::string header(digest::header_name(algorithm));
  Headers start{{"x-amz-checksum-algorithm", name}};
  if (full) {
    start.push_back({"x-amz-checksum-type", "FULL_OBJECT"});
  }
  const std::string id = start_upload("k", start);
  const Reply a = put_part("k", id, 1, one, {{header, digest_text(algorithm, one)}});
  ASSERT_EQ(a.status, 200) << a.body;
  EXPECT_EQ(a.header(header), digest_text(algorithm, one));
  EXPECT_EQ(put_part("k", id, 1, one, {{header, digest_text(algorithm, two)}}).status, 400);
  const Reply b = put_part("k", id, 2, two);  // computed for a client that sends none
  EXPECT_EQ(b.header(header), digest_text(algorithm, two));
  const auto parts =
      digest::Digest::of(algorithm, as_bytes(one)) + digest::Digest::of(algorithm, as_bytes(two));
  const std::string expected =
      full ? digest_text(algorithm, one + two) : digest_text(algorithm, parts) + "-2";
  const std::string type = full ? "FULL_OBJECT" : "COMPOSITE";
  const std::vector<std::pair<int, std::string>> listed{{1, a.header("etag")},
                                                        {2, b.header("etag")}};
  EXPECT_EQ(code(complete("k", id, listed, {{header, digest_text(algorithm, "x")}})), "BadDigest");
  const Reply done = complete("k", id, listed, {{header, expected}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(text(done.body, "Checksum" + name), expected);
  EXPECT_EQ(text(done.body, "ChecksumType"), type);
  const Headers mode{{"x-amz-checksum-mode", "ENABLED"}};
  EXPECT_EQ(head("k", mode).header(header), expected);
  EXPECT_EQ(head("k", mode).header("x-amz-checksum-type"), type);
  EXPECT_EQ(get("k?partNumber=2", mode).header(header), digest_text(algorithm, two));
  const Reply attributes =
      get("k?attributes", {{"x-amz-object-attributes", "ObjectParts"}, {"x-amz-max-parts", "1"}});
  EXPECT_EQ(text(attributes.body, "PartsCount"), "2");
  EXPECT_EQ(text(attributes.body, "NextPartNumberMarker"), "1");
  EXPECT_EQ(text(attributes.body, "IsTruncated"), "true");
}

INSTANTIATE_TEST_SUITE_P(All,
                         MultipartChecksum,
                         ::testing::Values(ChecksumCase{Algorithm::crc32, false},
                                           ChecksumCase{Algorithm::crc32, true},
                                           ChecksumCase{Algorithm::crc32c, false},
                                           ChecksumCase{Algorithm::crc32c, true},
                                           ChecksumCase{Algorithm::crc64nvme, true},
                                           ChecksumCase{Algorithm::sha1, false},
                                           ChecksumCase{Algorithm::sha256, false},
                                           ChecksumCase{Algorithm::sha512, false},
                                           ChecksumCase{Algorithm::md5, false},
                                           ChecksumCase{Algorithm::xxhash64, false},
                                           ChecksumCase{Algorithm::xxhash3, false},
                                           ChecksumCase{Algorithm::xxhash128, false}),
                         [](const auto& p) {
                           return std::string(digest::name(p.param.algorithm)) +
                                  (p.param.full ? "Full" : "Composite");
                         });

TEST_F(Multipart, ChecksumTypesThatDoNotExist) {
  const auto start = [&](std::string algorithm, std::string type) {
    return send("POST", "/bucket/k?uploads",
                {{"x-amz-checksum-algorithm", std::move(algorithm)},
                 {"x-amz-checksum-type", std::move(type)}});
  };
  for (const std::string hash :
       {"SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"}) {
    EXPECT_EQ(code(start(hash, "FULL_OBJECT")), "InvalidRequest") << hash;
  }
  EXPECT_EQ(code(start("CRC64NVME", "COMPOSITE")), "InvalidRequest");
  EXPECT_EQ(code(start("CRC32", "HALF_OBJECT")), "InvalidRequest");
  const std::string id = start_upload("k", {{"x-amz-checksum-algorithm", "CRC64NVME"}});
  EXPECT_EQ(code(put_part("k", id, 1, one,
                          {{"x-amz-checksum-crc32", digest_text(Algorithm::crc32, one)}})),
            "InvalidRequest");
}

TEST_F(Multipart, CompleteChecksItsList) {
  const std::string id = start_upload("k");
  const std::string a = put_part("k", id, 1, one).header("etag");
  const std::string small = put_part("k", id, 2, "tiny").header("etag");
  const std::string c = put_part("k", id, 3, last).header("etag");
  EXPECT_EQ(code(complete("k", id, {{3, c}, {1, a}})), "InvalidPartOrder");
  EXPECT_EQ(code(complete("k", id, {{1, a}, {1, a}})), "InvalidPartOrder");
  EXPECT_EQ(code(complete("k", id, {{1, c}})), "InvalidPart");
  EXPECT_EQ(code(complete("k", id, {{4, a}})), "InvalidPart");
  EXPECT_EQ(code(complete("k", id, {{1, a}, {2, small}, {3, c}})), "EntityTooSmall");
  EXPECT_EQ(code(complete("k", id, {})), "MalformedXML");
  EXPECT_EQ(code(complete("k", "nope", {{1, a}})), "NoSuchUpload");
  EXPECT_EQ(code(complete("k", id, {{1, a}}, {{"x-amz-mp-object-size", "1"}})), "InvalidRequest");
  EXPECT_EQ(complete("k", id, {{1, a}}, {{"x-amz-mp-object-size", "2500"}}).status, 200);
}

TEST_F(Multipart, PartNumberLimits) {
  const std::string id = start_upload("k");
  EXPECT_EQ(code(put_part("k", id, 0, one)), "InvalidArgument");
  EXPECT_EQ(put_part("k", id, 1, one).status, 200);
  EXPECT_EQ(put_part("k", id, 10'000, one).status, 200);
  EXPECT_EQ(code(put_part("k", id, 10'001, one)), "InvalidArgument");
  EXPECT_EQ(code(put_part("k", "none", 1, one)), "NoSuchUpload");
}

TEST_F(Multipart, CopyParts) {
  ASSERT_EQ(put("source", one).status, 200);
  for (const std::string algorithm : {"", "CRC32"}) {
    const Headers start =
        algorithm.empty() ? Headers{} : Headers{{"x-amz-checksum-algorithm", algorithm}};
    const std::string id = start_upload("k", start);
    const auto copy = [&](int number, const std::string& range) {
      return put_part("k", id, number, "",
                      {{"x-amz-copy-source", "bucket/source"}, {"x-amz-copy-source-range", range}});
    };
    const Reply a = copy(1, "bytes=0-99");
    ASSERT_EQ(a.status, 200) << a.body;
    EXPECT_EQ(text(a.body, "ChecksumCRC32"),
              algorithm.empty() ? "(none)" : digest_text(Algorithm::crc32, std::string(100, '1')));
    EXPECT_EQ(copy(2, "bytes=0-2500").status, 416);
    EXPECT_EQ(code(copy(2, "bytes=0-")), "InvalidArgument");
    EXPECT_EQ(copy(2, "bytes=2490-2499").status, 200);
    const std::string list = send("GET", "/bucket/k?uploadId=" + id).body;
    std::vector<std::pair<int, std::string>> parts;
    for (const std::string& etag : texts(list, "ETag")) {
      parts.emplace_back(static_cast<int>(parts.size()) + 1, etag);
    }
    ASSERT_EQ(complete("k", id, parts).status, 200);
    EXPECT_EQ(get("k").body, std::string(110, '1'));
  }
}

TEST_F(Multipart, ListsOfPartsAndUploads) {
  const std::string first = start_upload("a/1");
  const std::string second = start_upload("a/1");
  const std::string other = start_upload("b");
  for (int number = 1; number <= 3; ++number) {
    put_part("b", other, number, one);
  }
  const std::string parts = send("GET", "/bucket/b?max-parts=2&uploadId=" + other).body;
  EXPECT_EQ(texts(parts, "PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(text(parts, "IsTruncated"), "true");
  EXPECT_EQ(text(parts, "NextPartNumberMarker"), "2");
  EXPECT_EQ(
      texts(send("GET", "/bucket/b?part-number-marker=2&uploadId=" + other).body, "PartNumber"),
      std::vector<std::string>{"3"});
  const std::string all = send("GET", "/bucket?uploads").body;
  EXPECT_EQ(texts(all, "UploadId"), (std::vector<std::string>{first, second, other}));
  const std::string page = send("GET", "/bucket?uploads&max-uploads=1").body;
  EXPECT_EQ(text(page, "NextKeyMarker"), "a/1");
  EXPECT_EQ(text(page, "NextUploadIdMarker"), first);
  EXPECT_EQ(texts(send("GET", "/bucket?uploads&key-marker=a/1&upload-id-marker=" + first).body,
                  "UploadId"),
            (std::vector<std::string>{second, other}));
  EXPECT_EQ(texts(send("GET", "/bucket?uploads&delimiter=/").body, "CommonPrefixes").size(), 1U);
  EXPECT_EQ(send("DELETE", "/bucket/b?uploadId=" + other).status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/b?uploadId=" + other).status, 404);
}

}  // namespace
}  // namespace outcrop::s3::test
