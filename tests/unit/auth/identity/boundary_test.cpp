// Permissions boundaries: kept, counted, in the way of deleting their policy, and closed when they
// cannot be read.
#include "auth/identity/record.h"
#include "auth/identity/session.h"
#include "tests/unit/auth/identity/identity_fixture.h"

namespace outcrop::identity::test {
namespace {

const std::string kPolicy = "arn:aws:iam::000000000000:policy/limit";
const std::string kAws = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

TEST_F(Identities, ABoundaryLastsOverAStartAndARename) {
  ASSERT_TRUE(works(store->create_policy("limit", "/", "", kAllowAll)));
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  EXPECT_EQ(who(id)->boundary, nullptr);
  EXPECT_EQ(failure(store->set_boundary(EntityKind::user, "alice", kPolicy + "x")),
            IamCode::no_such_entity);
  EXPECT_EQ(failure(store->set_boundary(EntityKind::user, "nobody", kPolicy)),
            IamCode::no_such_entity);
  ASSERT_TRUE(works(store->set_boundary(EntityKind::user, "ALICE", kPolicy)));
  EXPECT_EQ(failure(store->remove_policy(kPolicy)), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->rename(EntityKind::user, "alice", {.name = "bob"})));
  open();
  ASSERT_NE(who(id)->boundary, nullptr);
  EXPECT_EQ(who(id)->policy_set().boundary, &*who(id)->boundary->compiled);
  EXPECT_FALSE(who(id)->unreadable);
  EXPECT_EQ(store->state()->bounded_by("limit").size(), 1U);
  EXPECT_EQ(store->state()->policy_uses().at("limit").boundaries, 1U);
  EXPECT_EQ(store->state()->policy_uses().at("limit").attached, 0U);
  ASSERT_TRUE(works(store->set_boundary(EntityKind::user, "bob", kAws)));
  EXPECT_EQ(who(id)->boundary->name, "AmazonS3ReadOnlyAccess");
  ASSERT_TRUE(works(store->remove_policy(kPolicy)));
  ASSERT_TRUE(works(store->set_boundary(EntityKind::user, "bob", "")));
  EXPECT_EQ(who(id)->boundary, nullptr);
}

TEST_F(Identities, SessionsHaveTheBoundaryOfTheirRole) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->create({.kind = EntityKind::role,
                                   .name = "r",
                                   .description = {},
                                   .trust = kTrust,
                                   .boundary = kAws})));
  EXPECT_EQ(failure(store->create({.kind = EntityKind::role,
                                   .name = "s",
                                   .description = {},
                                   .trust = kTrust,
                                   .boundary = kPolicy})),
            IamCode::no_such_entity);
  const EntityPtr role = store->state()->find(EntityKind::role, "r");
  const auto made = store->issue(*who(id), id, role.get(), {.name = "work"}, 900);
  ASSERT_TRUE(made);
  EXPECT_NE(store->find_session(made->access_key, made->token)->identity->boundary, nullptr);
}

// GHSA-j548-9grx-fh4f: what cannot be read is not taken for absent.
TEST_F(Identities, ABoundaryThatCannotBeReadDeniesEverything) {
  ASSERT_TRUE(works(store->create_policy("limit", "/", "", kAllowAll)));
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->set_boundary(EntityKind::user, "alice", kPolicy)));
  const std::string record = managed_key("limit");
  const std::optional<std::string> whole = run_sync(meta.get(record, nullptr)).value();
  ASSERT_TRUE(whole);
  const auto put = [&](std::optional<std::string> value) {
    meta::Batch batch;
    value ? batch.put(record, *value) : batch.erase(record);
    ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
    open();
  };
  for (const std::optional<std::string>& damaged :
       {std::optional<std::string>(), std::optional(whole->substr(0, whole->size() - 1)),
        std::optional<std::string>("\x09")}) {
    put(damaged);
    ASSERT_TRUE(who(id));
    EXPECT_TRUE(who(id)->unreadable);
  }
  // And so does a document that does not compile.
  ManagedPolicy broken = *std::make_shared<ManagedPolicy>();
  broken.document = make_policy("limit", "{}");
  put(encode(broken));
  EXPECT_TRUE(who(id)->unreadable);
  put(whole);
  EXPECT_FALSE(who(id)->unreadable);
}

// The user's own record: without it his keys are nobody's.
TEST_F(Identities, AUserWhoseRecordIsDamagedIsNotOneWithoutABoundary) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->set_boundary(EntityKind::user, "alice", kAws)));
  const std::string record = entity_key(EntityKind::user, "alice");
  const std::string whole = run_sync(meta.get(record, nullptr)).value().value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    meta::Batch batch;
    batch.put(record, whole.substr(0, size));
    ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
    open();
    EXPECT_FALSE(who(id)) << size;
  }
}

}  // namespace
}  // namespace outcrop::identity::test
