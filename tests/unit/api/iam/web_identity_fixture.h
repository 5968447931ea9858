// A server of IAM and STS that takes the tokens of one identity provider, and what it takes to ask
// it.
#pragma once
#include "tests/support/oidc_signer.h"
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {

using outcrop::test::OidcSigner;

inline const std::string kIssuer = "https://id.example.com/realms/edge";
inline const std::string kName = "id.example.com/realms/edge";
inline const std::string kProviderArn = "arn:aws:iam::000000000000:oidc-provider/" + kName;

class FakeKeys final : public oidc::KeySource {
 public:
  oidc::KeySetPtr keys(const std::string& issuer) override {
    asked.push_back(issuer);
    return set;
  }
  bool refresh(const std::string&) override { return std::exchange(may_refresh, false); }

  oidc::KeySetPtr set;
  bool may_refresh = false;
  std::vector<std::string> asked;
};

class WebIdentity : public Iam {
 protected:
  WebIdentity() {
    keys.set =
        std::make_shared<oidc::KeySet>(*oidc::KeySet::parse(OidcSigner::set_of(signer().jwk())));
    serve_anew();
  }
  static const OidcSigner& signer() {
    static const OidcSigner one(OidcSigner::Type::p256, "k1");
    return one;
  }
  void serve_anew() {
    store = run_sync(identity::IdentityStore::open({meta,
                                                    clock,
                                                    random,
                                                    {{.url = kIssuer,
                                                      .client_ids = {"box", "other"},
                                                      .thumbprints = {},
                                                      .configured = true}}},
                                                   {}, {"ROOT", "root-secret-key", true, {}}))
                .value();
    handler = make_handler({.store = *store, .clock = clock, .oidc = &keys});
  }
  static std::string claims(const std::string& more = R"(,"sub":"alice","aud":"box")",
                            const std::string& issuer = kIssuer) {
    const std::string now = std::to_string(auth::test::kDocTime);
    return R"({"iss":")" + issuer + R"(","iat":)" + now + R"(,"exp":)" +
           std::to_string(auth::test::kDocTime + 600) + more + "}";
  }
  static std::string token(const std::string& payload = claims()) {
    return signer().token(payload, "ES256");
  }
  void trusting_role(const std::string& name,
                     const std::string& condition = "",
                     const std::string& policy = kAllowAll,
                     const std::string& principal = kProviderArn) {
    works("CreateRole", {{"RoleName", name},
                         {"AssumeRolePolicyDocument",
                          R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
               "Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":")" +
                              principal + "\"}" +
                              (condition.empty() ? "" : R"(,"Condition":)" + condition) + "}}"}});
    works("PutRolePolicy", {{"RoleName", name}, {"PolicyName", "p"}, {"PolicyDocument", policy}});
  }
  static Parameters asking(const std::string& role, const std::string& text, Parameters more = {}) {
    more.insert(more.begin(), {{"Action", "AssumeRoleWithWebIdentity"},
                               {"Version", "2011-06-15"},
                               {"RoleArn", "arn:aws:iam::000000000000:role/" + role},
                               {"RoleSessionName", "work"},
                               {"WebIdentityToken", text}});
    return more;
  }
  /// As SDKs send it: a form that nobody has signed.
  Reply ask(const std::string& role, const std::string& text, Parameters more = {}) {
    const std::string body = encode(asking(role, text, std::move(more)));
    http::Request what = form();
    EXPECT_TRUE(is_for_iam(what));
    return serve(what, body);
  }
  static http::Request form() {
    return auth::test::make_request(
        "POST", "/",
        {{"host", "box:9000"},
         {"content-type", "application/x-www-form-urlencoded; charset=utf-8"}});
  }
  std::string refusal(const std::string& role, const std::string& text, Parameters more = {}) {
    const Reply reply = ask(role, text, std::move(more));
    EXPECT_GE(reply.status, 400) << reply.body;
    return outcrop::iam::test::text(reply.body, "Code");
  }

  FakeKeys keys;
};

inline std::string code(const Reply& reply) { return text(reply.body, "Code"); }

}  // namespace outcrop::iam::test
