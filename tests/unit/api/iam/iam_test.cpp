// IAM and STS over the wire: signatures of forms, every action, permissions, errors, pages.
#include <gtest/gtest.h>

#include "api/iam/form.h"
#include "api/iam/handler.h"
#include "api/iam/table.h"
#include "auth/crypto.h"
#include "auth/uri.h"
#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"
#include "tests/unit/auth/support.h"

namespace outcrop::iam {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

const std::string kAllowAll =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
const std::string kTrust =
    R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";

class TextBody final : public http::BodyReader {
 public:
  explicit TextBody(std::string text) : x_text(std::move(text)) {}
  Task<std::size_t> read_some(MutBytes out) override {
    const std::size_t n = std::min(out.size(), x_text.size() - x_read);
    std::ranges::copy(as_bytes(x_text).subspan(x_read, n), out.begin());
    x_read += n;
    co_return n;
  }
  std::optional<std::uint64_t> content_length() const override { return x_text.size(); }

 private:
  std::string x_text;
  std::size_t x_read = 0;
};

struct Reply {
  int status = 0;
  std::string body;
};

std::string text(const std::string& xml, const std::string& tag) {
  const std::size_t at = xml.find("<" + tag + ">");
  const std::size_t from = at + tag.size() + 2;
  return at == std::string::npos ? "(none)"
                                 : xml.substr(from, xml.find("</" + tag + ">", at) - from);
}
std::size_t count(const std::string& xml, const std::string& part) {
  std::size_t n = 0;
  for (auto at = xml.find(part); at != std::string::npos; at = xml.find(part, at + 1)) {
    ++n;
  }
  return n;
}

struct Signer {
  std::string access_key = "ROOT", secret = "root-secret-key";
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
                        bool header = false) {
    http::Request out = auth::test::make_request(
        "POST", "/", {{"host", "box:9000"}, {"content-type", "application/x-www-form-urlencoded"}});
    out.headers.push_back({"x-amz-date", std::string(auth::test::kDocStamp)});
    auth::test::SignOptions options;
    options.payload = auth::to_hex(auth::sha256(body));
    if (header) {
      out.headers.push_back({"x-amz-content-sha256", options.payload});
    }
    options.scope = "20130524/us-east-1/" + service + "/aws4_request";
    options.access_key = who.access_key;
    options.secret = who.secret;
    auth::test::sign_by_header(out, options);
    out.id = "0123456789ABCDEF";
    return out;
  }
  Reply serve(http::Request& what, const std::string& body) {
    TextBody reader(body);
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

  test::MemMetaStore meta;
  auth::test::FixedClock clock;
  SeededRandom random{1};
  std::unique_ptr<identity::IdentityStore> store;
  http::Handler handler;
};

TEST_F(Iam, CallerIdentity) {
  const Reply root = send("GetCallerIdentity", {}, {}, "sts");
  EXPECT_EQ(root.status, 200) << root.body;
  EXPECT_EQ(text(root.body, "Arn"), "arn:aws:iam::000000000000:root");
  const Reply alice = send("GetCallerIdentity", {}, new_user("alice"), "sts");
  EXPECT_EQ(text(alice.body, "Arn"), "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(text(alice.body, "Account"), "000000000000");
  EXPECT_EQ(send("GetCallerIdentity").status, 501);  // not an action of IAM
}

TEST_F(Iam, SignaturesOfForms) {
  const std::string body = encode({{"Action", "ListUsers"}});
  http::Request good = request(body, "iam", {});
  EXPECT_EQ(serve(good, body).status, 200);
  http::Request with_header = request(body, "iam", {}, true);
  EXPECT_EQ(serve(with_header, body).status, 200);
  http::Request other_body = request(body, "iam", {});
  EXPECT_EQ(text(serve(other_body, body + "&MaxItems=1").body, "Code"), "SignatureDoesNotMatch");
  http::Request other_header = request(body, "iam", {}, true);
  EXPECT_EQ(text(serve(other_header, body + "&MaxItems=1").body, "Code"), "IncompleteSignature");
  http::Request wrong_secret = request(body, "iam", {"ROOT", "another-secret"});
  EXPECT_EQ(text(serve(wrong_secret, body).body, "Code"), "SignatureDoesNotMatch");
  http::Request nobody = request(body, "iam", {"NOBODY", "root-secret-key"});
  EXPECT_EQ(text(serve(nobody, body).body, "Code"), "InvalidClientTokenId");
  http::Request late = request(body, "iam", {});
  clock.set(auth::test::kDocTime + 901);
  EXPECT_EQ(serve(late, body).status, 403);
  clock.set(auth::test::kDocTime);
  http::Request tokened = request(body, "iam", {});
  auth::test::set_header(tokened, "x-amz-security-token", "x");
  EXPECT_EQ(serve(tokened, body).status, 403);
  // What is signed for S3 is not for here, and the other way round.
  EXPECT_FALSE(is_for_iam(request(body, "s3", {})));
  EXPECT_FALSE(is_for_iam(auth::test::make_request("POST", "/", {})));
  http::Request get = request(body, "iam", {});
  get.method = "GET";
  EXPECT_FALSE(is_for_iam(get));
  get.method = "POST";
  get.target = "/bucket";
  EXPECT_FALSE(is_for_iam(get));
}

TEST_F(Iam, ABodyThatIsTooLongIsRefusedBeforeItIsRead) {
  const std::string body(kMaxFormBytes + 1, 'a');
  http::Request large = request(body, "iam", {});
  EXPECT_EQ(serve(large, body).status, 413);
}

// CVE-2020-11012 and CVE-2026-72920: administration only with a signature and a permission.
TEST_F(Iam, CVE_2020_11012_EveryActionNeedsItsPermission) {
  const Signer nobody = new_user("nobody");
  for (const Action& action : actions()) {
    const Reply reply = send(std::string(action.name), {{"UserName", "nobody"}}, nobody,
                             std::string(action.service));
    if (action.permission.empty()) {
      EXPECT_EQ(reply.status, 200) << action.name;
      continue;
    }
    EXPECT_TRUE(policy::find_action(action.permission)) << action.name;
    EXPECT_EQ(reply.status, 403) << action.name << reply.body;
    EXPECT_EQ(text(reply.body, "Code"), "AccessDenied") << action.name;
  }
  EXPECT_EQ(text(send("ListUsers").body, "UserName"), "nobody");
}

TEST_F(Iam, PermissionsAreAboutAResource) {
  const Signer keeper = new_user("keeper", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":["iam:*AccessKey*","iam:GetUser"],"Resource":"arn:aws:iam::*:user/${aws:username}"}})");
  new_user("alice");
  EXPECT_EQ(send("ListAccessKeys", {}, keeper).status, 200);
  EXPECT_EQ(send("GetUser", {{"UserName", "keeper"}}, keeper).status, 200);
  EXPECT_EQ(failure("ListAccessKeys", {{"UserName", "alice"}}, keeper), "AccessDenied");
  EXPECT_EQ(failure("CreateAccessKey", {{"UserName", "alice"}}, keeper), "AccessDenied");
  EXPECT_EQ(
      failure("PutUserPolicy",
              {{"UserName", "keeper"}, {"PolicyName", "q"}, {"PolicyDocument", kAllowAll}}, keeper),
      "AccessDenied");
}

TEST_F(Iam, UsersAndKeys) {
  const Reply made = send("CreateUser", {{"UserName", "alice"}, {"Path", "/dev/"}});
  EXPECT_EQ(text(made.body, "Arn"), "arn:aws:iam::000000000000:user/dev/alice");
  EXPECT_EQ(text(made.body, "CreateDate"), "2013-05-24T00:00:00Z");
  EXPECT_EQ(text(send("GetUser", {{"UserName", "alice"}}).body, "UserId"),
            text(made.body, "UserId"));
  EXPECT_EQ(text(send("GetUser").body, "Arn"), "arn:aws:iam::000000000000:root");
  EXPECT_EQ(failure("CreateUser", {{"UserName", "alice"}}), "EntityAlreadyExists");
  EXPECT_EQ(failure("CreateUser", {}), "ValidationError");
  EXPECT_EQ(failure("GetUser", {{"UserName", "bob"}}), "NoSuchEntity");
  const Reply key = send("CreateAccessKey", {{"UserName", "alice"}});
  const Signer alice{text(key.body, "AccessKeyId"), text(key.body, "SecretAccessKey")};
  EXPECT_EQ(text(send("ListAccessKeys", {{"UserName", "alice"}}).body, "AccessKeyId"),
            alice.access_key);
  EXPECT_EQ(send("ListAccessKeys", {{"UserName", "alice"}}).body.find("Secret"), std::string::npos);
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Inactive"}});
  EXPECT_EQ(failure("GetCallerIdentity", {}, alice), "InvalidClientTokenId");
  EXPECT_EQ(failure("UpdateAccessKey",
                    {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Off"}}),
            "ValidationError");
  EXPECT_EQ(failure("DeleteUser", {{"UserName", "alice"}}), "DeleteConflict");
  works("DeleteAccessKey", {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}});
  works("DeleteUser", {{"UserName", "alice"}});
  EXPECT_EQ(failure("CreateAccessKey", {}), "ValidationError");  // the root user has one
}

TEST_F(Iam, GroupsAndPolicies) {
  new_user("alice");
  works("CreateGroup", {{"GroupName", "g"}});
  works("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  EXPECT_EQ(text(send("GetGroup", {{"GroupName", "g"}}).body, "UserName"), "alice");
  EXPECT_EQ(text(send("ListGroupsForUser", {{"UserName", "alice"}}).body, "GroupName"), "g");
  const Reply made = send(
      "CreatePolicy", {{"PolicyName", "m"}, {"Description", "d"}, {"PolicyDocument", kAllowAll}});
  const std::string arn = text(made.body, "Arn");
  EXPECT_EQ(arn, "arn:aws:iam::000000000000:policy/m");
  for (const auto& [kind, name] : Parameters{{"User", "alice"}, {"Group", "g"}}) {
    const std::pair<std::string, std::string> who{kind + "Name", name};
    works("Attach" + kind + "Policy", {who, {"PolicyArn", arn}});
    EXPECT_EQ(text(send("ListAttached" + kind + "Policies", {who}).body, "PolicyArn"), arn);
    works("Put" + kind + "Policy", {who, {"PolicyName", "own"}, {"PolicyDocument", kAllowAll}});
    EXPECT_NE(send("List" + kind + "Policies", {who}).body.find("<member>own</member>"),
              std::string::npos);
    const Reply shown = send("Get" + kind + "Policy", {who, {"PolicyName", "own"}});
    EXPECT_EQ(text(shown.body, "PolicyDocument").substr(0, 13), "%7B%22Version");
    EXPECT_EQ(failure("Get" + kind + "Policy", {who, {"PolicyName", "none"}}), "NoSuchEntity");
    EXPECT_EQ(
        failure("Put" + kind + "Policy", {who, {"PolicyName", "x"}, {"PolicyDocument", "{}"}}),
        "MalformedPolicyDocument");
  }
  EXPECT_EQ(text(send("GetPolicy", {{"PolicyArn", arn}}).body, "AttachmentCount"), "2");
  EXPECT_EQ(failure("DeletePolicy", {{"PolicyArn", arn}}), "DeleteConflict");
  EXPECT_EQ(text(send("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}}).body,
                 "IsDefaultVersion"),
            "true");
  EXPECT_EQ(failure("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v2"}}), "NoSuchEntity");
  EXPECT_EQ(count(send("ListPolicies", {{"Scope", "Local"}}).body, "<PolicyName>"), 1U);
  EXPECT_EQ(count(send("ListPolicies", {{"Scope", "AWS"}}).body, "<PolicyName>"), 0U);
  for (const auto& [kind, name] : Parameters{{"User", "alice"}, {"Group", "g"}}) {
    const std::pair<std::string, std::string> who{kind + "Name", name};
    works("Detach" + kind + "Policy", {who, {"PolicyArn", arn}});
    works("Delete" + kind + "Policy", {who, {"PolicyName", "own"}});
  }
  works("DeletePolicy", {{"PolicyArn", arn}});
  works("RemoveUserFromGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  works("DeleteGroup", {{"GroupName", "g"}});
}

TEST_F(Iam, Roles) {
  works("CreateRole",
        {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}, {"Description", "d"}});
  EXPECT_EQ(text(send("GetRole", {{"RoleName", "r"}}).body, "Description"), "d");
  works("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", kTrust}});
  works("PutRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}, {"PolicyDocument", kAllowAll}});
  works("DeleteRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}});
  EXPECT_EQ(count(send("ListRoles").body, "<RoleName>"), 1U);
  works("DeleteRole", {{"RoleName", "r"}});
}

TEST_F(Iam, Pages) {
  for (int i = 0; i < 25; ++i) {
    works("CreateUser", {{"UserName", "u" + std::to_string(100 + i)}});
  }
  std::string marker;
  std::size_t seen = 0, pages = 0;
  for (bool more = true; more; ++pages) {
    Parameters parameters{{"MaxItems", "10"}};
    if (!marker.empty()) {
      parameters.push_back({"Marker", marker});
    }
    const Reply reply = send("ListUsers", parameters);
    seen += count(reply.body, "<UserName>");
    more = text(reply.body, "IsTruncated") == "true";
    marker = text(reply.body, "Marker");
  }
  EXPECT_EQ(seen, 25U);
  EXPECT_EQ(pages, 3U);
  for (const char* bad : {"0", "1001", "x", "-1"}) {
    EXPECT_EQ(failure("ListUsers", {{"MaxItems", bad}}), "ValidationError") << bad;
  }
}

TEST_F(Iam, WhatIsNotThereSaysSo) {
  EXPECT_EQ(failure("CreateSAMLProvider", {}), "NotImplemented");
  EXPECT_EQ(failure("", {}), "NotImplemented");
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(failure("CreateUser", {{"UserName", "alice"}}), "ServiceUnavailable");
}

TEST(IamForm, Parsing) {
  const auto form = Form::parse("a=1&b=x+y%2Bz&&c&d=");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->get("b"), "x y+z");
  EXPECT_EQ(form->find("c"), "");
  EXPECT_FALSE(form->find("e"));
  for (const char* bad : {"a=1&a=2", "a=%", "a=%zz", "a=%ff", "a=%00", "%zz=1"}) {
    EXPECT_FALSE(Form::parse(bad)) << bad;
  }
  std::string many;
  for (std::size_t i = 0; i < kMaxParameters; ++i) {
    many += "p" + std::to_string(i) + "=1&";
  }
  EXPECT_TRUE(Form::parse(many));
  EXPECT_FALSE(Form::parse(many + "more=1"));
}

}  // namespace
}  // namespace outcrop::iam
