// Who locks a version against who takes it away or writes to it, on several workers: once an answer
// has said that it is locked, it stays, with its bytes.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/namespace_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

class LockRace : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  LockRace() : NamespaceFixture({.object_cache_bytes = 1 << 20}, 3) {
    root = must(ns->create_bucket("b", "", true)).root;
  }
  ~LockRace() override {
    must(ns->files().flush_idle(INT64_MAX));
    expect_clean();
  }
  Task<std::string> read_version(std::string key, std::string id) {
    CO_TRY(auto reader, co_await ns->open_read("b", key, id));
    co_return co_await test::read_range(*reader, {0, reader->info().size});
  }
  InodeId root = 0;
};

TEST_F(LockRace, ADeleteOrALockWinsNeverBoth) {
  for (int round = 0; round < 60; ++round) {
    const std::string key = round % 3 == 0 ? "k" : "d/e/k" + std::to_string(round);
    const std::string id = put(key).version_id;
    if (round % 2 == 0) {
      put(key, "newer");
    }
    const VersionPage page = must(ns->list_versions("b", {.prefix = key}));
    SeenVersion seen;
    for (const VersionEntry& entry : page.entries) {
      seen = entry.version_id == id ? SeenVersion{entry.number, entry.since_ns} : seen;
    }
    std::atomic<int> locked{0}, deleted{0};
    const auto body = [&](unsigned task) -> Task<> {
      const LockChange hold{.hold = true};
      const LockChange retain{.retention = Retention{RetentionMode::compliance, kLastRetention}};
      if (task % 2 == 0) {
        const auto done = co_await ns->set_lock("b", key, id, task == 0 ? hold : retain);
        locked += done ? 1 : 0;
        EXPECT_TRUE(done || done.error().code() == Errc::no_such_version ||
                    done.error().code() == Errc::no_such_key)
            << done.error().describe();
        co_return ok();
      }
      Conditions conditions;
      conditions.bypass_governance = true;
      if (task == 1 && round % 2 == 0) {
        conditions.seen = seen;  // as a lifecycle rule
      }
      const auto done = co_await ns->remove_version("b", key, id, conditions);
      deleted += done && done->found ? 1 : 0;
      EXPECT_TRUE(done || done.error().code() == Errc::object_locked ||
                  done.error().code() == Errc::precondition_failed)
          << done.error().describe();
      co_return ok();
    };
    test::run_race(4, 1, body);
    EXPECT_TRUE((locked == 0) != (deleted == 0)) << locked << " " << deleted;
    EXPECT_EQ(run(ns->stat("b", key, id)).has_value(), locked > 0);
  }
}

TEST_F(LockRace, NobodyWritesIntoWhatIsLocked) {
  FileSystem& fs = ns->files();
  for (int round = 0; round < 40; ++round) {
    const std::string name = "f" + std::to_string(round);
    const FileId top{root, root};
    const FileId file = must(fs.create(top, name, {})).attributes.id;
    std::string id, bytes;
    const auto body = [&](unsigned task) -> Task<> {
      if (task == 0) {
        CO_TRY(const ObjectInfo info, co_await ns->set_lock("b", name, {}, {.hold = true}));
        id = info.version_id;
        CO_TRY(bytes, co_await read_version(name, id));
        co_return ok();
      }
      for (int i = 0; i < 10; ++i) {
        const std::string data(1 + i, static_cast<char>('a' + task));
        std::vector<Buffer> buffers{Buffer::copy_of(as_bytes(data))};
        if (task == 3 && i % 3 == 0) {
          SetAttributes size;
          size.size = 3 + i;
          CO_TRYV(co_await ns->files().set_attributes(file, size, std::nullopt));
        } else if (task == 3 && i % 3 == 1) {
          CO_TRYV(co_await ns->files().allocate(file, 0, 10 + i));
        } else {
          CO_TRYV(co_await ns->files().write(file, task, std::move(buffers), i % 2 == 0));
        }
      }
      co_return ok();
    };
    test::run_race(4, 1, body);
    must(fs.commit(file));
    EXPECT_EQ(must(read_version(name, id)), bytes) << round;
    EXPECT_EQ(must(ns->stat("b", name, id)).attributes.lock.hold, LegalHold::on);
  }
}

}  // namespace
}  // namespace outcrop::ns
