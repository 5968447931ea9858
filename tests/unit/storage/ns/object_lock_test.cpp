// Object Lock in the namespace: what is locked stays, whatever is done to its key.
#include "storage/ns/object_lock.h"

#include "storage/base/floored_clock.h"
#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/hold_table.h"
#include "storage/ns/record_codec.h"
#include "tests/unit/storage/ns/version_fixture.h"

namespace outcrop::ns {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr RetentionMode kGovernance = RetentionMode::governance,
                        kCompliance = RetentionMode::compliance;

TEST(ObjectLockRules, RetentionEndsByTheClockAndAHoldByItself) {
  const ObjectLock kept{.retention = {kCompliance, 100}};
  EXPECT_TRUE(is_locked(kept, 99));
  EXPECT_FALSE(is_locked(kept, 100));
  EXPECT_FALSE(is_removable(kept, 99, true));
  EXPECT_TRUE(is_removable({.retention = {kGovernance, 100}}, 99, true));
  EXPECT_FALSE(is_removable({.retention = {kGovernance, 100}}, 99, false));
  const ObjectLock held{.retention = {kGovernance, 100}, .hold = LegalHold::on};
  EXPECT_FALSE(is_removable(held, 99, true));
  EXPECT_FALSE(is_removable(held, 100, true));
  EXPECT_FALSE(is_locked({.hold = LegalHold::off}, 0));
  EXPECT_FALSE(is_locked({}, 0));
}

TEST(ObjectLockRules, WhatThereIsMayBecomeLongerOnly) {
  const auto change = [](Retention old, Retention next, bool bypass = false) {
    const auto done =
        changed_lock({.retention = old}, {.retention = next, .bypass_governance = bypass}, 50);
    return done && done->retention == next;
  };
  EXPECT_TRUE(change({}, {kGovernance, 60}));
  EXPECT_TRUE(change({kCompliance, 50}, {})) << "it is over";
  for (const RetentionMode mode : {kGovernance, kCompliance}) {
    EXPECT_TRUE(change({mode, 100}, {mode, 100}));
    EXPECT_TRUE(change({mode, 100}, {mode, 101}));
    EXPECT_FALSE(change({mode, 100}, {mode, 99}));
    EXPECT_FALSE(change({mode, 100}, {}));
  }
  EXPECT_FALSE(change({kGovernance, 100}, {kCompliance, 200}));
  EXPECT_FALSE(change({kCompliance, 100}, {kGovernance, 200}, true));
  EXPECT_FALSE(change({kCompliance, 100}, {kCompliance, 99}, true));
  EXPECT_FALSE(change({kCompliance, 100}, {}, true));
  EXPECT_TRUE(change({kGovernance, 100}, {kCompliance, 60}, true));
  EXPECT_TRUE(change({kGovernance, 100}, {kGovernance, 60}, true));
  EXPECT_TRUE(change({kGovernance, 100}, {}, true));
  // A hold comes and goes beside it.
  const ObjectLock kept{.retention = {kCompliance, 100}};
  EXPECT_EQ(changed_lock(kept, {.hold = true}, 50)->hold, LegalHold::on);
  EXPECT_EQ(changed_lock(kept, {.hold = false}, 50)->retention, kept.retention);
}

TEST(ObjectLockRules, DefaultsCountDaysAndYears) {
  constexpr std::int64_t kLeapDay = 1'709'208'000;  // 2024-02-29 12:00
  const auto at = [](std::uint32_t days, std::uint32_t years) {
    return default_retention({true, kGovernance, days, years}, kLeapDay * 1'000'000'000).until;
  };
  EXPECT_EQ(at(1, 0), kLeapDay + kDay);
  EXPECT_EQ(at(0, 1), kLeapDay + 366 * kDay) << "the 1st of March 2025";
  EXPECT_EQ(at(0, 4), kLeapDay + 1461 * kDay);
  EXPECT_EQ(default_retention({true, kGovernance, 1, 0}, 1).until, kDay + 1) << "never shorter";
  EXPECT_EQ(default_retention({true}, 1), Retention{});
  EXPECT_TRUE(is_sound({true, kGovernance, kMaxRetentionDays, 0}));
  EXPECT_TRUE(is_sound({true, kCompliance, 0, kMaxRetentionYears}));
  for (const BucketLock& bad :
       {BucketLock{true, kGovernance, kMaxRetentionDays + 1, 0},
        BucketLock{true, kGovernance, 0, kMaxRetentionYears + 1}, BucketLock{true, kGovernance},
        BucketLock{true, kGovernance, 1, 1}, BucketLock{true, RetentionMode::none, 1, 0},
        BucketLock{false, kGovernance, 1, 0}}) {
    EXPECT_FALSE(is_sound(bad));
  }
}

TEST(ObjectLockRecord, IsCanonical) {
  for (const ObjectLock& lock :
       {ObjectLock{.retention = {kGovernance, 1}}, ObjectLock{.hold = LegalHold::off},
        ObjectLock{
            .retention = {kCompliance, kLastRetention}, .hold = LegalHold::on, .writing = true}}) {
    EXPECT_EQ(decode_object_lock(encode(lock)).value(), lock);
  }
  for (const std::string& bad :
       {std::string(), std::string(1, '\0'), std::string("\x10"), std::string("\x01"),
        std::string("\x01\x00", 2), std::string("\x03\x01"), std::string("\x0c"),
        std::string("\x24"), std::string("\x04\x01"),
        encode({.retention = {kGovernance, kLastRetention + 1}})}) {
    EXPECT_FALSE(decode_object_lock(bad)) << bad.size();
  }
  ObjectAttributes attributes{.content_type = "t", .headers = {{"expires", "x"}}, .user_meta = {}};
  attributes.tags = {{"a", "b"}};
  attributes.acl = "acl";
  attributes.lock = {.retention = {kGovernance, 77}};
  Writer w;
  write_attributes(w, attributes);
  Reader r(w.view());
  EXPECT_EQ(read_attributes(r), attributes);
  EXPECT_TRUE(r.done());
}

TEST(ObjectLockRecord, OfBuckets) {
  for (const BucketLock& lock : {BucketLock{true}, BucketLock{true, kGovernance, 3, 0},
                                 BucketLock{true, kCompliance, 0, 7}}) {
    const BucketRecord record{.root = 5, .versioning = Versioning::enabled, .lock = lock};
    EXPECT_EQ(decode_bucket(encode(record)).value(), record);
  }
  EXPECT_FALSE(decode_bucket(
      encode({.root = 5, .versioning = Versioning::suspended, .lock = {.enabled = true}})));
  EXPECT_FALSE(decode_bucket(
      encode({.root = 5, .versioning = Versioning::enabled, .lock = {true, kGovernance, 1, 1}})));
}

class MachineClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return wall; }
  std::int64_t steady_ns() const override { return steady; }
  std::int64_t wall = 0, steady = 0;
};

