// New names of users and groups: what follows, in one commit, and names in any case.
#include "auth/identity/record.h"
#include "tests/unit/auth/identity/identity_fixture.h"

namespace outcrop::identity::test {
namespace {

const std::string kAliceArn = "arn:aws:iam::000000000000:user/alice";

std::string trust_of(const std::string& principal) {
  return R"({"Statement":{"Effect":"Allow","Principal":{"AWS":")" + principal +
         R"("},"Action":"sts:AssumeRole"}})";
}

class Renames : public Identities {
 protected:
  /// A user with everything that a user can have.
  std::string new_alice() {
    EXPECT_TRUE(works(user("alice")));
    EXPECT_TRUE(works(group("staff")));
    EXPECT_TRUE(works(store->add_to_group("alice", "staff")));
    EXPECT_TRUE(works(store->put_inline(EntityKind::user, "alice", "own", kAllowAll)));
    const auto policy = run(store->create_policy("m", "/", "", kAllowAll));
    EXPECT_TRUE(works(store->attach(EntityKind::user, "alice", (*policy)->arn())));
    return (*run(key("alice")))->id;
  }
  EntityPtr found(EntityKind kind, const std::string& name) {
    return store->state()->find(kind, name);
  }
};

TEST_F(Renames, EverythingFollowsTheUser) {
  const std::string id = new_alice();
  const std::string old_id = found(EntityKind::user, "alice")->id;
  ASSERT_TRUE(works(store->rename(EntityKind::user, "ALICE", {.name = "bob", .path = "/dev/"})));
  for (const bool restarted : {false, true}) {
    if (restarted) {
      open();
    }
    EXPECT_FALSE(found(EntityKind::user, "alice"));
    const EntityPtr bob = found(EntityKind::user, "bob");
    ASSERT_TRUE(bob);
    EXPECT_EQ(bob->id, old_id);
    EXPECT_EQ(bob->arn(), "arn:aws:iam::000000000000:user/dev/bob");
    EXPECT_TRUE(bob->groups.contains("staff"));
    EXPECT_TRUE(bob->attached.contains("m"));
    ASSERT_EQ(bob->inline_policies.size(), 1U);
    EXPECT_TRUE(bob->inline_policies.at("own")->compiled);
    EXPECT_EQ(store->state()->keys_of("bob").size(), 1U);
    EXPECT_EQ(who(id)->user_name, "bob");
    EXPECT_FALSE(who(id)->unreadable);
    EXPECT_EQ(who(id)->policies.size(), 2U);
  }
  // Nothing is left of him that another alice would have.
  ASSERT_TRUE(works(user("alice")));
  open();
  EXPECT_TRUE(found(EntityKind::user, "alice")->inline_policies.empty());
  EXPECT_TRUE(store->state()->keys_of("alice").empty());
}

TEST_F(Renames, EverythingFollowsTheGroup) {
  const std::string id = new_alice();
  ASSERT_TRUE(works(store->put_inline(EntityKind::group, "staff", "theirs", kAllowAll)));
  ASSERT_TRUE(works(store->rename(EntityKind::group, "staff", {.name = "crew"})));
  open();
  EXPECT_FALSE(found(EntityKind::group, "staff"));
  EXPECT_EQ(found(EntityKind::group, "crew")->inline_policies.size(), 1U);
  EXPECT_EQ(store->state()->members_of("crew").size(), 1U);
  EXPECT_FALSE(who(id)->unreadable);
  EXPECT_EQ(who(id)->policies.size(), 3U);
  EXPECT_EQ(failure(store->remove(EntityKind::group, "crew")), IamCode::delete_conflict);
}

TEST_F(Renames, ACommitThatFailsChangesNothing) {
  const std::string id = new_alice();
  const auto before = meta.dump();
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(failure(store->rename(EntityKind::user, "alice", {.name = "bob"})),
            IamCode::unavailable);
  EXPECT_EQ(meta.dump(), before);
  EXPECT_EQ(who(id)->user_name, "alice");
  open();
  EXPECT_EQ(who(id)->user_name, "alice");
}

TEST_F(Renames, NamesThatAreRefused) {
  ASSERT_TRUE(works(user("alice")) && works(user("bob")) && works(group("staff")));
  const auto rename = [&](IdentityStore::Rename to) {
    return store->rename(EntityKind::user, "alice", std::move(to));
  };
  EXPECT_EQ(failure(rename({.name = "Bob"})), IamCode::entity_already_exists);
  EXPECT_EQ(failure(rename({.name = "a b"})), IamCode::validation);
  EXPECT_EQ(failure(rename({.name = std::string(kMaxUserName + 1, 'x')})), IamCode::validation);
  EXPECT_EQ(failure(rename({.name = {}, .path = "x"})), IamCode::validation);
  EXPECT_EQ(failure(store->rename(EntityKind::user, "carol", {.name = "dave"})),
            IamCode::no_such_entity);
  EXPECT_TRUE(works(rename({.name = "staff"})));  // a group's name is no user's
  EXPECT_TRUE(works(store->rename(EntityKind::user, "staff", {})));
  EXPECT_TRUE(works(store->rename(EntityKind::user, "staff", {.name = "Staff"})));
  open();
  EXPECT_EQ(found(EntityKind::user, "STAFF")->name, "Staff");
}

