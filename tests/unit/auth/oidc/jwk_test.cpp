// Key sets of identity providers: which keys are taken, and for which signatures.
#include "auth/oidc/jwk.h"

#include <gtest/gtest.h>

#include "tests/support/oidc_signer.h"

namespace outcrop::oidc {
namespace {

using test::OidcSigner;

const OidcSigner& rsa() {
  static const OidcSigner signer(OidcSigner::Type::rsa, "rsa");
  return signer;
}
const OidcSigner& p256() {
  static const OidcSigner signer(OidcSigner::Type::p256, "p256");
  return signer;
}
const OidcSigner& p384() {
  static const OidcSigner signer(OidcSigner::Type::p384, "p384");
  return signer;
}

std::size_t usable(const std::string& keys) {
  const auto set = KeySet::parse(OidcSigner::set_of(keys));
  return set ? set->size() : 0;
}

bool verifies(const KeySet& keys, const OidcSigner& signer, std::string_view algorithm) {
  const std::string token = signer.token("{}", algorithm);
  const std::size_t last = token.rfind('.');
  return keys.verify(signer.id(), *find_algorithm(algorithm), token.substr(0, last),
                     *from_base64url(std::string_view(token).substr(last + 1)));
}

TEST(OidcKeys, EveryAlgorithm) {
  const auto keys =
      KeySet::parse(OidcSigner::set_of(rsa().jwk() + "," + p256().jwk() + "," + p384().jwk()));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 3U);
  for (const char* algorithm : {"RS256", "RS384", "RS512", "PS256"}) {
    EXPECT_TRUE(verifies(*keys, rsa(), algorithm)) << algorithm;
  }
  EXPECT_TRUE(verifies(*keys, p256(), "ES256"));
  EXPECT_TRUE(verifies(*keys, p384(), "ES384"));
  // A signature of one scheme is none of another, and a key has one curve.
  const std::string token = rsa().token("{}", "RS256");
  const std::size_t last = token.rfind('.');
  const std::string text = token.substr(0, last),
                    signature = *from_base64url(std::string_view(token).substr(last + 1));
  EXPECT_FALSE(keys->verify("rsa", Algorithm::ps256, text, signature));
  EXPECT_FALSE(keys->verify("rsa", Algorithm::rs384, text, signature));
  EXPECT_FALSE(keys->verify("rsa", Algorithm::es256, text, signature));
  EXPECT_FALSE(keys->verify("p256", Algorithm::rs256, text, signature));
  EXPECT_FALSE(keys->verify("p384", Algorithm::es256, text, std::string(64, 'a')));
  EXPECT_FALSE(keys->verify("p256", Algorithm::es256, text, std::string(64, '\0')));
  EXPECT_FALSE(keys->verify("p256", Algorithm::es256, text, std::string(65, 'a')));
  EXPECT_FALSE(keys->verify("p256", Algorithm::es256, text, ""));
  EXPECT_FALSE(keys->verify("other", Algorithm::rs256, text, signature));
}

// CVE-2024-48916: Ceph took tokens that were not signed at all.
TEST(OidcKeys, CVE_2024_48916_OnlySignaturesOfPublicKeys) {
  for (const char* name : {"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256",
                           "RS256 ", "PS384", "PS512", "ES512", "EdDSA", "RS1"}) {
    EXPECT_FALSE(find_algorithm(name)) << name;
  }
}

TEST(OidcKeys, KeysThatAreLeftOut) {
  EXPECT_EQ(usable(rsa().jwk(R"(,"use":"sig","alg":"RS256","key_ops":["verify"])")), 1U);
  EXPECT_EQ(usable(rsa().jwk(R"(,"use":"enc")")), 0U);
  EXPECT_EQ(usable(rsa().jwk(R"(,"key_ops":["encrypt"])")), 0U);
  EXPECT_EQ(usable(rsa().jwk(R"(,"alg":"RSA-OAEP")")), 0U);
  EXPECT_EQ(usable(rsa().jwk(R"(,"alg":"HS256")")), 0U);
  EXPECT_EQ(usable(rsa().jwk(R"(,"alg":"ES256")")), 0U);
  EXPECT_EQ(usable(R"({"kty":"oct","kid":"a","k":"c2VjcmV0","alg":"HS256"})"), 0U);
  EXPECT_EQ(usable(R"({"kty":"OKP","kid":"a","crv":"Ed25519","x":"AA"})"), 0U);
  EXPECT_EQ(usable(R"({"kty":"RSA","kid":"a","n":"!","e":"AQAB"})"), 0U);
  EXPECT_EQ(usable(R"({"kty":"RSA","kid":"a"})"), 0U);
  EXPECT_EQ(usable(R"("text",7,{})"), 0U);
  // Of one odd key among good ones, the others are taken.
  EXPECT_EQ(usable(R"({"kty":"OKP","kid":"a"},)" + rsa().jwk()), 1U);
  // Without a name no token can mean it.
  const OidcSigner nameless(OidcSigner::Type::p256, "");
  EXPECT_EQ(usable(nameless.jwk()), 0U);
  EXPECT_EQ(usable(OidcSigner(OidcSigner::Type::p256, std::string(kMaxKeyId, 'a')).jwk()), 1U);
  EXPECT_EQ(usable(OidcSigner(OidcSigner::Type::p256, std::string(kMaxKeyId + 1, 'a')).jwk()), 0U);
  // A modulus that is too short to be safe, or too long to be cheap.
  EXPECT_EQ(usable(OidcSigner(OidcSigner::Type::rsa, "short", 1024).jwk()), 0U);
  // Not on the curve.
  const std::string zeros = test::base64url(std::string(32, '\1'));
  EXPECT_EQ(usable(R"({"kty":"EC","kid":"a","crv":"P-256","x":")" + zeros + R"(","y":")" + zeros +
                   R"("})"),
            0U);
  EXPECT_EQ(usable(R"({"kty":"EC","kid":"a","crv":"P-521","x":"AA","y":"AA"})"), 0U);
}

