// Several workers at once. Each history is checked: a value read was written, and not before an
// acknowledged one; conditional creations have one winner; the tree is whole at the end.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/namespace_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

constexpr unsigned kThreads = 3;
constexpr unsigned kTasks = 4;

class Race : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  Race() : NamespaceFixture({.object_cache_bytes = 1 << 20}, 3) {
    must(ns->create_bucket("b", ""));
  }
  ~Race() override {
    expect_clean();
    blobs.collect();
  }

  // Runs body(task number) kTasks times on each of kThreads workers.
  template <class Body>
  void race(Body body) {
    test::run_race(kThreads, kTasks, body);
  }
};

std::string payload(std::uint64_t value, unsigned kind) {
  const std::size_t sizes[] = {10, 3000, 150'000};
  std::string out = std::to_string(value) + ":";
  out.resize(sizes[kind % 3], static_cast<char>('a' + value % 26));
  return out;
}

// One register per key: writers store ever larger numbers, one after the other by If-Match; readers
// must see numbers that never go back, and never one older than what was acknowledged before.
TEST_F(Race, ReadsNeverGoBack) {
  constexpr unsigned kKeys = 3;
  std::array<std::atomic<std::uint64_t>, kKeys> acked{};
  std::atomic<std::uint64_t> next{1};
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    std::array<std::uint64_t, kKeys> seen{};
    for (int i = 0; i < 120; ++i) {
      const unsigned k = random() % kKeys;
      const std::string key = "dir/" + std::to_string(k);
      if (random() % 4 == 0) {
        const auto current = co_await ns->stat("b", key);
        PutRequest request;
        if (current) {
          request.conditions.if_match = current->etag;
        } else {
          request.conditions.if_none_match = "*";
        }
        const std::uint64_t value = next.fetch_add(1);
        request.etag = std::to_string(value);
        const std::uint64_t previous = current ? std::stoull(current->etag) : 0;
        if (value < previous) {
          continue;
        }
        const auto put = co_await put_task("b", key, payload(value, random()), request);
        if (put) {
          std::uint64_t old = acked[k];
          while (old < value && !acked[k].compare_exchange_weak(old, value)) {
          }
        } else if (put.error().code() != Errc::precondition_failed) {
          co_return fail(put.error());
        }
      } else if (random() % 16 == 0) {
        blobs.collect();
      } else {
        const std::uint64_t floor = std::max<std::uint64_t>(acked[k], seen[k]);
        const auto data = co_await get_task("b", key);
        if (!data && data.error().code() != Errc::no_such_key) {
          co_return fail(data.error());
        }
        const std::uint64_t value = data ? std::stoull(*data) : 0;
        EXPECT_GE(value, floor) << key;
        seen[k] = value;
        if (data) {
          EXPECT_EQ(data->back(), static_cast<char>('a' + value % 26));
        }
      }
    }
    co_return ok();
  };
  race(body);
}

// Creations and deletions of keys in shared, implicit directories: what was acknowledged is there.
TEST_F(Race, PrunedDirectoriesLoseNothing) {
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    const std::string name = std::to_string(task);
    for (int i = 0; i < 60; ++i) {
      const std::string dirs[] = {"d/", "d/e/", "d/e/f/g/", "h/"};
      const std::string key = dirs[random() % 4] + name;
      CO_TRYV(co_await put_task("b", key, key));
      CO_TRY(const std::string data, co_await get_task("b", key));
      EXPECT_EQ(data, key);
      if (random() % 3 == 0) {
        const std::string moved = dirs[random() % 4] + name;
        CO_TRYV(co_await ns->rename("b", key, moved));
        CO_TRY(const bool removed, co_await ns->remove("b", moved, {}));
        EXPECT_TRUE(removed);
      } else {
        CO_TRY(const bool removed, co_await ns->remove("b", key, {}));
        EXPECT_TRUE(removed);
      }
      CO_TRY(const ListPage page,
             co_await ns->list("b", {.prefix = "", .delimiter = "", .start_after = ""}));
      for (const auto& entry : page.entries) {
        EXPECT_FALSE(entry.key.ends_with("/" + name)) << entry.key;
      }
    }
    co_return ok();
  };
  race(body);
  EXPECT_TRUE(names().empty());
  std::size_t dirents = 0;
  for (const auto& [key, value] : meta.dump()) {
    dirents += key[0] == 'd';
  }
  EXPECT_EQ(dirents, 0u);
}

// All keys of a directory go at once: whoever is last must take the directory along.
TEST_F(Race, TheLastDeletionsTogetherPrune) {
  for (int round = 0; round < 40; ++round) {
    for (unsigned task = 0; task < kThreads * kTasks; ++task) {
      put("d/e/" + std::to_string(task));
    }
    const auto body = [&](unsigned task) -> Task<> {
      CO_TRY(const bool removed, co_await ns->remove("b", "d/e/" + std::to_string(task), {}));
      EXPECT_TRUE(removed);
      co_return ok();
    };
    race(body);
    const auto records = meta.dump();
    ASSERT_TRUE(std::ranges::none_of(records, [](const auto& r) { return r.first[0] == 'd'; }));
  }
}

