// IAM and STS requests through the whole handler: forms, signed, on a store in memory.
#pragma once
#include <gtest/gtest.h>

#include "api/iam/handler.h"
#include "api/iam/table.h"
#include "auth/crypto.h"
#include "auth/uri.h"
#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"
#include "tests/unit/auth/support.h"

namespace outcrop::iam::test {

using Parameters = std::vector<std::pair<std::string, std::string>>;

inline const std::string kAllowAll =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
inline const std::string kTrust =
    R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";

class TextBody final : public http::BodyReader {
 public:
  explicit TextBody(std::string text, bool length_known = true)
      : x_text(std::move(text)), x_length_known(length_known) {}
  Task<std::size_t> read_some(MutBytes out) override {
    const std::size_t n = std::min(out.size(), x_text.size() - x_read);
    std::ranges::copy(as_bytes(x_text).subspan(x_read, n), out.begin());
    x_read += n;
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override {
    return x_length_known ? std::optional<std::uint64_t>(x_text.size()) : std::nullopt;
  }
  std::size_t bytes_read() const { return x_read; }

 private:
  std::string x_text;
  bool x_length_known;
  std::size_t x_read = 0;
};

struct Reply {
  int status = 0;
  std::string body;
};

inline std::string text(const std::string& xml, const std::string& tag) {
  const std::size_t at = xml.find("<" + tag + ">");
  const std::size_t from = at + tag.size() + 2;
  return at == std::string::npos ? "(none)"
                                 : xml.substr(from, xml.find("</" + tag + ">", at) - from);
}
inline std::size_t count(const std::string& xml, const std::string& part) {
  std::size_t n = 0;
  for (auto at = xml.find(part); at != std::string::npos; at = xml.find(part, at + 1)) {
    ++n;
  }
  return n;
}

struct Signer {
  std::string access_key = "ROOT", secret = "root-secret-key", token = {};
};

class Iam : public ::testing::Test {
 protected:
  Iam() : clock(auth::test::kDocTime) {
    store = run_sync(identity::IdentityStore::open({meta, clock, random}, {},
                                                   {"ROOT", "root-secret-key", true, {}}))
                .value();
    handler = make_handler({.store = *store, .clock = clock});
  }

  static std::string encode(const Parameters& parameters) {
    std::string body;
    for (const auto& [name, value] : parameters) {
      body += (body.empty() ? "" : "&") + name + "=";
      auth::uri_encode(value, auth::Slash::encode, body);
    }
    return body;
  }
  http::Request request(const std::string& body,
                        const std::string& service,
                        const Signer& who,
                        bool header = false,
                        const std::string& region = "us-east-1") {
    http::Request out = auth::test::make_request(
        "POST", "/", {{"host", "box:9000"}, {"content-type", "application/x-www-form-urlencoded"}});
    out.headers.push_back({"x-amz-date", std::string(auth::test::kDocStamp)});
    if (!who.token.empty()) {
      out.headers.push_back({"x-amz-security-token", who.token});
    }
    auth::test::SignOptions options;
    options.payload = auth::to_hex(auth::sha256(body));
    if (header) {
      out.headers.push_back({"x-amz-content-sha256", options.payload});
    }
    options.scope = "20130524/" + region + "/" + service + "/aws4_request";
    options.access_key = who.access_key;
    options.secret = who.secret;
    auth::test::sign_by_header(out, options);
    out.id = "0123456789ABCDEF";
    return out;
  }
  Reply serve(http::Request& what, const std::string& body) {
    TextBody reader(body);
    return serve(what, reader);
  }
  Reply serve(http::Request& what, TextBody& reader) {
    what.body = &reader;
    const auto run = [](const http::Handler& h, http::Request& r) -> Task<Reply> {
      const http::Response response = co_await h(r);
      co_return Reply{response.status, std::get<std::string>(response.body)};
    };
    return run_sync(run(handler, what)).value();
  }
  Reply send(const std::string& action,
             Parameters parameters = {},
             const Signer& who = {},
             const std::string& service = "iam") {
    parameters.insert(parameters.begin(), {"Action", action});
    parameters.push_back({"Version", "2010-05-08"});
    const std::string body = encode(parameters);
    http::Request what = request(body, service, who);
    EXPECT_TRUE(is_for_iam(what));
    return serve(what, body);
  }
  void works(const std::string& action, const Parameters& parameters) {
    const Reply reply = send(action, parameters);
    EXPECT_EQ(reply.status, 200) << action << "\n" << reply.body;
    EXPECT_NE(reply.body.find("<" + action +
                              "Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"),
              std::string::npos)
        << reply.body;
    EXPECT_EQ(text(reply.body, "RequestId"), "0123456789ABCDEF");
  }
  std::string failure(const std::string& action,
                      const Parameters& parameters,
                      const Signer& who = {}) {
    const Reply reply = send(action, parameters, who);
    EXPECT_GE(reply.status, 400) << reply.body;
    return text(reply.body, "Code");
  }
  Signer new_user(const std::string& name, const std::string& policy = "") {
    works("CreateUser", {{"UserName", name}});
    if (!policy.empty()) {
      works("PutUserPolicy", {{"UserName", name}, {"PolicyName", "p"}, {"PolicyDocument", policy}});
    }
    const Reply reply = send("CreateAccessKey", {{"UserName", name}});
    return {text(reply.body, "AccessKeyId"), text(reply.body, "SecretAccessKey")};
  }
  static Signer credentials_of(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    return {text(reply.body, "AccessKeyId"), text(reply.body, "SecretAccessKey"),
            text(reply.body, "SessionToken")};
  }
  Reply sts(const std::string& action, const Parameters& parameters, const Signer& who) {
    return send(action, parameters, who, "sts");
  }
  std::string arn_of(const Signer& who) {
    return text(sts("GetCallerIdentity", {}, who).body, "Arn");
  }
  void new_role(const std::string& name, const std::string& principal, const std::string& policy) {
    works("CreateRole",
          {{"RoleName", name},
           {"AssumeRolePolicyDocument",
            R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + principal +
                "}}"}});
    works("PutRolePolicy", {{"RoleName", name}, {"PolicyName", "p"}, {"PolicyDocument", policy}});
  }
  Reply assume(const std::string& role, const Signer& who, Parameters more = {}) {
    more.push_back({"RoleArn", "arn:aws:iam::000000000000:role/" + role});
    more.push_back({"RoleSessionName", "work"});
    return sts("AssumeRole", more, who);
  }

  outcrop::test::MemMetaStore meta;
  auth::test::FixedClock clock;
  SeededRandom random{1};
  std::unique_ptr<identity::IdentityStore> store;
  http::Handler handler;
};

}  // namespace outcrop::iam::test
