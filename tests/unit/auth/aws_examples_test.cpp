// The worked examples of the AWS S3 documentation, with the signatures printed there.
#include <gtest/gtest.h>

#include "auth/aws_chunked.h"
#include "tests/unit/auth/support.h"

namespace outcrop::auth::test {
namespace {

constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class AwsExamples : public testing::Test {
 protected:
  std::expected<Authentication, AuthFailure> run(const http::Request& request) {
    return x_authenticator.authenticate(request);
  }
  static std::string authorization(std::string_view signed_headers, std::string_view signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=" +
           std::string(signed_headers) + ",Signature=" + std::string(signature);
  }

  StaticKeyStore x_keys{{kDocCredential}};
  FixedClock x_clock{kDocTime};
  Authenticator x_authenticator{x_keys, x_clock, {}};
};

TEST_F(AwsExamples, GetObjectWithRange) {
  const auto result = run(make_request(
      "GET", "/test.txt",
      {{"host", std::string(kDocHost)},
       {"range", "bytes=0-9"},
       {"x-amz-content-sha256", std::string(kEmptyHash)},
       {"x-amz-date", std::string(kDocStamp)},
       {"authorization",
        authorization("host;range;x-amz-content-sha256;x-amz-date",
                      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")}}));
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
  EXPECT_EQ(result->principal.access_key, "AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(result->payload, PayloadForm::sha256);
  EXPECT_EQ(result->payload_sha256, kEmptyHash);
  EXPECT_FALSE(result->presigned);
  EXPECT_FALSE(result->chunks);
}

TEST_F(AwsExamples, PutObject) {
  const auto result = run(make_request(
      "PUT", "/test$file.text",
      {{"host", std::string(kDocHost)},
       {"date", "Fri, 24 May 2013 00:00:00 GMT"},
       {"x-amz-date", std::string(kDocStamp)},
       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
       {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
       {"authorization",
        authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")}}));
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
}

TEST_F(AwsExamples, GetBucketLifecycle) {
  const auto result = run(make_request(
      "GET", "/?lifecycle",
      {{"host", std::string(kDocHost)},
       {"x-amz-date", std::string(kDocStamp)},
       {"x-amz-content-sha256", std::string(kEmptyHash)},
       {"authorization",
        authorization("host;x-amz-content-sha256;x-amz-date",
                      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")}}));
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
}

TEST_F(AwsExamples, ListObjects) {
  const auto result = run(make_request(
      "GET", "/?max-keys=2&prefix=J",
      {{"host", std::string(kDocHost)},
       {"x-amz-date", std::string(kDocStamp)},
       {"x-amz-content-sha256", std::string(kEmptyHash)},
       {"authorization",
        authorization("host;x-amz-content-sha256;x-amz-date",
                      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")}}));
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
}

TEST_F(AwsExamples, PresignedGet) {
  const http::Request request = make_request(
      "GET",
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524"
      "%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400"
      "&X-Amz-SignedHeaders=host&X-Amz-Signature="
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      {{"host", std::string(kDocHost)}});
  const auto result = run(request);
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
  EXPECT_TRUE(result->presigned);
  EXPECT_EQ(result->payload, PayloadForm::unsigned_payload);

  x_clock.set(kDocTime + 86400);
  EXPECT_TRUE(run(request));
  x_clock.set(kDocTime + 86401);
  const auto late = run(request);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, AuthError::expired_presigned);
  EXPECT_EQ(late.error().message, "Request has expired");
}

http::Request streaming_example() {
  return make_request("PUT", "/examplebucket/chunkObject.txt",
                      {{"host", "s3.amazonaws.com"},
                       {"x-amz-date", std::string(kDocStamp)},
                       {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                       {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
                       {"content-encoding", "aws-chunked"},
                       {"x-amz-decoded-content-length", "66560"},
                       {"content-length", "66824"}});
}

TEST_F(AwsExamples, StreamingPutWithChunkSignatures) {
  http::Request request = streaming_example();
  request.headers.push_back(
      {"authorization",
       authorization("content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
                     "x-amz-decoded-content-length;x-amz-storage-class",
                     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")});
  const auto result = run(request);
  ASSERT_TRUE(result) << result.error().message << "\n" << result.error().canonical_request;
  ASSERT_TRUE(result->chunks);
  const std::string body =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n"
      "\r\n";
  EXPECT_EQ(body.size(), 66824U);
  auto options = chunk_options(request, *result);
  ASSERT_TRUE(options);
  ChunkDecoder decoder(*std::move(options));
  std::string payload;
  EXPECT_TRUE(decoder.push(as_bytes(body), [&](ConstBytes run) { payload += as_text(run); }));
  decoder.end_of_input();
  EXPECT_EQ(decoder.need(), ChunkDecoder::Need::nothing) << to_string(decoder.error());
  EXPECT_EQ(payload, std::string(66560, 'a'));
}

TEST_F(AwsExamples, StreamingPutWithSignedTrailer) {
  ChunkOptions options;
  options.form = PayloadForm::streaming_signed_trailer;
  options.decoded_length = 66560;
  options.trailer_names = {"x-amz-checksum-crc32c"};
  options.signing = doc_chunk_signing();
  options.signing->seed_signature =
      "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
  ChunkDecoder decoder(options);
  const std::string body =
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
      std::string(65536, 'a') +
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\n"
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  EXPECT_TRUE(decoder.push(as_bytes(body), [](ConstBytes) {})) << to_string(decoder.error());
  decoder.end_of_input();
  EXPECT_EQ(decoder.need(), ChunkDecoder::Need::nothing);
  ASSERT_EQ(decoder.trailers().size(), 1U);
  EXPECT_EQ(decoder.trailers()[0].value, "sOO8/Q==");
}

}  // namespace
}  // namespace outcrop::auth::test
