// Several workers on the same few keys of a bucket with versions: what an answer gave an id to is
// readable by that id until it is deleted by it, and the tree is whole at the end.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/support/namespace_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

constexpr unsigned kThreads = 3;
constexpr unsigned kTasks = 4;

class VersionRace : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  VersionRace() : NamespaceFixture({.object_cache_bytes = 1 << 20}, 3) {
    x_root = must(ns->create_bucket("b", "")).root;
    must(ns->put_versioning("b", Versioning::enabled));
  }
  ~VersionRace() override {
    must(ns->files().flush_idle(INT64_MAX));
    expect_clean();
    blobs.collect();
  }

  FileSystem& fs() { return ns->files(); }

  Task<std::string> read_version(std::string key, std::string id) {
    CO_TRY(auto reader, co_await ns->open_read("b", key, id));
    co_return co_await test::read_range(*reader, {0, reader->info().size});
  }

  // A file client makes, writes and removes what S3 clients use at the same time.
  Task<> be_a_file_client(std::mt19937& random, std::string directory, std::string name) {
    const FileId root{x_root, x_root};
    [[maybe_unused]] const auto made = co_await fs().make_directory(root, directory, {});
    const auto found = co_await fs().lookup(root, directory);
    if (!found || found->type != FileType::directory) {
      co_return ok();
    }
    const FileId dir = found->id;
    switch (random() % 4) {
      case 0: {
        const auto file = co_await fs().create(dir, name, {});
        if (file) {
          std::vector<Buffer> data{Buffer::copy_of(as_bytes(std::string_view("file")))};
          [[maybe_unused]] const auto written =
              co_await fs().write(file->attributes.id, 0, std::move(data), random() % 2 == 0);
        }
        break;
      }
      case 1: {
        [[maybe_unused]] const auto gone = co_await fs().remove(dir, name, RemoveKind::file);
        break;
      }
      case 2: {
        [[maybe_unused]] const auto moved = co_await fs().rename(dir, name, dir, name + "2");
        break;
      }
      default: {
        [[maybe_unused]] const auto gone =
            co_await fs().remove(root, directory, RemoveKind::directory);
        break;
      }
    }
    co_return ok();
  }

  InodeId x_root = 0;
};

/// Keys that share directories, and stand and fall with them.
const std::string kKeys[] = {"k", "d/k", "d/e/k", "d/e/f/g/k", "h/k", "h/"};

bool expected(const Error& error) {
  switch (error.code()) {
    case Errc::no_such_key:
    case Errc::key_deleted:
    case Errc::no_such_version:
    case Errc::delete_marker:
      return true;
    default:
      return false;
  }
}

TEST_F(VersionRace, WhatHasAnIdIsThereUntilItIsDeleted) {
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    std::map<std::string, std::pair<std::string, std::string>> mine;  // id -> key, data
    for (int i = 0; i < 80; ++i) {
      const std::string key = kKeys[random() % std::size(kKeys)];
      const unsigned what = random() % 12;
      if (what < 5) {
        const std::string data(random() % 3 == 0 ? 150'000 : 10, static_cast<char>('a' + task));
        CO_TRY(const ObjectInfo info, co_await put_task("b", key, data));
        mine[info.version_id] = {key, data};
      } else if (what < 7) {
        CO_TRY(const Deletion done, co_await ns->remove_version("b", key, {}, {}));
        EXPECT_TRUE(done.marker);
        if (random() % 2 == 0) {
          CO_TRY(const Deletion undone, co_await ns->remove_version("b", key, done.version_id, {}));
          EXPECT_TRUE(undone.found && undone.marker);
        }
      } else if (what < 9 && !mine.empty()) {
        const auto [id, version] = *std::next(mine.begin(), random() % mine.size());
        mine.erase(id);
        CO_TRY(const Deletion done, co_await ns->remove_version("b", version.first, id, {}));
        EXPECT_TRUE(done.found) << version.first;
      } else if (what == 9) {
        CO_TRYV(co_await ns->list_versions("b", {.max_keys = 5}));
        blobs.collect();
      } else if (what == 10) {
        CopyRequest copy{"b", key, {}, {}, {}};
        const auto copied = co_await ns->copy("b", kKeys[random() % std::size(kKeys)], copy);
        if (!copied && !expected(copied.error())) {
          co_return fail(copied.error());
        }
      } else {
        for (const auto& [id, version] : mine) {
          CO_TRY(const std::string data, co_await read_version(version.first, id));
          EXPECT_EQ(data == version.second, true) << version.first;
        }
      }
    }
    co_return ok();
  };
  test::run_race(kThreads, kTasks, body);
}

