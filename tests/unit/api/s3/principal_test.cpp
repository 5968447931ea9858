// Whom bucket policies name: kept by id, shown by ARN, whatever becomes of the name.
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

/// Users as they are at the moment; their names may change.
class Users final : public auth::Accounts {
 public:
  std::optional<auth::AccountName> find_canonical(std::string_view) const override { return {}; }
  std::optional<auth::AccountName> find_email(std::string_view) const override { return {}; }
  std::expected<std::string, std::string> with_ids(std::string_view policy) const override {
    return state.with_ids(policy);
  }
  std::string with_arns(std::string_view policy) const override { return state.with_arns(policy); }
  identity::State state;
};

const std::string kAlice = "arn:aws:iam::000000000000:user/alice";
const std::string kBob = "arn:aws:iam::000000000000:user/bob";
const std::string kId = "AIDAAAAAAAAAAAAAAAAA", kOtherId = "AIDABBBBBBBBBBBBBBBB";

std::string policy_for(const std::string& principal) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":")" +
         principal + R"("},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}})";
}

class Principals : public S3Test {
 protected:
  Principals() {
    config.accounts = &users;
    handler = new_handler();
  }
  /// That user and nobody else, who signs as "x".
  void only(const std::string& name, const std::string& id) {
    users.state = {};
    identity::Entity user;
    user.name = name;
    user.id = id;
    auto& all = users.state.entities[static_cast<std::size_t>(identity::EntityKind::user)];
    all.emplace(name, std::make_shared<const identity::Entity>(user));
    users.state.finish();
    callers["x"] = users.state.identity_of(user);
  }
  Reply set_policy(const std::string& text) { return send("PUT", "/bucket?policy", {}, {text}); }
  std::string shown() { return send("GET", "/bucket?policy").body; }
  int read() { return get("k", {{"x-test-user", "x"}}).status; }

  Users users;
};

TEST_F(Principals, MeanTheUserAndNotHisName) {
  ASSERT_EQ(put("k", "v").status, 200);
  only("alice", kId);
  ASSERT_EQ(set_policy(policy_for(kAlice)).status, 204);
  EXPECT_EQ(access->find("bucket")->policy_text, policy_for(kId));
  EXPECT_EQ(shown(), policy_for(kAlice));
  EXPECT_EQ(read(), 200);
  only("bob", kId);
  EXPECT_EQ(read(), 200);
  EXPECT_EQ(shown(), policy_for(kBob));
  only("alice", kOtherId);
  EXPECT_EQ(read(), 403);
  EXPECT_EQ(shown(), policy_for(kId)) << "of nobody any more";
}

TEST_F(Principals, IdsOfNobodyAreRefused) {
  only("alice", kId);
  EXPECT_EQ(set_policy(policy_for(kOtherId)).status, 400);
  ASSERT_EQ(set_policy(policy_for(kId)).status, 204);
  EXPECT_EQ(shown(), policy_for(kAlice));
}

TEST_F(Principals, WhoIsNotThereIsRefused) {
  only("bob", kId);
  for (const std::string& name : {kAlice, std::string("arn:aws:iam:::user/alice"),
                                  std::string("arn:aws:iam::000000000000:role/bob"),
                                  std::string("arn:aws:iam::123456789012:user/bob")}) {
    const Reply reply = set_policy(policy_for(name));
    EXPECT_EQ(reply.status, 400) << name;
    EXPECT_EQ(text(reply.body, "Code"), "MalformedPolicy");
    EXPECT_TRUE(reply.body.contains("Invalid principal in policy")) << reply.body;
  }
  only("alice", kId);
  ASSERT_EQ(set_policy(policy_for("arn:aws:iam:::user/alice")).status, 204);
  EXPECT_EQ(access->find("bucket")->policy_text, policy_for(kId));
  EXPECT_EQ(set_policy(policy_for("arn:aws:iam::000000000000:root")).status, 204);
}

// Earlier versions took names of nobody.
TEST_F(Principals, APolicyOfBeforeGoesByTheArn) {
  ASSERT_EQ(put("k", "v").status, 200);
  config.accounts = nullptr;
  handler = new_handler();
  ASSERT_EQ(set_policy(policy_for(kAlice)).status, 204);
  config.accounts = &users;
  handler = new_handler();
  EXPECT_EQ(shown(), policy_for(kAlice));
  only("alice", kId);
  EXPECT_EQ(read(), 200);
}

}  // namespace
}  // namespace outcrop::s3::test