// Directories move while keys are written below both of their names.
TEST_F(Race, DirectoryRenamesAgainstWriters) {
  std::atomic<int> written{0};
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    for (int i = 0; i < 60; ++i) {
      if (task % 4 == 0) {
        const bool forth = random() % 2 == 0;
        const auto moved = co_await ns->rename("b", forth ? "x/" : "y/z/", forth ? "y/z/" : "x/");
        if (!moved && moved.error().code() != Errc::no_such_key &&
            moved.error().code() != Errc::already_exists) {
          co_return fail(moved.error());
        }
      } else {
        const std::string key = (random() % 2 == 0 ? "x/s/" : "y/z/s/") + std::to_string(task) +
                                "-" + std::to_string(i);
        CO_TRYV(co_await put_task("b", key, key));
        ++written;
      }
    }
    co_return ok();
  };
  race(body);
  EXPECT_EQ(names({.prefix = "", .delimiter = "", .start_after = "", .max_keys = 100'000}).size(),
            static_cast<std::size_t>(written));
}

TEST_F(Race, OneWinnerPerConditionalCreation) {
  std::array<std::atomic<int>, 40> winners{};
  const auto body = [&](unsigned) -> Task<> {
    for (std::size_t i = 0; i < winners.size(); ++i) {
      PutRequest request;
      request.conditions.if_none_match = "*";
      const auto put = co_await put_task("b", "c/" + std::to_string(i), "x", request);
      winners[i] += put.has_value();
      if (!put && put.error().code() != Errc::precondition_failed) {
        co_return fail(put.error());
      }
    }
    co_return ok();
  };
  race(body);
  for (const auto& n : winners) {
    EXPECT_EQ(n, 1);
  }
}

TEST_F(Race, BucketsComeAndGo) {
  const auto body = [&](unsigned task) -> Task<> {
    for (int i = 0; i < 60; ++i) {
      if (task % 3 == 0) {
        const auto created = co_await ns->create_bucket("t", "");
        const auto deleted = co_await ns->delete_bucket("t");
        for (const auto& error : {created ? Errc::bucket_exists : created.error().code(),
                                  deleted ? Errc::no_such_bucket : deleted.error().code()}) {
          EXPECT_TRUE(error == Errc::bucket_exists || error == Errc::bucket_not_empty ||
                      error == Errc::no_such_bucket)
              << to_string(error);
        }
      } else {
        const std::string key = "p/" + std::to_string(task);
        const auto put = co_await put_task("t", key, "x");
        const auto removed = co_await ns->remove("t", key, {});
        EXPECT_TRUE(put || put.error().code() == Errc::no_such_bucket);
        EXPECT_TRUE(removed || removed.error().code() == Errc::no_such_bucket);
        EXPECT_FALSE(put && removed && !*removed);
      }
    }
    co_return ok();
  };
  race(body);
}

// The same upload completed, aborted and written to at once: one outcome, nothing left over.
TEST_F(Race, UploadsEndOnce) {
  for (int round = 0; round < 15; ++round) {
    const UploadInfo upload = must(ns->create_upload("b", "m/k", {}, {}, {}));
    auto writer = must(ns->open_write("b", "m/k", 0));
    must(test::write_all(*writer, "part", 10));
    must(ns->put_part("b", "m/k", upload.upload_id, 1, std::move(writer), "e", {}));
    std::atomic<int> completed{0}, aborted{0};
    const auto body = [&](unsigned task) -> Task<> {
      if (task % 3 == 0) {
        CompleteRequest request{
            .parts = {{1, "e", {}}}, .conditions = {}, .object_size = {}, .checksum = {}};
        const auto done = co_await ns->complete_upload("b", "m/k", upload.upload_id, request);
        completed += done.has_value();
      } else if (task % 3 == 1) {
        aborted += (co_await ns->abort_upload("b", "m/k", upload.upload_id)).has_value();
      } else {
        CO_TRY(auto late, co_await ns->open_write("b", "m/k", 0));
        CO_TRYV(co_await test::write_all(*late, std::string(5000, 'l'), 5000));
        const auto part =
            co_await ns->put_part("b", "m/k", upload.upload_id, task, std::move(late), "l", {});
        EXPECT_TRUE(part || part.error().code() == Errc::no_such_upload);
      }
      co_return ok();
    };
    race(body);
    EXPECT_TRUE((completed > 0) != (aborted > 0)) << completed << " " << aborted;
    EXPECT_LE(aborted, 1);
    expect_clean();
    must(ns->remove("b", "m/k", {}));
  }
}

}  // namespace
}  // namespace outcrop::ns
