// Managed policies: versions of one's own, and those of AWS.
#include "auth/identity/record.h"
#include "tests/unit/auth/identity/identity_fixture.h"

namespace outcrop::identity::test {
namespace {

const std::string kArn = "arn:aws:iam::000000000000:policy/m";
const std::string kAws = "arn:aws:iam::aws:policy/";
const std::string kDeny =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}})";

class Managed : public Identities {
 protected:
  ManagedPtr policy() { return store->state()->find_policy_arn(kArn); }
  Checked<PolicyVersion> version(const std::string& text, bool as_default) {
    return run(store->create_policy_version(kArn, text, as_default));
  }
};

TEST_F(Managed, VersionsAndTheOneThatCounts) {
  ASSERT_TRUE(works(store->create_policy("m", "/", "", kAllowAll)));
  ASSERT_TRUE(works(user("alice")));
  ASSERT_TRUE(works(store->attach(EntityKind::user, "alice", kArn)));
  const std::string id = (*run(key("alice")))->id;
  const auto in_force = [&] { return who(id)->policies.front()->text; };
  EXPECT_EQ(version(kDeny, false)->number, 2U);
  EXPECT_EQ(in_force(), kAllowAll);
  ASSERT_TRUE(works(store->set_default_version(kArn, 2)));
  EXPECT_EQ(in_force(), kDeny);
  EXPECT_EQ(version(kAllowAll, true)->number, 3U);
  EXPECT_EQ(in_force(), kAllowAll);
  open();
  EXPECT_EQ(in_force(), kAllowAll);
  EXPECT_EQ(policy()->number, 3U);
  ASSERT_EQ(policy()->others.size(), 2U);
  EXPECT_EQ(policy()->others[0].text, kAllowAll);
  EXPECT_EQ(policy()->others[1].text, kDeny);
  EXPECT_EQ(failure(store->remove_policy_version(kArn, 3)), IamCode::delete_conflict);
  EXPECT_EQ(failure(store->remove_policy_version(kArn, 4)), IamCode::no_such_entity);
  EXPECT_EQ(failure(store->set_default_version(kArn, 4)), IamCode::no_such_entity);
  ASSERT_TRUE(works(store->detach(EntityKind::user, "alice", kArn)));
  EXPECT_EQ(failure(store->remove_policy(kArn)), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->remove_policy_version(kArn, 1)));
  ASSERT_TRUE(works(store->remove_policy_version(kArn, 2)));
  open();
  EXPECT_EQ(version(kDeny, false)->number, 4U) << "numbers are not used again";
  ASSERT_TRUE(works(store->remove_policy_version(kArn, 4)));
  EXPECT_TRUE(works(store->remove_policy(kArn)));
}

TEST_F(Managed, FiveVersionsAndNoMore) {
  ASSERT_TRUE(works(store->create_policy("m", "/", "", kAllowAll)));
  for (std::size_t n = 2; n <= kMaxPolicyVersions; ++n) {
    ASSERT_TRUE(version(kDeny, n % 2 == 0));
  }
  EXPECT_EQ(version(kDeny, true).error().code, IamCode::limit_exceeded);
  ASSERT_TRUE(works(store->remove_policy_version(kArn, 1)));
  EXPECT_EQ(version("{}", true).error().code, IamCode::malformed_policy);
  EXPECT_EQ(version(std::string(kMaxManagedBytes + 1, ' '), true).error().code,
            IamCode::limit_exceeded);
  EXPECT_TRUE(version(kDeny, true));
  open();
  EXPECT_EQ(policy()->others.size(), kMaxPolicyVersions - 1);
}

