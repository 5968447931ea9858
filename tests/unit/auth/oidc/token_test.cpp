// Tokens of identity providers: every way in which one is refused.
#include "auth/oidc/token.h"

#include <gtest/gtest.h>

#include "auth/crypto.h"
#include "tests/support/oidc_signer.h"

namespace outcrop::oidc {
namespace {

using test::base64url;
using test::OidcSigner;

constexpr std::int64_t kNow = 1'700'000'000;

const OidcSigner& signer() {
  static const OidcSigner one(OidcSigner::Type::p256, "k1");
  return one;
}
const KeySet& keys() {
  static const KeySet set = *KeySet::parse(OidcSigner::set_of(signer().jwk()));
  return set;
}

std::string claims(const std::string& more = "") {
  return R"({"iss":"https://id.example.com","sub":"alice","aud":"outcrop","iat":1700000000,)"
         R"("exp":1700003600)" +
         more + "}";
}

Checked<Claims> verify(std::string_view text, std::int64_t now = kNow) {
  const auto token = Token::parse(text);
  return token ? token->verify(keys(), now) : std::unexpected(token.error());
}
/// Of a token with that payload and a good signature.
std::optional<TokenFault> fault_of(const std::string& payload, std::int64_t now = kNow) {
  const auto result = verify(signer().token(payload, "ES256"), now);
  return result ? std::nullopt : std::optional(result.error().fault);
}
std::optional<TokenFault> fault_of_text(std::string_view text) {
  const auto result = verify(text);
  return result ? std::nullopt : std::optional(result.error().fault);
}
std::optional<TokenFault> fault_of_header(const std::string& header) {
  return fault_of_text(signer().sign(header, claims(), "ES256"));
}

TEST(OidcToken, WhatAGoodOneSays) {
  const auto said = verify(signer().token(
      claims(R"(,"azp":"cli","amr":["pwd","otp"],"nbf":1700000000.5,"other":{"a":[1,2]})"),
      "ES256"));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(said->issuer, "https://id.example.com");
  EXPECT_EQ(said->subject, "alice");
  EXPECT_EQ(said->party, "cli");
  EXPECT_EQ(said->audiences, std::vector<std::string>{"outcrop"});
  EXPECT_EQ(said->methods, (std::vector<std::string>{"pwd", "otp"}));
  EXPECT_EQ(said->expires, kNow + 3600);
  EXPECT_EQ(said->issued, kNow);
  const auto many = verify(signer().token(
      R"({"iss":"i","sub":"s","aud":["a","b"],"iat":1700000000,"exp":1700003600})", "ES256"));
  ASSERT_TRUE(many);
  EXPECT_EQ(many->audiences, (std::vector<std::string>{"a", "b"}));
}

TEST(OidcToken, CVE_2024_48916_UnsignedTokens) {
  const std::string body = base64url(claims());
  for (const char* header :
       {R"({"alg":"none","kid":"k1"})", R"({"alg":"NONE","kid":"k1"})", R"({"kid":"k1"})",
        R"({"alg":null,"kid":"k1"})", R"({"alg":["ES256"],"kid":"k1"})"}) {
    EXPECT_EQ(fault_of_text(base64url(header) + "." + body + "."), TokenFault::malformed) << header;
    EXPECT_EQ(fault_of_header(header), TokenFault::malformed) << header;
  }
  const std::string good = signer().token(claims(), "ES256");
  EXPECT_EQ(fault_of_text(good), std::nullopt);
  EXPECT_EQ(fault_of_text(good.substr(0, good.rfind('.') + 1)), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(good.substr(0, good.rfind('.'))), TokenFault::malformed);
}

// The public key, which everybody has, as the secret of an HMAC.
TEST(OidcToken, AnHmacWithThePublicKeyIsNoSignature) {
  const std::string text = base64url(R"({"alg":"HS256","kid":"k1"})") + "." + base64url(claims());
  for (const std::string& secret : {signer().public_pem(), signer().jwk(), std::string()}) {
    const auth::Digest mac = auth::HmacKey(secret).sign(text);
    const std::string token =
        text + "." + base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
    EXPECT_EQ(fault_of_text(token), TokenFault::malformed);
  }
}

TEST(OidcToken, KeysByName) {
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","kid":"k1"})"), std::nullopt);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","kid":"k2"})"), TokenFault::unknown_key);
  EXPECT_EQ(fault_of_header(R"({"alg":"RS256","kid":"k1"})"), TokenFault::unknown_key);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256"})"), TokenFault::malformed);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","kid":""})"), TokenFault::malformed);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","kid":7})"), TokenFault::malformed);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","kid":"k1","crit":["b64"],"b64":false})"),
            TokenFault::malformed);
  // A key that the token brings along, or says where to fetch, is not looked at.
  const OidcSigner other(OidcSigner::Type::p256, "k1");
  EXPECT_EQ(fault_of_text(other.sign(R"({"alg":"ES256","kid":"k1","jwk":)" + other.jwk() +
                                         R"(,"jku":"https://evil.example/keys"})",
                                     claims(), "ES256")),
            TokenFault::signature);
}

