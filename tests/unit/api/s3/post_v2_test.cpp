// Uploads from browsers' forms that are signed with Signature Version 2.
#include "auth/authenticator.h"
#include "auth/crypto.h"
#include "storage/digest/text.h"
#include "tests/unit/api/s3/post_fixture.h"

namespace outcrop::s3::test {
namespace {

constexpr std::string_view kSse = "x-amz-server-side-encryption";

std::string sign(const std::string& policy) {
  const auto mac = auth::hmac_sha1(kSecret, policy);
  return digest::to_base64(std::as_bytes(std::span(mac)));
}

class PostV2 : public PostTest {
 protected:
  /// Key, policy and signature; `conditions` beside the bucket's and the key's.
  static Fields signed_fields(Fields fields,
                              const std::string& conditions = "",
                              const std::string& expiration = "2026-11-22T00:00:00Z") {
    const std::string policy =
        base64(R"({"expiration":")" + expiration + R"(","conditions":[{"bucket":"bucket"})" +
               kAnyKey + conditions + "]}");
    fields.insert(fields.end(), {{"key", "k"},
                                 {"AWSAccessKeyId", "ROOT"},
                                 {"policy", policy},
                                 {"signature", sign(policy)}});
    return fields;
  }
  Reply post_signed(Fields fields = {},
                    const std::string& conditions = "",
                    const std::string& file = "v") {
    return post(form(signed_fields(std::move(fields), conditions), file));
  }
  /// With one field changed, or left out.
  std::string with(std::string_view name, const std::optional<std::string>& value) {
    Fields fields = signed_fields({});
    const auto at = std::ranges::find(fields, name, &Fields::value_type::first);
    if (value) {
      at->second = *value;
    } else {
      fields.erase(at);
    }
    return code(post(form(fields, "v")));
  }
  void bucket_policy(const std::string& statement) {
    const std::string text = R"({"Version":"2012-10-17","Statement":)" + statement + "}";
    ASSERT_EQ(send("PUT", "/bucket?policy", {}, {text}).status, 204);
  }
};

TEST_F(PostV2, ASignedForm) {
  const Reply reply = post_signed({}, "", "payload");
  EXPECT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(reply.header("etag"), "\"321c3cf486ed509164edec1e1981fec8\"");
  EXPECT_EQ(get("k").body, "payload");
}

TEST_F(PostV2, Refusals) {
  EXPECT_EQ(with("signature", sign("another policy")), "SignatureDoesNotMatch");
  EXPECT_EQ(with("signature", ""), "SignatureDoesNotMatch");
  EXPECT_EQ(with("signature", std::string(40, '0')), "SignatureDoesNotMatch");
  EXPECT_EQ(with("AWSAccessKeyId", "NOBODY"), "InvalidAccessKeyId");
  EXPECT_EQ(with("AWSAccessKeyId", ""), "InvalidAccessKeyId");
  EXPECT_EQ(with("policy", base64("{}")), "SignatureDoesNotMatch");
  for (const char* name : {"AWSAccessKeyId", "policy", "signature"}) {
    EXPECT_EQ(with(name, std::nullopt), "InvalidArgument") << name;
  }
  const auto until = [&](const std::string& expiration) {
    return code(post(form(signed_fields({}, "", expiration), "v")));
  };
  EXPECT_EQ(until("2026-11-21T23:19:35Z"), "AccessDenied");
  EXPECT_EQ(until("tomorrow"), "InvalidPolicyDocument");
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(PostV2, AFormHasOneSignature) {
  for (const char* name :
       {"x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-date"}) {
    const std::string condition = std::string(R"(,["starts-with","$)") + name + R"(",""])";
    EXPECT_EQ(code(post_signed({{name, "x"}}, condition)), "InvalidArgument") << name;
  }
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(PostV2, OnlyWhatHasAConditionCounts) {
  EXPECT_EQ(code(post_signed({{"acl", "private"}})), "AccessDenied");
  EXPECT_EQ(post_signed({{"acl", "private"}}, R"(,{"acl":"private"})").status, 204);
  EXPECT_EQ(post_signed({{"x-ignore-this", "1"}}).status, 204);
  EXPECT_EQ(code(post_signed({}, R"(,["content-length-range",0,1])", "ab")), "EntityTooLarge");
  const Reply sealed =
      post_signed({{std::string(kSse), "AES256"}}, R"(,{"x-amz-server-side-encryption":"AES256"})");
  EXPECT_EQ(sealed.header(std::string(kSse)), "AES256");
}

// A token in the form is what makes a session of its key; it needs a condition as any field does.
TEST_F(PostV2, SessionsBringTheirToken) {
  const auto as = [&](const std::string& key, const std::optional<std::string>& token,
                      const std::string& condition) {
    Fields fields = signed_fields({}, condition);
    std::ranges::find(fields, "AWSAccessKeyId", &Fields::value_type::first)->second = key;
    if (token) {
      fields.emplace_back("x-amz-security-token", *token);
    }
    const Reply reply = post(form(fields, "v"));
    return reply.status == 204 ? "ok" : code(reply);
  };
  const std::string any = R"(,["starts-with","$x-amz-security-token",""])";
  EXPECT_EQ(as("SESSION", "token", any), "ok");
  EXPECT_EQ(as("SESSION", "token", ""), "AccessDenied");
  EXPECT_EQ(as("SESSION", std::nullopt, any), "InvalidAccessKeyId");
  EXPECT_EQ(as("SESSION", "other", any), "InvalidToken");
  EXPECT_EQ(as("SESSION", "token-over", any), "ExpiredToken");
  EXPECT_EQ(as("ROOT", "token", any), "InvalidToken");
}

TEST_F(PostV2, PoliciesKnowTheVersion) {
  const auto denied = [&](const std::string& condition) {
    bucket_policy(R"({"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
                      "Resource":"arn:aws:s3:::bucket/*","Condition":)" +
                  condition + "}");
    return post_signed().status == 403;
  };
  EXPECT_TRUE(denied(R"({"StringEquals":{"s3:signatureversion":"AWS"}})"));
  EXPECT_FALSE(denied(R"({"StringEquals":{"s3:signatureversion":"AWS4-HMAC-SHA256"}})"));
  EXPECT_TRUE(denied(R"({"StringEquals":{"s3:authType":"POST"}})"));
  EXPECT_TRUE(denied(R"({"Null":{"s3:signatureAge":"true"}})")) << "there is no date in it";
}

TEST_F(PostV2, IsTakenOnlyWhereItIsSetUp) {
  auth::AuthConfig setup;
  const auto posts = [&] {
    const auth::Authenticator authenticator(keys, clock, setup);
    config.authenticate_post = [&](const auth::PostSignature& f) {
      return authenticator.authenticate_post(f);
    };
    handler = new_handler();
    const Reply reply = post_signed();
    return reply.status == 204 ? "ok" : code(reply);
  };
  EXPECT_EQ(posts(), "InvalidRequest");
  setup.signature_v2_forms = true;
  EXPECT_EQ(posts(), "ok");
}

}  // namespace
}  // namespace outcrop::s3::test