TEST(OidcKeys, AKeyForOneAlgorithmIsForNoOther) {
  const auto keys = KeySet::parse(OidcSigner::set_of(rsa().jwk(R"(,"alg":"RS256")")));
  ASSERT_TRUE(keys);
  EXPECT_TRUE(verifies(*keys, rsa(), "RS256"));
  EXPECT_FALSE(verifies(*keys, rsa(), "RS512"));
  EXPECT_FALSE(verifies(*keys, rsa(), "PS256"));
}

TEST(OidcKeys, SetsThatAreNone) {
  EXPECT_FALSE(KeySet::parse(""));
  EXPECT_FALSE(KeySet::parse("[]"));
  EXPECT_FALSE(KeySet::parse("{}"));
  EXPECT_FALSE(KeySet::parse(R"({"keys":{}})"));
  EXPECT_FALSE(KeySet::parse(R"({"keys":[]})"));
  EXPECT_FALSE(KeySet::parse(R"({"keys":[],"keys":[)" + rsa().jwk() + "]}"));
  std::string many = rsa().jwk();
  for (std::size_t i = 1; i < kMaxKeys; ++i) {
    many += ",{}";
  }
  EXPECT_TRUE(KeySet::parse(OidcSigner::set_of(many)));
  EXPECT_FALSE(KeySet::parse(OidcSigner::set_of(many + ",{}")));
  std::string long_one = OidcSigner::set_of(rsa().jwk());
  long_one.insert(1, std::string(kMaxKeySetBytes - long_one.size(), ' '));
  EXPECT_TRUE(KeySet::parse(long_one));
  EXPECT_FALSE(KeySet::parse(long_one + " "));
}

TEST(OidcKeys, Base64UrlIsStrict) {
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
  EXPECT_EQ(from_base64url("YQ"), "a");
  for (const char* bad : {"YQ==", "YR", "Y", "+/8", "Y Q", "YQ\n", "YQ="}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

}  // namespace
}  // namespace outcrop::oidc