TEST(OidcToken, TamperedWith) {
  const std::string good = signer().token(claims(), "ES256");
  const std::size_t first = good.find('.'), last = good.rfind('.');
  const std::string other = claims(R"(,"azp":"x")");
  EXPECT_EQ(fault_of_text(good.substr(0, first + 1) + base64url(other) + good.substr(last)),
            TokenFault::signature);
  for (std::size_t at = last + 1; at < good.size() - 1; at += 7) {
    std::string bad = good;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(fault_of_text(bad), TokenFault::signature) << at;
  }
  EXPECT_EQ(fault_of_text(good + "."), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(good + "="), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(good + "A"), TokenFault::signature);
  EXPECT_EQ(fault_of_text("." + good), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(" " + good), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(good + "\n"), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(""), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(".."), TokenFault::malformed);
  EXPECT_EQ(fault_of_text(std::string(kMaxTokenBytes, '.')), TokenFault::malformed);
}

TEST(OidcToken, Times) {
  const std::string payload = claims();
  EXPECT_EQ(fault_of(payload, kNow + 3600 + kSkewSeconds - 1), std::nullopt);
  EXPECT_EQ(fault_of(payload, kNow + 3600 + kSkewSeconds), TokenFault::expired);
  EXPECT_EQ(fault_of(payload, kNow - kSkewSeconds), std::nullopt);
  EXPECT_EQ(fault_of(payload, kNow - kSkewSeconds - 1), TokenFault::not_yet);
  const std::string later = claims(R"(,"nbf":1700000100)");
  EXPECT_EQ(fault_of(later, kNow + 39), TokenFault::not_yet);
  EXPECT_EQ(fault_of(later, kNow + 40), std::nullopt);
  const auto with_exp = [](const std::string& exp) {
    return R"({"iss":"i","sub":"s","aud":"a","iat":1700000000,"exp":)" + exp + "}";
  };
  EXPECT_EQ(fault_of(with_exp("1700003600.999")), std::nullopt);
  for (const char* bad : {R"("1700003600")", "-1", "1e99", "17000036000000", "99999999999999999999",
                          "null", "true", "[1700003600]", "{}", "1700003600.5e3"}) {
    EXPECT_EQ(fault_of(with_exp(bad)), TokenFault::malformed) << bad;
  }
}

TEST(OidcToken, WhatItMustSay) {
  const std::vector<std::pair<std::string, std::string>> all{{"iss", R"("i")"},
                                                             {"sub", R"("s")"},
                                                             {"aud", R"("a")"},
                                                             {"iat", "1700000000"},
                                                             {"exp", "1700003600"}};
  const auto build = [&](const std::string& left_out, const std::string& instead) {
    std::string out;
    for (const auto& [name, value] : all) {
      const std::string& said = name == left_out ? instead : value;
      out += said.empty() ? "" : (out.empty() ? "{\"" : ",\"") + name + "\":" + said;
    }
    return out + "}";
  };
  EXPECT_EQ(fault_of(build("", "")), std::nullopt);
  for (const auto& [name, value] : all) {
    EXPECT_EQ(fault_of(build(name, "")), TokenFault::malformed) << name;
    EXPECT_EQ(fault_of(build(name, "null")), TokenFault::malformed) << name;
    EXPECT_EQ(fault_of(build(name, R"({"a":1})")), TokenFault::malformed) << name;
    // Which of two would count is anybody's guess.
    EXPECT_EQ(fault_of(build(name, value + ",\"" + name + "\":" + value)), TokenFault::malformed)
        << name;
  }
  EXPECT_EQ(fault_of(build("sub", R"("")")), TokenFault::malformed);
  EXPECT_EQ(fault_of(build("sub", '"' + std::string(kMaxSubject, 'a') + '"')), std::nullopt);
  EXPECT_EQ(fault_of(build("sub", '"' + std::string(kMaxSubject + 1, 'a') + '"')),
            TokenFault::malformed);
  EXPECT_EQ(fault_of(build("aud", "[]")), TokenFault::malformed);
  EXPECT_EQ(fault_of(build("aud", R"(["a",7])")), TokenFault::malformed);
  EXPECT_EQ(fault_of("[]"), TokenFault::malformed);
  EXPECT_EQ(fault_of(""), TokenFault::malformed);
  EXPECT_EQ(fault_of_header(R"({"alg":"ES256","alg":"ES256","kid":"k1"})"), TokenFault::malformed);
}

TEST(OidcToken, AtMostSoLong) {
  const auto token_of = [](std::size_t padding) {
    return signer().token(claims(R"(,"p":")" + std::string(padding, 'a') + '"'), "ES256");
  };
  std::size_t padding = 14'000;
  while (token_of(padding + 1).size() <= kMaxTokenBytes) {
    ++padding;
    padding += token_of(padding + 100).size() <= kMaxTokenBytes ? 99 : 0;
  }
  EXPECT_EQ(fault_of_text(token_of(padding)), std::nullopt);
  EXPECT_EQ(fault_of_text(token_of(padding + 1)), TokenFault::malformed);
}

}  // namespace
}  // namespace outcrop::oidc