TEST(ObjectLockTime, AJumpAheadFreesNothingUntilItIsBelieved) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  MachineClock machine;
  machine.wall = 1'000 * kSecond;
  FlooredClock clock(machine, [] { return false; });
  EXPECT_EQ(lock_time(clock), 1'000) << "nothing was seen yet: all is believed";
  clock.start_from(machine.wall);
  std::ignore = clock.look();
  machine.wall += 900'000 * kSecond;
  EXPECT_EQ(clock.wall_ns(), machine.wall);
  EXPECT_EQ(lock_time(clock), 1'000);
  std::ignore = clock.look();
  machine.steady += FlooredClock::kSettledNs - kSecond;
  machine.wall += FlooredClock::kSettledNs - kSecond;
  std::ignore = clock.look();
  EXPECT_EQ(lock_time(clock), 1'000 + 3'599);
  machine.steady += kSecond;
  machine.wall += kSecond;
  std::ignore = clock.look();
  EXPECT_EQ(lock_time(clock), machine.wall / kSecond);
  machine.wall = 0;
  EXPECT_EQ(lock_time(clock), clock.wall_ns() / kSecond);
}

/// The bucket "b" has Object Lock.
class LockTest : public VersionTest {
 protected:
  LockTest() { set_default({.enabled = true}); }

  void set_default(BucketLock lock) { must(ns->put_object_lock("b", lock)); }
  std::int64_t in_days(std::int64_t days) { return lock_time(clock) + days * kDay; }
  ObjectInfo put_locked(std::string key, Retention retention, std::string data = "x") {
    PutRequest request;
    request.attributes.lock.retention = retention;
    return put(std::move(key), std::move(data), std::move(request));
  }
  Errc try_erase(const std::string& key, const std::string& id, bool bypass = false) {
    Conditions conditions;
    conditions.bypass_governance = bypass;
    return code(run(ns->remove_version("b", key, id, conditions)));
  }
  Errc try_lock(const std::string& key, const std::string& id, LockChange change) {
    return code(run(ns->set_lock("b", key, id, change)));
  }
  ObjectLock lock_of(const std::string& key, const std::string& id = {}) {
    return must(ns->stat("b", key, id)).attributes.lock;
  }
  std::string id_of(std::size_t i) {
    return must(ns->list_versions("b", {})).entries[i].version_id;
  }
};

constexpr Errc kDone = Errc::internal;  // what code() says of success

TEST_F(LockTest, BucketsGetItOnceAndForAll) {
  EXPECT_EQ(must(ns->get_bucket("b")).lock, BucketLock{.enabled = true});
  EXPECT_EQ(code(run(ns->put_versioning("b", Versioning::suspended))), Errc::bucket_state);
  must(ns->put_versioning("b", Versioning::enabled));
  must(ns->create_bucket("plain", {}));
  EXPECT_EQ(code(run(ns->put_object_lock("plain", {.enabled = true}))), Errc::bucket_state);
  must(ns->put_versioning("plain", Versioning::enabled));
  must(ns->put_versioning("plain", Versioning::suspended));
  EXPECT_EQ(code(run(ns->put_object_lock("plain", {.enabled = true}))), Errc::bucket_state);
  EXPECT_EQ(code(run(ns->put_object_lock("b", {}))), Errc::invalid_argument);
  EXPECT_EQ(code(run(ns->put_object_lock("b", {true, kGovernance, 1, 1}))), Errc::invalid_argument);
  const BucketInfo made = must(ns->create_bucket("locked", {}, true));
  EXPECT_EQ(made.versioning, Versioning::enabled);
  EXPECT_TRUE(made.lock.enabled);
  set_default({true, kCompliance, 2, 0});
  crash();
  EXPECT_EQ(must(ns->get_bucket("b")).lock, (BucketLock{true, kCompliance, 2, 0}));
  EXPECT_EQ(must(ns->get_bucket("locked")).versioning, Versioning::enabled);
  must(ns->delete_bucket("locked"));
}

TEST_F(LockTest, NothingIsLockedWithoutABucketThatHasIt) {
  must(ns->create_bucket("plain", {}));
  PutRequest request;
  request.attributes.lock.hold = LegalHold::on;
  EXPECT_EQ(code(run(put_task("plain", "k", "x", request))), Errc::no_object_lock);
  must(put_task("plain", "k", "x"));
  EXPECT_EQ(code(run(ns->set_lock("plain", "k", {}, {.hold = true}))), Errc::no_object_lock);
  CopyRequest copy{"plain", "k", {}, {}, ObjectAttributes{}};
  copy.lock.hold = LegalHold::on;
  EXPECT_EQ(code(run(ns->copy("plain", "k", copy))), Errc::no_object_lock);
  EXPECT_EQ(code(run(ns->copy("plain", "other", copy))), Errc::no_object_lock);
  EXPECT_TRUE(must(ns->stat("plain", "k")).attributes.lock.empty());
}

TEST_F(LockTest, AVersionThatIsLockedIsNotDeleted) {
  const std::string governed = put_locked("k", {kGovernance, in_days(1)}, "1").version_id;
  EXPECT_EQ(try_erase("k", governed), Errc::object_locked) << "the only one";
  const std::string complied = put_locked("k", {kCompliance, in_days(1)}, "2").version_id;
  const std::string free = put("k", "3").version_id;
  EXPECT_EQ(try_erase("k", governed), Errc::object_locked);
  EXPECT_EQ(try_erase("k", complied), Errc::object_locked);
  EXPECT_EQ(try_erase("k", complied, true), Errc::object_locked);
  EXPECT_EQ(try_erase("k", free), kDone) << "the next one is current now, and locked";
  EXPECT_EQ(try_erase("k", complied, true), Errc::object_locked);
  EXPECT_TRUE(erase("k").marker);
  EXPECT_EQ(try_erase("k", complied), Errc::object_locked);
  EXPECT_EQ(versions(), (Lines{"k!*", "k=2", "k=1"}));
  EXPECT_EQ(try_erase("k", governed, true), kDone);
  clock.advance(kDay + 10);
  EXPECT_EQ(try_erase("k", complied), kDone);
  EXPECT_EQ(versions(), Lines{"k!*"});
}

TEST_F(LockTest, AHoldKeepsWhateverTheClockSays) {
  const std::string id = put("d/k", "1").version_id;
  EXPECT_EQ(try_lock("d/k", id, {.hold = true}), kDone);
  clock.advance(1000 * kDay);
  EXPECT_EQ(try_erase("d/k", id, true), Errc::object_locked);
  EXPECT_EQ(code(run(ns->delete_bucket("b"))), Errc::bucket_not_empty);
  EXPECT_TRUE(erase("d/k").marker);
  EXPECT_EQ(try_erase("d/k", id, true), Errc::object_locked) << "in a directory that left the tree";
  EXPECT_EQ(try_lock("d/k", id, {.hold = false}), kDone) << "of a version that is not current";
  EXPECT_EQ(lock_of("d/k", id).hold, LegalHold::off);
  EXPECT_EQ(try_erase("d/k", id), kDone);
}

TEST_F(LockTest, LocksOfWhatIsNotThere) {
  EXPECT_EQ(try_lock("absent", {}, {.hold = true}), Errc::no_such_key);
  put("k");
  EXPECT_EQ(try_lock("k", "null", {.hold = true}), Errc::no_such_version);
  const std::string marker = erase("k").version_id;
  EXPECT_EQ(try_lock("k", {}, {.hold = true}), Errc::key_deleted);
  EXPECT_EQ(try_lock("k", marker, {.hold = true}), Errc::delete_marker);
}

TEST_F(LockTest, EveryWayToMakeAnObjectTakesLockAndDefault) {
  set_default({true, kGovernance, 0, 1});
  const auto about_a_year = [&](const ObjectLock& lock) {
    return lock.retention.mode == kGovernance && lock.retention.until > in_days(364) &&
           lock.retention.until < in_days(367) && !lock.writing;
  };
  EXPECT_TRUE(about_a_year(put("k").attributes.lock));
  const Retention mine{kCompliance, in_days(3)};
  EXPECT_EQ(put_locked("mine", mine).attributes.lock.retention, mine);
  CopyRequest copy{"b", "mine", {}, {}, {}};
  EXPECT_TRUE(about_a_year(must(ns->copy("b", "copied", copy)).attributes.lock))
      << "the source's lock is its own";
  copy.lock = {.retention = mine, .hold = LegalHold::on};
  EXPECT_EQ(must(ns->copy("b", "copied", copy)).attributes.lock, copy.lock);
  copy.replace = ObjectAttributes{};
  EXPECT_EQ(must(ns->copy("b", "mine", copy)).attributes.lock, copy.lock) << "onto itself";
  EXPECT_EQ(must(ns->list_versions("b", {.prefix = "mine"})).entries.size(), 2U);
  ObjectAttributes held;
  held.lock.hold = LegalHold::on;
  const auto upload = must(ns->create_upload("b", "up", held, digest::Algorithm::none,
                                             digest::ChecksumType::full_object));
  auto writer = must(ns->open_write("b", "up", 1));
  must(test::write_all(*writer, "u", 1));
  const std::string etag(32, 'a');
  must(ns->put_part("b", "up", upload.upload_id, 1, std::move(writer), etag, {}));
  CompleteRequest request;
  request.parts = {{1, etag, {}}};
  const ObjectInfo completed = must(ns->complete_upload("b", "up", upload.upload_id, request));
  EXPECT_TRUE(about_a_year(completed.attributes.lock));
  EXPECT_EQ(completed.attributes.lock.hold, LegalHold::on);
  set_default({.enabled = true});
  EXPECT_TRUE(put("k").attributes.lock.empty());
}

TEST_F(LockTest, RenamingLeavesWhatIsLockedAtItsKey) {
  const std::string id = put_locked("a", {kCompliance, in_days(1)}, "1").version_id;
  must(ns->rename("b", "a", "c"));
  EXPECT_EQ(versions(), (Lines{"a!*", "a=1", "c=1*"}));
  EXPECT_EQ(lock_of("a", id).retention.mode, kCompliance);
  EXPECT_TRUE(lock_of("c").empty());
  EXPECT_EQ(try_erase("a", id, true), Errc::object_locked);
  const std::string kept = put_locked("d/k", {kCompliance, in_days(1)}, "2").version_id;
  EXPECT_EQ(code(run(ns->rename("b", "d/", "e/"))), Errc::object_locked);
  const FileId dir = must(fs().lookup(top, "d")).id;
  EXPECT_EQ(code(run(fs().rename(top, "d", top, "e"))), Errc::cross_bucket);
  must(fs().remove(dir, "k", RemoveKind::file));
  EXPECT_EQ(code(run(fs().rename(top, "d", top, "e"))), Errc::cross_bucket) << "history below it";
  must(fs().make_directory(top, "empty", {}));
  must(fs().rename(top, "empty", top, "moved"));
  EXPECT_EQ(get_version("d/k", kept).value(), "2");
}

TEST_F(LockTest, FileClientsCannotReachALockedVersion) {
  const std::string id = put_locked("f", {kCompliance, in_days(1)}, "1234").version_id;
  const FileId f = must(fs().lookup(top, "f")).id;
  write(f, 0, "W", true);
  EXPECT_EQ(get_version("f", id).value(), "1234");
  EXPECT_EQ(get("f").value(), "W234");
  must(fs().rename(top, "f", top, "g"));
  must(fs().remove(top, "g", RemoveKind::file));
  EXPECT_EQ(get_version("f", id).value(), "1234");
  EXPECT_EQ(try_erase("f", id, true), Errc::object_locked);
  const std::string other = put_locked("h", {kCompliance, in_days(1)}, "h").version_id;
  const FileId h = must(fs().lookup(top, "h")).id;
  {
    const OpenHoldPtr open = must(fs().hold(h));
    must(fs().link(h, top, "i"));
    must(fs().remove(top, "h", RemoveKind::file));
    EXPECT_EQ(try_erase("h", other, true), Errc::object_locked);
    must(fs().remove(top, "i", RemoveKind::file));
    EXPECT_EQ(get_version("h", other).value(), "h");
  }
  must(fs().flush_idle(INT64_MAX));
  expect_clean();
  must(fs().make_symlink(top, "s", "x", {}));
  put_locked("t", {kCompliance, in_days(1)}, "t");
  must(fs().rename(top, "s", top, "t"));
  EXPECT_EQ(try_erase("t", must(ns->list_versions("b", {.prefix = "t"})).entries[1].version_id),
            Errc::object_locked);
}

TEST_F(LockTest, ASessionThatIsUnderWayDoesNotWriteIntoWhatIsLockedMeanwhile) {
  const FileId f = must(fs().create(top, "f", {})).attributes.id;
  const OpenHoldPtr open = must(fs().hold(f));
  write(f, 0, "1234", false);
  EXPECT_EQ(try_lock("f", {}, {.hold = true}), kDone);
  const std::string id = stat("f").version_id;
  EXPECT_EQ(get_version("f", id).value(), "1234") << "what was written before is stored";
  write(f, 0, "W", false);
  must(fs().commit(f));
  EXPECT_EQ(versions(), (Lines{"f=W234*", "f=1234"}));
  EXPECT_EQ(lock_of("f", id).hold, LegalHold::on);
  EXPECT_TRUE(lock_of("f").empty());
  // The same for what does not go through memory.
  for (const int way : {0, 1, 2, 3}) {
    EXPECT_EQ(try_lock("f", {}, {.hold = true}), kDone);
    const std::string sealed = stat("f").version_id;
    const std::string bytes = get("f").value();
    SetAttributes size;
    size.size = 2;
    way == 0   ? std::ignore = must(fs().set_attributes(f, size, std::nullopt))
    : way == 1 ? std::ignore = must(fs().allocate(f, 0, 10))
    : way == 2 ? std::ignore = must(fs().deallocate(f, 0, 1))
               : std::ignore = must(fs().clone(f, 0, f, 20, 2));
    EXPECT_NE(get("f").value(), bytes) << way;
    EXPECT_EQ(get_version("f", sealed).value(), bytes) << way;
  }
}

TEST_F(LockTest, WhatFileClientsMakeHasTheDefaultFromItsLastByteOn) {
  set_default({true, kCompliance, 2, 0});
  const FileId f = must(fs().create(top, "f", {})).attributes.id;
  const std::string id = stat("f").version_id;
  EXPECT_EQ(try_erase("f", id, true), Errc::object_locked) << "from the beginning";
  const OpenHoldPtr open = must(fs().hold(f));
  clock.advance(kDay);
  write(f, 0, "late", true);
  EXPECT_EQ(stat("f").version_id, id) << "one session makes one version";
  EXPECT_GT(lock_of("f").retention.until, in_days(1));
  set_default({true, kGovernance, 1, 0});
  write(f, 0, "LATE", true);
  EXPECT_EQ(lock_of("f").retention.mode, kCompliance) << "it never lessens";
  EXPECT_EQ(stat("f").version_id, id);
  crash();
  write(f, 0, "l", true);
  EXPECT_EQ(versions(), (Lines{"f=lATE*", "f=LATE"}));
  EXPECT_EQ(lock_of("f").retention.mode, kGovernance);
  must(fs().remove(top, "f", RemoveKind::file));
  EXPECT_EQ(try_erase("f", id, true), Errc::object_locked);
}

TEST_F(LockTest, AVersionThatIsCurrentAgainKeepsItsBytes) {
  set_default({true, kCompliance, 2, 0});
  const FileId f = must(fs().create(top, "f", {})).attributes.id;
  write(f, 0, "1234", true);  // its session goes on for ten seconds
  const std::string id = stat("f").version_id;
  const std::string marker = erase("f").version_id;
  EXPECT_EQ(try_erase("f", marker), kDone);
  EXPECT_EQ(stat("f").version_id, id);
  write(must(fs().lookup(top, "f")).id, 0, "W", true);
  EXPECT_EQ(get_version("f", id).value(), "1234");
  EXPECT_EQ(get("f").value(), "W234");
}

TEST_F(LockTest, TheNullVersionOfBeforeIsLockedToo) {
  must(ns->create_bucket("old", {}));
  must(put_task("old", "k", "null"));
  must(ns->put_versioning("old", Versioning::enabled));
  must(ns->put_object_lock("old", {.enabled = true}));
  must(ns->set_lock("old", "k", "null", {.retention = Retention{kCompliance, in_days(1)}}));
  EXPECT_EQ(code(run(ns->remove_version("old", "k", "null", {}))), Errc::object_locked);
  must(put_task("old", "k", "new"));
  EXPECT_EQ(code(run(ns->remove_version("old", "k", "null", {}))), Errc::object_locked);
  EXPECT_EQ(code(run(ns->put_versioning("old", Versioning::suspended))), Errc::bucket_state);
  EXPECT_EQ(must(ns->stat("old", "k", "null")).size, 4U);
}

TEST_F(LockTest, WhatIsNoKeyIsNeitherWrittenNorRemoved) {
  set_default({true, kCompliance, 1, 0});
  FileId dir = top;
  for (int depth = 0; depth < 5; ++depth) {
    dir = must(fs().make_directory(dir, std::string(250, static_cast<char>('a' + depth)), {}))
              .attributes.id;
  }
  const FileId f = must(fs().create(dir, "f", {})).attributes.id;
  write(f, 0, "once", true);
  clock.wait(2 * kWriteSessionIdleNs);
  EXPECT_EQ(code(try_write(f, 0, "twice")), Errc::object_locked);
  EXPECT_EQ(code(run(fs().remove(dir, "f", RemoveKind::file))), Errc::object_locked);
  EXPECT_EQ(code(run(fs().rename(dir, "f", top, "f"))), Errc::object_locked);
  EXPECT_EQ(code(run(ns->delete_bucket("b"))), Errc::bucket_not_empty);
  EXPECT_EQ(read(f), "once");
  clock.advance(2 * kDay);
  must(fs().remove(dir, "f", RemoveKind::file));
}

}  // namespace
}  // namespace outcrop::ns