TEST_F(VersionRace, SuspendedBucketsHaveOneNullVersion) {
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    for (int i = 0; i < 60; ++i) {
      const std::string key = kKeys[random() % std::size(kKeys)];
      const unsigned what = random() % 8;
      if (what == 0) {
        const auto state = random() % 2 == 0 ? Versioning::enabled : Versioning::suspended;
        CO_TRYV(co_await ns->put_versioning("b", state));
      } else if (what < 3) {
        CO_TRYV(co_await ns->remove_version("b", key, {}, {}));
      } else if (what == 3) {
        CO_TRYV(co_await ns->remove_version("b", key, "null", {}));
      } else if (what == 4) {
        const std::string& to = kKeys[random() % (std::size(kKeys) - 1)];
        const auto moved = co_await ns->rename("b", key, to);
        if (!moved && !expected(moved.error()) && moved.error().code() != Errc::invalid_argument) {
          co_return fail(moved.error());
        }
      } else {
        CO_TRYV(co_await put_task("b", key, std::string(random() % 5000, 'x')));
      }
    }
    co_return ok();
  };
  test::run_race(kThreads, kTasks, body);
}

// Whoever began to delete before there were versions has no inode numbers for what a marker needs.
TEST_F(VersionRace, DeletesWhileVersioningIsEnabled) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const std::string bucket = "n" + std::to_string(round);
    must(ns->create_bucket(bucket, ""));
    const auto body = [&](unsigned task) -> Task<> {
      if (task == 0) {
        CO_TRYV(co_await ns->put_versioning(bucket, Versioning::enabled));
      } else if (task % 2 == 0) {
        CO_TRYV(co_await ns->remove_version(bucket, "x/y/absent", {}, {}));
      } else {
        CO_TRY(const Deletion done, co_await ns->remove_version(bucket, "z/y/absent", "null", {}));
        EXPECT_FALSE(done.marker) << "a delete by id marks nothing";
      }
      co_return ok();
    };
    test::run_race(1, 5, body);
    EXPECT_TRUE(must(ns->list_versions(bucket, {.prefix = "z/"})).entries.empty());
    if (HasFailure()) {
      return;
    }
  }
}

TEST_F(VersionRace, FileClientsAndS3OnTheSameNames) {
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    for (int i = 0; i < 60; ++i) {
      const std::string directory = random() % 2 == 0 ? "d" : "h";
      const std::string key = directory + "/" + (random() % 2 == 0 ? "k" : "k2");
      const unsigned what = random() % 8;
      if (what < 4) {
        CO_TRYV(co_await be_a_file_client(random, directory, random() % 2 == 0 ? "k" : "k2"));
      } else if (what < 6) {
        CO_TRYV(co_await put_task("b", key, std::string(random() % 5000, 's')));
      } else if (what == 6) {
        CO_TRYV(co_await ns->remove_version("b", key, {}, {}));
      } else {
        CO_TRY(const VersionPage page, co_await ns->list_versions("b", {.prefix = key}));
        for (const VersionEntry& entry : page.entries) {
          if (random() % 2 == 0) {
            CO_TRYV(co_await ns->remove_version("b", entry.entry.key, entry.version_id, {}));
          }
        }
      }
    }
    co_return ok();
  };
  test::run_race(kThreads, kTasks, body);
}

}  // namespace
}  // namespace outcrop::ns
