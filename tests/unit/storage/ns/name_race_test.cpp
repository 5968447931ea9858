// Several workers change the names of one bucket, as files and as objects. Whatever the order,
// every error is one that the order explains, and the tree is whole at the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <set>

#include "tests/support/file_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

constexpr unsigned kThreads = 3;
constexpr unsigned kTasks = 4;

NamespaceConfig config() {
  NamespaceConfig out;
  out.object_cache_bytes = 1 << 20;
  out.directory_times = 64;
  return out;
}

class NameRace : public testing::Test, protected test::FileFixture {
 protected:
  NameRace() : FileFixture(config(), 3) {}
  ~NameRace() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
    blobs.collect();
  }
  FileId top() const { return {root, root}; }

  template <class Body>
  void race(Body body) {
    test::run_race(kThreads, kTasks, body);
  }
  FileId mkdir(FileId parent, std::string name) {
    return must(fs().make_directory(parent, name, {})).attributes.id;
  }
};

// Nothing but what a lost race explains.
bool explained(Errc code) {
  constexpr Errc kExpected[] = {Errc::not_found,        Errc::already_exists, Errc::is_directory,
                                Errc::not_directory,    Errc::not_empty,      Errc::stale,
                                Errc::no_such_key,      Errc::no_xattr,       Errc::bad_cookie,
                                Errc::invalid_argument, Errc::too_many_links};
  return std::ranges::find(kExpected, code) != std::end(kExpected);
}

// One client of both protocols, with names that others use too.
class Client {
 public:
  Client(TreeNamespace& ns, FileId top, unsigned seed) : x_ns(ns), x_top(top), x_random(seed) {}

  Task<> step() {
    CO_TRY(const FileId a, co_await directory());
    CO_TRY(const FileId b, co_await directory());
    const std::string from = name();
    const std::string to = name();
    FileSystem& fs = x_ns.files();
    switch (x_random() % 9) {
      case 0:
        co_return forget(co_await fs.create(a, from, {}));
      case 1:
        co_return forget(co_await fs.make_directory(a, from, {}));
      case 2:
        co_return forget(co_await fs.make_symlink(a, from, "t", {}));
      case 3:
      case 4:
        co_return forget(co_await fs.remove(a, from, RemoveKind::any));
      case 5:
      case 6:
        co_return forget(co_await fs.rename(a, from, b, to));
      case 7:
        co_return co_await on_file(a, from, b, to);
      default:
        co_return co_await as_object(from, to);
    }
  }

 private:
  std::string name() { return std::string(1, static_cast<char>('m' + x_random() % 4)); }

  // The root or a directory in it, by whatever name has one now.
  Task<FileId> directory() {
    if (x_random() % 2 == 0) {
      co_return x_top;
    }
    const auto found = co_await x_ns.files().lookup(x_top, name());
    co_return found && found->type == FileType::directory ? found->id : x_top;
  }

  Task<> on_file(FileId a, std::string from, FileId b, std::string to) {
    FileSystem& fs = x_ns.files();
    const auto found = co_await fs.lookup(a, from);
    if (!found) {
      co_return forget(found);
    }
    SetAttributes set;
    set.mtime_ns = 5;
    switch (x_random() % 5) {
      case 0:
        co_return forget(co_await fs.link(found->id, b, to));
      case 1:
        x_open.push_back({});
        if (auto hold = co_await fs.hold(found->id)) {
          x_open.back() = *std::move(hold);
        }
        if (x_open.size() > 3) {
          x_open.erase(x_open.begin());
        }
        co_return ok();
      case 2:
        co_return forget(co_await fs.set_attributes(found->id, set));
      case 3:
        co_return forget(
            co_await fs.set_xattr(found->id, "user.x", to, FileSystem::XattrMode::either));
      default:
        co_return co_await fs.flush_idle(INT64_MAX);
    }
  }

  Task<> as_object(std::string from, std::string to) {
    const std::string key = from + (x_random() % 2 == 0 ? "" : "/" + to);
    const std::string other = to + (x_random() % 2 == 0 ? "" : "/" + from);
    switch (x_random() % 5) {
      case 0: {
        CO_TRY(auto writer, co_await x_ns.open_write("b", key, 0));
        CO_TRYV(co_await test::write_all(*writer, key, key.size()));
        co_return forget(co_await x_ns.put("b", key, std::move(writer), {}));
      }
      case 1:
        co_return forget(co_await x_ns.remove("b", key, {}));
      case 2:
        co_return forget(co_await x_ns.rename("b", key, other));
      case 3:
        co_return forget(co_await x_ns.rename("b", from + "/", to + "/"));
      default:
        co_return forget(co_await x_ns.copy("b", other,
                                            {.source_bucket = "b",
                                             .source_key = key,
                                             .source_conditions = {},
                                             .conditions = {},
                                             .replace = {}}));
    }
  }

