// Two workers with their own threads on real directories.
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "storage/base/worker.h"
#include "tests/unit/storage/meta/rig.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The packaged RocksDB is not instrumented: its memtable's atomics are invisible, its memcmp is
// not. Races in our own code are still reported.
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
#endif
#endif

namespace outcrop::meta {
namespace {

class TempDir {
 public:
  TempDir() : x_path(::testing::TempDir() + "outcrop-meta-XXXXXX") {
    OUTCROP_ASSERT(::mkdtemp(x_path.data()) != nullptr);
  }
  ~TempDir() { std::filesystem::remove_all(x_path); }
  const std::string& path() const { return x_path; }

 private:
  std::string x_path;
};

class NoPayload final : public CommitCompanion {
 public:
  void attach(MetaStore&) override {}
  Result<std::vector<io::IoOp>> take_pending(unsigned) override { return std::vector<io::IoOp>{}; }
  Task<> finished(unsigned, std::span<io::IoOp>) override { co_return ok(); }
  Task<bool> verify_and_complete(const Extent&) override { co_return true; }
};

std::vector<std::unique_ptr<io::Disk>> disks_in(const std::string& root, unsigned count) {
  std::vector<std::unique_ptr<io::Disk>> out;
  for (unsigned i = 0; i < count; ++i) {
    const std::string path = root + "/" + std::to_string(i);
    std::filesystem::create_directory(path);
    out.push_back(*io::open_posix_disk(path));
  }
  return out;
}

struct Client {
  JournaledMetaStore& store;
  unsigned id;
  unsigned failures = 0;
};

// Owns its keys: writes, reads back, scans, erases some.
Task<> work(Client& c) {
  for (unsigned i = 0; i < 40; ++i) {
    const std::string key = "d" + std::to_string(c.id) + "/" + std::to_string(100 + i);
    Batch b;
    b.put(key, "v" + std::to_string(i));
    if (i % 5 == 4) {
      b.erase("d" + std::to_string(c.id) + "/" + std::to_string(100 + i - 1));
    }
    CO_TRYV(co_await c.store.commit(std::move(b)));
    CO_TRY(const auto got, co_await c.store.get(key));
    c.failures += got == "v" + std::to_string(i) ? 0 : 1;
  }
  ScanRequest request;
  request.lower = "d" + std::to_string(c.id) + "/";
  request.upper = "d" + std::to_string(c.id) + "0";
  CO_TRY(const ScanPage page, co_await c.store.scan(request));
  c.failures += page.entries.size() == 32 ? 0 : 1;
  co_return ok();
}

TEST(MetaStoreThreads, TwoWorkersManyClients) {
  const TempDir dir;
  {
    SeededRandom random(3);
    const auto disks = disks_in(dir.path(), 3);
    ASSERT_TRUE(drives::DriveSet::format(disks, 1, random));
  }
  auto drives = *drives::DriveSet::open(disks_in(dir.path(), 3));
  NoPayload companion;
  BlockingPool pool(2);
  asio::io_context io[2]{asio::io_context{1}, asio::io_context{1}};
  std::unique_ptr<io::IoBackend> backends[2];
  for (unsigned w = 0; w < 2; ++w) {
    backends[w] = *io::make_backend(io::BackendKind::threads, io[w]);
  }
  MetaConfig config = small_config();
  config.journal_file_bytes = 256 << 10;
  auto store = *run_on(
      io[0],
      JournaledMetaStore::open(config, *drives, companion,
                               {{&io[0], backends[0].get()}, {&io[1], backends[1].get()}}, pool));

  std::vector<Client> clients;
  for (unsigned i = 0; i < 40; ++i) {
    clients.push_back({*store, i});
  }
  std::atomic<unsigned> left{40}, failed{0};
  std::vector<std::thread> threads;
  for (unsigned w = 0; w < 2; ++w) {
    for (unsigned i = w; i < clients.size(); i += 2) {
      asio::co_spawn(io[w].get_executor(), work(clients[i]),
                     [&](std::exception_ptr, Result<void> r) {
                       failed += r ? 0 : 1;
                       --left;
                     });
    }
    threads.emplace_back([&, w] {
      set_worker_index(w);
      const auto guard = asio::make_work_guard(io[w]);
      io[w].restart();
      while (left > 0) {
        io[w].run_for(std::chrono::milliseconds(20));
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  EXPECT_EQ(failed, 0U);
  for (const Client& c : clients) {
    EXPECT_EQ(c.failures, 0U);
  }
  EXPECT_EQ(store->stats().transactions, 1600U);
  std::atomic<bool> closed{false};
  std::thread other([&] {
    set_worker_index(1);
    const auto guard = asio::make_work_guard(io[1]);
    io[1].restart();
    while (!closed) {
      io[1].run_for(std::chrono::milliseconds(20));
    }
  });
  EXPECT_TRUE(run_on(io[0], store->close()));
  closed = true;
  other.join();
  for (asio::io_context& context : io) {
    context.restart();
    context.poll();
  }
}

}  // namespace
}  // namespace outcrop::meta
