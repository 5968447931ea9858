// A store that takes no writes, for the safe mode or for want of drives, is served all the same:
// everything that is loaded when the server starts opens, and is made good at a later start.
#include <gtest/gtest.h>

#include "api/s3/bucket_settings.h"
#include "auth/access/access_table.h"
#include "auth/identity/identity_store.h"
#include "tests/support/sim_engine.h"

namespace outcrop::server {
namespace {

constexpr InodeId kGone = 999;  // the root of no bucket
const identity::SealKey kKey{7};

Task<bool> make_user(identity::IdentityStore& store) {
  const auto made = co_await store.create({.kind = identity::EntityKind::user,
                                           .name = "alice",
                                           .path = "/",
                                           .description = {},
                                           .trust = {}});
  co_return made.has_value();
}

class ReadOnlyStart : public ::testing::Test {
 protected:
  ReadOnlyStart() {
    begin(false);
    left_over_records();
    stop();
  }

  void begin(bool read_only) {
    engine.emplace(world, 1, state_dir.get());
    const auto opened = engine->open(read_only);
    ASSERT_TRUE(opened) << opened.error().describe();
  }
  void stop() {
    ASSERT_TRUE(engine->close());
    engine.reset();
  }
  /// As a DeleteBucket that was cut short leaves them.
  void left_over_records() {
    access::BucketAccess access{.bucket = "gone", .root = kGone, .policy_text = {}};
    access.block = policy::kBlockAll;
    s3::BucketSettings settings{.bucket = "gone", .root = kGone};
    settings.documents.emplace(s3::Setting::no_ownership, "");
    meta::Batch batch;
    batch.put(access::bucket_access_key(kGone), encode(access));
    batch.put(s3::bucket_settings_key(kGone), encode(settings));
    ASSERT_TRUE(engine->run(engine->engine().meta().commit(std::move(batch))));
  }
  bool left_over() {
    meta::MetaStore& meta = engine->engine().meta();
    const std::string access = access::bucket_access_key(kGone);
    const std::string settings = s3::bucket_settings_key(kGone);
    const bool first = engine->run(meta.get(access)).value().has_value();
    EXPECT_EQ(engine->run(meta.get(settings)).value().has_value(), first);
    return first;
  }
  bool key_is_known() {
    return engine->run(identity::IdentityStore::is_set_up(engine->engine().meta())).value();
  }
  /// What Gateway opens over the store, in its order.
  void load() {
    meta::MetaStore& meta = engine->engine().meta();
    const auto buckets = engine->run(engine->ns().list_buckets());
    ASSERT_TRUE(buckets);
    const access::BucketRoots roots{{buckets->front().name, buckets->front().root}};
    EXPECT_TRUE(engine->run(access::AccessTable::open(meta, roots, policy::kBlockAll)));
    EXPECT_TRUE(engine->run(s3::SettingsTable::open(meta, roots)));
    auto opened = engine->run(
        identity::IdentityStore::open({meta, clock, random}, kKey, {"ROOT", "rootsecret", true}));
    ASSERT_TRUE(opened) << opened.error().describe();
    identities = *std::move(opened);
  }
  bool user_is_made() { return engine->run(make_user(*identities)).value(); }

  io::SimWorld box{1};
  const std::unique_ptr<io::Disk> state_dir = *box.open_disk(0);
  io::SimWorld world = test::world_with_bucket(2, 1, 1);
  SystemClock clock;
  SeededRandom random{1};
  std::unique_ptr<identity::IdentityStore> identities;
  std::optional<test::SimEngine> engine;
};

TEST_F(ReadOnlyStart, InSafeModeAndAfterIt) {
  begin(true);
  load();
  EXPECT_TRUE(left_over());
  EXPECT_FALSE(user_is_made());
  EXPECT_FALSE(key_is_known());
  engine->engine().resume();
  ASSERT_TRUE(user_is_made());
  EXPECT_TRUE(key_is_known()) << "before a secret is sealed";
  stop();
  begin(false);
  load();
  EXPECT_TRUE(identities->state()->find(identity::EntityKind::user, "alice"));
  EXPECT_FALSE(left_over());
  stop();
}

TEST_F(ReadOnlyStart, WithTooFewDrives) {
  begin(false);
  engine.reset();  // killed
  world.reboot(2);
  world.remove_drive(0);
  begin(false);
  EXPECT_FALSE(engine->engine().stats().writable);
  load();
  EXPECT_TRUE(left_over());
  EXPECT_FALSE(user_is_made());
  const unsigned blank = world.add_drive();
  ASSERT_TRUE(engine->run(engine->engine().add_drive(*world.open_disk(blank))));
  ASSERT_TRUE(user_is_made());
  EXPECT_TRUE(key_is_known());
  stop();
  begin(false);
  load();
  EXPECT_FALSE(left_over());
  stop();
}

}  // namespace
}  // namespace outcrop::server