  template <class T>
  static Result<void> forget(const Result<T>& result) {
    return result || explained(result.error().code()) ? ok() : Result<void>(fail(result.error()));
  }

  TreeNamespace& x_ns;
  const FileId x_top;
  std::mt19937 x_random;
  std::vector<OpenHoldPtr> x_open;
};

TEST_F(NameRace, AnyOrderLeavesAWholeTree) {
  for (unsigned round = 0; round < 4; ++round) {
    const auto body = [&](unsigned task) -> Task<> {
      Client client(*ns, top(), round * 100 + task);
      for (int i = 0; i < 150; ++i) {
        CO_TRYV(co_await client.step());
      }
      co_return ok();
    };
    race(body);
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
  }
}

TEST_F(NameRace, OneWinnerPerName) {
  constexpr int kNames = 30;
  std::array<std::atomic<int>, kNames> winners{};
  const auto body = [&](unsigned task) -> Task<> {
    for (int i = 0; i < kNames; ++i) {
      const std::string name = "n" + std::to_string(i);
      Result<Created> made;
      if (task % 3 == 0) {
        made = co_await fs().create(top(), name, {.how = CreateMode::guarded, .attributes = {}});
      } else if (task % 3 == 1) {
        made = co_await fs().make_directory(top(), name, {});
      } else {
        made = co_await fs().make_symlink(top(), name, "t", {});
      }
      winners[static_cast<std::size_t>(i)] += made.has_value();
      EXPECT_TRUE(made || made.error().code() == Errc::already_exists);
    }
    co_return ok();
  };
  race(body);
  for (const auto& n : winners) {
    EXPECT_EQ(n, 1);
  }
}

// What a reply says of a directory happened in no other reply, and the last one is what is left.
TEST_F(NameRace, DirectoryChangesAreAChain) {
  const FileId d = mkdir(top(), "d");
  std::mutex mutex;
  std::vector<DirectoryChange> changes;
  const auto body = [&](unsigned task) -> Task<> {
    for (int i = 0; i < 40; ++i) {
      const std::string name = std::to_string(task) + "-" + std::to_string(i);
      CO_TRY(const Created made, co_await fs().create(d, name, {}));
      CO_TRYV(co_await put_task("b", "d/s3-" + name, "x"));
      const std::lock_guard lock(mutex);
      changes.push_back(made.parent);
    }
    co_return ok();
  };
  race(body);
  std::ranges::sort(changes, {}, &DirectoryChange::before);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_LT(changes[i].before, changes[i].after);
    EXPECT_TRUE(i == 0 || changes[i - 1].after <= changes[i].before);
  }
  EXPECT_GE(must(fs().get_attributes(d)).change, changes.back().after);
}

// Names that stay are read exactly once, whatever comes and goes between the pages.
TEST_F(NameRace, ReadersSeeWhatStaysOnce) {
  const FileId d = mkdir(top(), "d");
  std::set<std::string> stay;
  for (int i = 0; i < 60; ++i) {
    stay.insert("s" + std::to_string(i));
    must(fs().create(d, "s" + std::to_string(i), {}));
  }
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    for (int i = 0; i < 30; ++i) {
      if (task % 2 == 0) {
        const std::string name = "s" + std::to_string(random() % 60) + "-" + std::to_string(task);
        CO_TRYV(co_await fs().create(d, name, {}));
        CO_TRYV(co_await fs().rename(d, name, d, name + "x"));
        CO_TRYV(co_await fs().remove(d, name + "x", RemoveKind::file));
        continue;
      }
      std::multiset<std::string> seen;
      std::uint64_t cookie = 0;
      for (bool eof = false; !eof;) {
        CO_TRY(const DirectoryPage page, co_await fs().read_directory(d, cookie, 7, 1 << 20));
        for (const DirectoryEntry& entry : page.entries) {
          seen.insert(entry.name);
          cookie = entry.cookie;
        }
        eof = page.eof;
      }
      for (const std::string& name : stay) {
        EXPECT_EQ(seen.count(name), 1u) << name;
      }
    }
    co_return ok();
  };
  race(body);
}

}  // namespace
}  // namespace outcrop::ns