TEST_F(Renames, NamesInAnyCase) {
  const std::string id = new_alice();
  EXPECT_EQ(failure(user("Alice")), IamCode::entity_already_exists);
  EXPECT_EQ(found(EntityKind::user, "aLICE")->name, "alice");
  EXPECT_EQ(failure(store->add_to_group("ALICE", "nobodies")), IamCode::no_such_entity);
  EXPECT_TRUE(works(store->remove_from_group("ALICE", "STAFF")));
  EXPECT_TRUE(works(store->add_to_group("ALICE", "STAFF")));
  EXPECT_TRUE(works(store->put_inline(EntityKind::user, "ALICE", "more", kAllowAll)));
  const auto second = run(key("ALICE"));
  ASSERT_TRUE(second);
  open();
  EXPECT_EQ(found(EntityKind::user, "alice")->groups,
            (std::set<std::string, std::less<>>{"staff"}));
  EXPECT_EQ(found(EntityKind::user, "alice")->inline_policies.size(), 2U);
  EXPECT_EQ(store->state()->keys_of("alice").size(), 2U);
  EXPECT_TRUE(works(store->remove_inline(EntityKind::user, "ALICE", "more")));
  EXPECT_TRUE(works(store->set_key_active("ALICE", (*second)->id, false)));
  EXPECT_TRUE(works(store->remove_key("ALICE", id)));
  EXPECT_EQ(failure(store->remove(EntityKind::user, "ALICE")), IamCode::delete_conflict);
}

TEST_F(Renames, SessionsGoOn) {
  const std::string id = new_alice();
  const auto session = store->issue(*who(id), id, nullptr, {}, 900).value();
  ASSERT_TRUE(works(store->rename(EntityKind::user, "alice", {.name = "bob"})));
  const auto as = store->find_session(session.access_key, session.token);
  ASSERT_TRUE(as);
  EXPECT_EQ(as->identity->user_name, "bob");
  EXPECT_EQ(as->identity->issuer_user, "bob");
  ASSERT_TRUE(works(store->set_key_active("bob", id, false)));
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
}

// Whom a trust policy names is kept by id: it follows a rename, and is nobody's who has the name
// later.
TEST_F(Renames, TrustPoliciesMeanTheUserAndNotHisName) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = found(EntityKind::user, "alice")->id;
  const auto role = [&](const std::string& name, const std::string& trust) {
    return store->create(
        {.kind = EntityKind::role, .name = name, .description = {}, .trust = trust});
  };
  ASSERT_TRUE(works(role("r", trust_of(kAliceArn))));
  const auto stored = [&](const std::string& name) {
    return found(EntityKind::role, name)->trust->text;
  };
  EXPECT_EQ(stored("r"), trust_of(id));
  EXPECT_EQ(store->state()->with_arns(stored("r")), trust_of(kAliceArn));
  ASSERT_TRUE(works(store->rename(EntityKind::user, "alice", {.name = "bob"})));
  EXPECT_EQ(store->state()->with_arns(stored("r")), trust_of("arn:aws:iam::000000000000:user/bob"));
  EXPECT_EQ(failure(role("x", trust_of("AIDAABCDEFGHIJKLMNOP"))), IamCode::malformed_policy);
  ASSERT_TRUE(works(role("by-id", trust_of(id))));
  ASSERT_TRUE(works(store->remove(EntityKind::user, "bob")));
  ASSERT_TRUE(works(user("bob")));
  EXPECT_EQ(store->state()->with_arns(stored("r")), trust_of(id)) << "of nobody any more";
  // Earlier versions took who was not there yet: he goes by his ARN, until he is renamed.
  const std::string carol = trust_of("arn:aws:iam::000000000000:user/carol");
  EXPECT_EQ(failure(role("early", carol)), IamCode::malformed_policy);
  Entity early;
  early.kind = EntityKind::role;
  early.name = "early";
  early.trust = make_policy("trust", carol, policy::PolicyKind::trust);
  meta::Batch batch;
  batch.put(entity_key(early.kind, early.name), encode(early));
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  open();
  ASSERT_TRUE(works(user("carol")));
  ASSERT_TRUE(works(store->rename(EntityKind::user, "carol", {.name = {}, .path = "/x/"})));
  open();
  EXPECT_EQ(stored("early"), trust_of(found(EntityKind::user, "carol")->id));
}

TEST_F(Renames, AGroupWithMoreThanOneCommitTakes) {
  ASSERT_TRUE(works(group("staff")));
  // Records as large as they get, put there without five thousand changes.
  meta::Batch batch;
  for (std::size_t i = 0; i < kMaxUsers; ++i) {
    Entity e;
    e.name = "user" + std::to_string(i);
    e.path = "/" + std::string(kMaxPath - 2, 'p') + "/";
    e.groups = {"staff"};
    for (std::size_t n = 0; n < kMaxAttached; ++n) {
      e.attached.insert(std::to_string(n) + std::string(kMaxPolicyName - 1, 'a'));
    }
    batch.put(entity_key(e.kind, e.name), encode(e));
  }
  while (!batch.mutations.empty()) {
    meta::Batch some;
    for (std::size_t n = 0; n < 500 && !batch.mutations.empty(); ++n) {
      some.mutations.push_back(std::move(batch.mutations.back()));
      batch.mutations.pop_back();
    }
    ASSERT_TRUE(run_sync(meta.commit(std::move(some))));
  }
  open();
  ASSERT_EQ(store->state()->members_of("staff").size(), kMaxUsers);
  EXPECT_EQ(failure(store->rename(EntityKind::group, "staff", {.name = "crew"})),
            IamCode::limit_exceeded);
  EXPECT_EQ(store->state()->members_of("staff").size(), kMaxUsers);
  EXPECT_TRUE(works(store->rename(EntityKind::group, "staff", {.name = {}, .path = "/x/"})));
}

}  // namespace
}  // namespace outcrop::identity::test
