// Limits and sums while many write at once, on several threads.
#include <atomic>

#include "storage/segment/blob_store.h"
#include "tests/support/race.h"
#include "tests/unit/storage/ns/quota_fixture.h"

namespace outcrop::ns {
namespace {

constexpr unsigned kThreads = 4, kTasks = 25;

class QuotaRace : public QuotaTest {
 protected:
  QuotaRace() : QuotaTest(3) {}

  /// Counts what is done; quota_exceeded is no failure.
  Task<> put_one(std::string key, std::size_t n, std::atomic<int>& done) {
    const auto put = co_await put_task("b", std::move(key), bytes(n));
    if (!put && put.error().code() != Errc::quota_exceeded) {
      co_return fail(put.error());
    }
    done += put ? 1 : 0;
    co_return ok();
  }
  Task<> write_one(FileId id, std::uint64_t offset, std::size_t n, std::atomic<int>& done) {
    const std::string data = bytes(n);
    std::vector<Buffer> buffers;
    buffers.push_back(Buffer::copy_of(as_bytes(data)));
    const auto written = co_await fs().write(id, offset, std::move(buffers), offset % 2 == 0);
    if (!written && written.error().code() != Errc::quota_exceeded) {
      co_return fail(written.error());
    }
    done += written ? 1 : 0;
    co_return ok();
  }
};

TEST_F(QuotaRace, ParallelWritersNeverExceedTheLimit) {
  limit(1000);
  std::atomic<int> done = 0;
  test::run_race(kThreads, kTasks,
                 [&](unsigned i) { return put_one("k" + std::to_string(i), 30, done); });
  EXPECT_EQ(done, 33);
  expect_usage(990, 33);
}

TEST_F(QuotaRace, ObjectsToo) {
  limit({}, 40);
  std::atomic<int> done = 0;
  test::run_race(kThreads, kTasks,
                 [&](unsigned i) { return put_one("d/k" + std::to_string(i), 1, done); });
  EXPECT_EQ(done, 40);
  expect_usage(40, 40);
}

TEST_F(QuotaRace, FilesAndObjectsTogether) {
  std::vector<FileId> files;
  for (int i = 0; i < 8; ++i) {
    files.push_back(create("f" + std::to_string(i)));
  }
  limit(200'000);
  std::atomic<int> puts = 0, writes = 0;
  test::run_race(kThreads, kTasks, [&](unsigned i) -> Task<> {
    if (i % 2 == 0) {
      return put_one("k" + std::to_string(i), 5000, puts);
    }
    return write_one(files[i / 2 % files.size()], (i / 16) * 5000 + i % 3, 5000, writes);
  });
  EXPECT_LE(usage().used.bytes + static_cast<std::int64_t>(usage().reserved), 200'000);
  must(fs().flush_idle(INT64_MAX));
  EXPECT_LE(usage().used.bytes, 200'000);
  EXPECT_GT(usage().used.bytes, 100'000);
  EXPECT_EQ(usage().reserved, 0U);
  expect_clean();
}

// Everything at once on few keys, with a limit that comes and goes: the recount at the end says
// whether a cell was ever written twice.
TEST_F(QuotaRace, SumsStayExact) {
  std::atomic<int> done = 0;
  test::run_race(kThreads, 60, [&](unsigned i) -> Task<> {
    const std::string key = "k" + std::to_string(i * 7 % 5);
    switch (i % 5) {
      case 0:
      case 1:
        return put_one(key, i, done);
      case 2:
        return [](auto* self, std::string name) -> Task<> {
          CO_TRYV(co_await self->ns->remove("b", name, {}));
          co_return ok();
        }(this, key);
      case 3:
        return [](auto* self, std::string name, std::string to) -> Task<> {
          CopyRequest request;
          request.source_bucket = "b";
          request.source_key = name;
          const auto copied = co_await self->ns->copy("b", to, std::move(request));
          const bool fine = copied || copied.error().code() == Errc::no_such_key ||
                            copied.error().code() == Errc::quota_exceeded;
          co_return fine ? ok() : Result<void>(fail(copied.error()));
        }(this, key, "c" + std::to_string(i % 3));
      default:
        return ns->put_limits(
            "b", {i % 2 == 0 ? std::optional<std::uint64_t>(500) : std::nullopt, std::nullopt});
    }
  });
  expect_clean();
}

}  // namespace
}  // namespace outcrop::ns