TEST_F(Managed, RecordsOfVersions) {
  ManagedPolicy p{.name = "m",
                  .id = "ANPA",
                  .description = "d",
                  .created_ns = 7,
                  .document = make_policy("m", kAllowAll),
                  .version_ns = 7};
  const std::string key = managed_key("m");
  EXPECT_EQ(encode(p)[0], 1) << "what earlier versions of the server read";
  State one;
  ASSERT_TRUE(load_record(key, encode(p), kKey, one));
  EXPECT_EQ(one.find_policy("m")->version_ns, 7);
  p.number = 3;
  p.last = 4;
  p.version_ns = 9;
  p.others = {{2, 8, kDeny}, {4, 10, kAllowAll}};
  const std::string value = encode(p);
  EXPECT_EQ(value[0], 2);
  State state;
  ASSERT_TRUE(load_record(key, value, kKey, state));
  EXPECT_EQ(encode(*state.find_policy("m")), value);
  EXPECT_EQ(state.find_policy("m")->updated_ns(), 10);
  State none;
  for (std::size_t n = 0; n < value.size(); ++n) {
    EXPECT_FALSE(load_record(key, value.substr(0, n), kKey, none)) << n;
  }
  const auto refused = [&](auto change) {
    ManagedPolicy bad = p;
    change(bad);
    return !load_record(key, encode(bad), kKey, none);
  };
  EXPECT_TRUE(refused([](ManagedPolicy& b) { b.number = 0; }));
  EXPECT_TRUE(refused([](ManagedPolicy& b) { b.number = 2; }));
  EXPECT_TRUE(refused([](ManagedPolicy& b) { b.number = 5; }));
  EXPECT_TRUE(refused([](ManagedPolicy& b) { b.last = 3; }));
  EXPECT_TRUE(refused([](ManagedPolicy& b) { std::swap(b.others[0], b.others[1]); }));
  EXPECT_TRUE(refused([](ManagedPolicy& b) { b.others.resize(kMaxPolicyVersions, {4, 1, "{}"}); }));
  EXPECT_TRUE(none.policies.empty());
}

TEST_F(Managed, ThoseOfAwsAreAttachedAndNotChanged) {
  const std::string arn = kAws + "AmazonS3ReadOnlyAccess";
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->attach(EntityKind::user, "alice", arn)));
  open();
  EXPECT_FALSE(who(id)->unreadable);
  ASSERT_EQ(who(id)->policies.size(), 1U);
  EXPECT_TRUE(who(id)->policies.front()->compiled);
  EXPECT_EQ(store->state()->attached_to(arn).size(), 1U);
  // A policy of one's own may have the name.
  ASSERT_TRUE(works(store->create_policy("AmazonS3ReadOnlyAccess", "/", "", kDeny)));
  EXPECT_NE(who(id)->policies.front()->text, kDeny);
  EXPECT_EQ(failure(store->remove_policy(arn)), IamCode::access_denied);
  EXPECT_EQ(failure(store->create_policy_version(arn, kAllowAll, true)), IamCode::access_denied);
  EXPECT_EQ(failure(store->set_default_version(arn, 1)), IamCode::access_denied);
  EXPECT_EQ(failure(store->remove_policy_version(arn, 2)), IamCode::access_denied);
  EXPECT_EQ(failure(store->attach(EntityKind::user, "alice", kAws + "AmazonEC2FullAccess")),
            IamCode::no_such_entity);
  EXPECT_EQ(failure(store->remove(EntityKind::user, "alice")), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->detach(EntityKind::user, "alice", arn)));
  EXPECT_TRUE(who(id)->policies.empty());
}

TEST_F(Managed, EachOfAwsIsAPolicyOfItsOwn) {
  std::set<std::string> ids;
  std::size_t n = 0;
  for (const ManagedPtr& p : store->state()->all_policies()) {
    ASSERT_TRUE(p->aws);
    EXPECT_EQ(store->state()->find_policy_arn(p->arn()), p);
    EXPECT_EQ(p->arn(), kAws + p->name);
    EXPECT_TRUE(p->document->compiled) << p->name;
    EXPECT_TRUE(p->document->compiled->unknown_actions().empty());
    EXPECT_TRUE(ids.insert(p->id).second);
    ++n;
  }
  EXPECT_GE(n, 8U);
}

}  // namespace
}  // namespace outcrop::identity::test
