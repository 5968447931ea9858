// One test per published hole of comparable systems that lies in signatures, chunking, names or
// default keys (reference: reliability, section 5.1). The names are the map.
#include <gtest/gtest.h>

#include "auth/aws_chunked.h"
#include "auth/crypto.h"
#include "auth/target.h"
#include "auth/uri.h"
#include "tests/unit/auth/support.h"

namespace outcrop::auth::test {
namespace {

std::expected<Authentication, AuthFailure> authenticate(const http::Request& request) {
  static const StaticKeyStore keys{{kDocCredential}};
  static const FixedClock clock{kDocTime};
  static const Authenticator authenticator{keys, clock, {}};
  return authenticator.authenticate(request);
}

AuthError refusal(const http::Request& request) {
  const auto result = authenticate(request);
  EXPECT_FALSE(result) << "accepted";
  return result ? AuthError{} : result.error().code;
}

constexpr std::string_view kAmzHeaders[] = {"x-amz-copy-source",
                                            "x-amz-copy-source-range",
                                            "x-amz-acl",
                                            "x-amz-grant-read",
                                            "x-amz-tagging",
                                            "x-amz-meta-injected",
                                            "x-amz-metadata-directive",
                                            "x-amz-storage-class",
                                            "x-amz-server-side-encryption",
                                            "x-amz-bypass-governance-retention",
                                            "x-amz-object-lock-mode",
                                            "x-amz-website-redirect-location",
                                            "x-amz-security-token",
                                            "x-amz-content-sha256",
                                            "x-amz-decoded-content-length",
                                            "x-amz-trailer",
                                            "x-amz-date",
                                            "x-amz-write-offset-bytes"};

http::Request presigned_put(const SignOptions& options = {}) {
  http::Request request = make_request("PUT", "/bucket/key", {{"host", std::string(kDocHost)}});
  sign_by_query(request, options);
  return request;
}

TEST(Advisory, CVE_2026_97731_UnsignedCopySourceOnPresignedPut) {
  for (const std::string_view name : kAmzHeaders) {
    http::Request request = presigned_put();
    ASSERT_TRUE(authenticate(request));
    request.headers.push_back({std::string(name), "UNSIGNED-PAYLOAD"});
    const auto result = authenticate(request);
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, AuthError::access_denied) << name;
    EXPECT_EQ(result.error().headers_not_signed, name);
  }
}

TEST(Advisory, CVE_2026_97731_UnsignedHeaderOnSignedPut) {
  for (const std::string_view name : kAmzHeaders) {
    http::Request request = signed_request("PUT", "/bucket/key");
    if (request.header(name)) {
      continue;  // signed already; a second one is refused as a repetition
    }
    request.headers.push_back({std::string(name), "x"});
    EXPECT_EQ(refusal(request), AuthError::access_denied) << name;
  }
}

/// Credentials x {bad signature, unknown key, both places}, for the unsigned-trailer form.
void unsigned_trailer_matrix(const std::string& method, const std::string& target) {
  SignOptions good;
  good.payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  EXPECT_TRUE(authenticate(signed_request(method, target, {}, good)));
  SignOptions bad_secret = good;
  bad_secret.secret = "guess";
  EXPECT_EQ(refusal(signed_request(method, target, {}, bad_secret)),
            AuthError::signature_does_not_match);
  SignOptions bad_key = good;
  bad_key.access_key = "minioadmin";
  EXPECT_EQ(refusal(signed_request(method, target, {}, bad_key)), AuthError::invalid_access_key_id);
  http::Request both = make_request(method, target,
                                    {{"host", "h"},
                                     {"x-amz-content-sha256", good.payload},
                                     {"x-amz-date", std::string(kDocStamp)}});
  sign_by_query(both, good);
  EXPECT_TRUE(authenticate(both));
  sign_by_header(both, good);
  EXPECT_EQ(refusal(both), AuthError::credentials_conflict);
  // The access key alone, as the hole needed it.
  const auto bare = authenticate(make_request(
      method, target + "?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fr%2Fs3%2Faws4_request",
      {{"host", "h"}, {"x-amz-content-sha256", good.payload}}));
  EXPECT_FALSE(bare);
}

TEST(Advisory, CVE_2025_31489_UnsignedTrailerSkipsSignature) {
  unsigned_trailer_matrix("PUT", "/bucket/key");
}

TEST(Advisory, GHSA_9c4q_hq6p_c237_QueryCredentialsWithUnsignedTrailer) {
  unsigned_trailer_matrix("POST", "/bucket/key");
  http::Request request =
      make_request("PUT", "/bucket/key",
                   {{"host", "h"}, {"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}});
  SignOptions options;
  options.payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  options.secret = "guess";
  sign_by_query(request, options);
  EXPECT_EQ(refusal(request), AuthError::signature_does_not_match);
}

TEST(Advisory, CVE_2021_21390_FalseChunkSizeAvoidsChunkSignature) {
  const ChunkSigning signing = doc_chunk_signing();
  const std::string good = encode_signed(signing, {{"0123456789"}, {}, false});
  const auto outcome = [&](std::string_view body, std::uint64_t length) {
    ChunkDecoder decoder({PayloadForm::streaming_signed, length, signing, {}});
    decoder.push(as_bytes(body), [](ConstBytes) {});
    decoder.end_of_input();
    return decoder.error();
  };
  EXPECT_EQ(outcome(good, 10), ChunkError::none);
  for (const char* lie : {"0", "1", "9", "b", "ff", "fffffffffffffff", "-a", "+a", "0xa"}) {
    EXPECT_NE(outcome(lie + good.substr(1), 10), ChunkError::none) << lie;
    EXPECT_NE(outcome(lie + good.substr(1), 11), ChunkError::none) << lie;
  }
  const std::size_t last = good.rfind("0;chunk-signature=");
  EXPECT_EQ(outcome(good.substr(0, last), 10), ChunkError::incomplete_body);
  // Forged data behind a good zero chunk.
  EXPECT_EQ(outcome(good + "5;chunk-signature=" + std::string(64, '0') + "\r\nforge\r\n", 10),
            ChunkError::malformed);
  // A first chunk without any signature.
  EXPECT_EQ(outcome("a\r\n0123456789\r\n" + good.substr(last), 10), ChunkError::malformed);
}

TEST(Advisory, CVE_2025_68926_KnownRootCredential) {
  for (const Credential& known :
       {Credential{"rustfsadmin", "rustfsadmin"}, Credential{"minioadmin", "minioadmin"},
        Credential{"minioadmin", "another-secret"}, Credential{"alice", "minioadmin"},
        Credential{"alice", "rustfsadmin"}, Credential{"admin", "password"}, kDocCredential,
        Credential{"AKIAIOSFODNN7EXAMPLE", "my-own-secret-key"}}) {
    const auto result = check_credential(known);
    ASSERT_FALSE(result) << known.access_key;
    EXPECT_NE(result.error().detail().find("known to everybody"), std::string_view::npos);
  }
  EXPECT_FALSE(check_credential({"admin", "admin"}));
  EXPECT_FALSE(check_credential({"root-user", "root-user"}));
}

TEST(Advisory, CVE_2026_45039_SecretsDifferPerInstallation) {
  SystemRandom random;
  std::array<std::byte, 32> a, b;
  random.fill(a);
  random.fill(b);
  EXPECT_NE(a, b);
}

TEST(Advisory, CVE_2026_54917_DotDotAcrossBuckets) {
  for (const char* raw : {"/mine/../other/key", "/mine/%2e%2e/other/key", "/mine/..%2Fother/key"}) {
    const Result<Target> target = split_target(raw, "h", {});
    ASSERT_TRUE(target);
    EXPECT_EQ(target->bucket, "mine") << raw;
    EXPECT_EQ(target->key, "../other/key") << raw;
  }
  const Result<CopySource> source = split_copy_source("mine/../other/key");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->bucket, "mine");
}

TEST(Advisory, CVE_2026_58372_BodyKeysFollowTheUrlRules) {
  EXPECT_TRUE(check_key("../other/key"));
  EXPECT_FALSE(check_key(std::string_view("k\0", 2)));
  EXPECT_FALSE(check_key("\xc0\xaf"));
}

TEST(Advisory, SeaweedFS_7912_MultipartPostSkipsAuthentication) {
  http::Request request =
      signed_request("POST", "/bucket", {{"content-type", "multipart/form-data; boundary=x"}});
  ASSERT_TRUE(authenticate(request));
  request.target = "/other";
  EXPECT_EQ(refusal(request), AuthError::signature_does_not_match);
  drop_header(request, "authorization");
  const auto result = authenticate(request);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->principal.anonymous());
}

TEST(Advisory, SeaweedFS_9120_SpoofedPrincipalHeader) {
  const auto spoofed = authenticate(
      make_request("GET", "/bucket/key",
                   {{"host", "h"}, {"x-amz-identity", "root"}, {"x-seaweedfs-principal", "root"}}));
  ASSERT_TRUE(spoofed);
  EXPECT_TRUE(spoofed->principal.anonymous());
  EXPECT_FALSE(spoofed->principal.root);
}

TEST(Advisory, VersityGW_cd0b4e6d_SignedPathIsTheKeyThatIsUsed) {
  // (target sent, key it names): the signature is made over the canonical form of the same key.
  const std::pair<const char*, const char*> cases[] = {
      {"/b/a%2Fb", "a/b"}, {"/b/a%252Fb", "a%2Fb"},   {"/b/%2E%2E/c", "../c"},  {"/b/a+b", "a+b"},
      {"/b/a%20b", "a b"}, {"/b/%C3%A9", "\xc3\xa9"}, {"/b//a///c/", "/a///c/"}};
  for (const auto& [sent, key] : cases) {
    const Result<Target> target = split_target(sent, "h", {});
    ASSERT_TRUE(target) << sent;
    EXPECT_EQ(target->key, key);
    std::string canonical;
    ASSERT_TRUE(uri_recode(sent, Slash::keep, canonical));
    http::Request request = signed_request("GET", canonical);
    request.target = sent;
    EXPECT_TRUE(authenticate(request)) << sent;
    EXPECT_EQ(split_target(canonical, "h", {})->key, key);
  }
}

TEST(Advisory, VersityGW_67aaa80d_CopySourceIsDecodedOnce) {
  EXPECT_EQ(split_copy_source("b/a%252Fb")->key, "a%2Fb");
  EXPECT_EQ(split_copy_source("b/a%253FversionId=x")->key, "a%3FversionId=x");
}

TEST(Advisory, VersityGW_fe3cfbfc_EscapedSlashIsNoBucketSeparator) {
  EXPECT_FALSE(split_target("/bucket%2Fkey", "h", {}));
  EXPECT_FALSE(split_copy_source("bucket%2Fkey"));
}

TEST(Advisory, Garage_6d33e721_ComparisonIsConstantTime) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  for (const char* other : {"", "ab", "abd", "xbc", "abcd"}) {
    EXPECT_FALSE(equal_constant_time("abc", other));
  }
}

TEST(Advisory, CVE_2024_48916_AlgorithmAllowList) {
  for (const char* algorithm : {"none", "AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256", "",
                                "aws4-hmac-sha256", "AWS4-HMAC-SHA256-PAYLOAD"}) {
    http::Request query = presigned_put();
    query.target.replace(query.target.find("AWS4-HMAC-SHA256"), 16, algorithm);
    EXPECT_EQ(refusal(query), AuthError::authorization_query_parameters_error) << algorithm;
    http::Request header = signed_request("GET", "/b/k");
    header.headers.back().value.replace(0, 16, algorithm);
    EXPECT_EQ(refusal(header), AuthError::unsupported_signature_version) << algorithm;
  }
}

TEST(Advisory, CVE_2020_10753_LineBreaksCannotForgeCanonicalLines) {
  // A value that holds what would be the next canonical header.
  http::Request request =
      signed_request("PUT", "/b/k", {{"x-amz-meta-a", "1"}, {"x-amz-meta-b", "2"}});
  ASSERT_TRUE(authenticate(request));
  std::erase_if(request.headers, [](const http::Header& h) { return h.name == "x-amz-meta-b"; });
  set_header(request, "x-amz-meta-a", "1\nx-amz-meta-b:2");
  EXPECT_FALSE(authenticate(request));
}

TEST(Advisory, Chimera_d81ec9ed_LongHeadersInSigning) {
  const std::string longest(65536, 'x');
  EXPECT_TRUE(authenticate(signed_request("PUT", "/b/k", {{"x-amz-meta-a", longest}})));
  EXPECT_TRUE(authenticate(signed_request("GET", "/b/" + longest)));
  EXPECT_TRUE(authenticate(signed_request("GET", "/b/k?prefix=" + longest)));
  for (const std::string& value :
       {"AWS4-HMAC-SHA256 " + longest, "AWS4-HMAC-SHA256 Credential=" + longest,
        "AWS4-HMAC-SHA256 Credential=" + longest +
            "/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
            longest}) {
    http::Request request = signed_request("GET", "/b/k");
    set_header(request, "authorization", value);
    EXPECT_FALSE(authenticate(request));
  }
}

}  // namespace
}  // namespace outcrop::auth::test
