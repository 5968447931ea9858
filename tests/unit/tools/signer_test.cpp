// The signer against the examples of AWS: "Authenticating Requests: Using the Authorization Header
// (Transferring Payload in a Single Chunk)", credentials and signatures as printed there.
#include "tools/bench/signer.h"

namespace outcrop::bench {
namespace {

constexpr std::int64_t k20130524 = 1369353600;
constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";

Signer example_signer() {
  Signer signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
  signer.set_time(k20130524);
  return signer;
}

std::string authorization(std::string_view method,
                          std::string_view path,
                          std::string_view query,
                          std::span<const SignedHeader> headers,
                          std::string_view hash) {
  Signer signer = example_signer();
  std::string out;
  signer.append_authorization(out, method, path, query, headers, hash);
  return out;
}

TEST(Signer, get_object) {
  const std::array headers{SignedHeader{"host", kHost}, SignedHeader{"range", "bytes=0-9"},
                           SignedHeader{"x-amz-content-sha256", kEmptyHash},
                           SignedHeader{"x-amz-date", "20130524T000000Z"}};
  EXPECT_EQ(authorization("GET", "/test.txt", "", headers, kEmptyHash),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signer, put_object) {
  constexpr std::string_view kHash =
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  const std::array headers{SignedHeader{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                           SignedHeader{"host", kHost}, SignedHeader{"x-amz-content-sha256", kHash},
                           SignedHeader{"x-amz-date", "20130524T000000Z"},
                           SignedHeader{"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  EXPECT_TRUE(authorization("PUT", "/" + uri_encode("test$file.text", false), "", headers, kHash)
                  .ends_with("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(Signer, queries) {
  const std::array headers{SignedHeader{"host", kHost},
                           SignedHeader{"x-amz-content-sha256", kEmptyHash},
                           SignedHeader{"x-amz-date", "20130524T000000Z"}};
  EXPECT_TRUE(authorization("GET", "/", "lifecycle=", headers, kEmptyHash)
                  .ends_with("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_TRUE(authorization("GET", "/", "max-keys=2&prefix=J", headers, kEmptyHash)
                  .ends_with("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(Signer, a_new_day_is_a_new_key_and_scope) {
  Signer signer = example_signer();
  EXPECT_EQ(signer.timestamp(), "20130524T000000Z");
  signer.set_time(k20130524 + 86399);
  EXPECT_EQ(signer.timestamp(), "20130524T235959Z");
  signer.set_time(k20130524 + 86400);
  EXPECT_EQ(signer.timestamp(), "20130525T000000Z");
  Signer fresh("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
  fresh.set_time(k20130524 + 86400);
  const std::array headers{SignedHeader{"host", kHost}};
  std::string a;
  std::string b;
  signer.append_authorization(a, "GET", "/", "", headers, kEmptyHash);
  fresh.append_authorization(b, "GET", "/", "", headers, kEmptyHash);
  EXPECT_EQ(a, b);
  EXPECT_NE(a.find("/20130525/"), std::string::npos);
}

TEST(Signer, uri_encoding) {
  EXPECT_EQ(uri_encode("a b/c+d~e-f_g.h", false), "a%20b/c%2Bd~e-f_g.h");
  EXPECT_EQ(uri_encode("a/b", true), "a%2Fb");
  EXPECT_EQ(uri_encode("\xc3\xa4", false), "%C3%A4");
}

}  // namespace
}  // namespace outcrop::bench
