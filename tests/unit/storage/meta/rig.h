// A metadata store on simulated drives, with a payload store just good enough for replay.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/base/async.h"
#include "storage/drives/drive_set.h"
#include "storage/io/sim_disk.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/meta/tables.h"

namespace outcrop::meta {

/// One 4 KiB record per fresh extent, on m+1 drives, filled with its stamp.
class TestCompanion final : public CommitCompanion {
 public:
  static constexpr std::uint64_t kBytes = 1 << 20;
  explicit TestCompanion(drives::DriveSet& drives) : x_drives(drives) {
    for (drives::Slot slot = 0; slot <= drives.parity(); ++slot) {
      io::Disk* disk = drives.disk(slot);
      if (disk == nullptr) {
        continue;
      }
      const auto there = disk->exists("segments/one");
      if (there && !*there && !disk->prewrite("segments/one", kBytes)) {
        continue;
      }
      if (auto file = disk->open("segments/one", io::Access::read_write, io::Cache::direct)) {
        x_files[slot] = *std::move(file);
      }
    }
  }

  Extent place(std::uint64_t record) {
    const Extent e{1, (record * kIoAlign) % kBytes, kIoAlign, record + 1};
    for (auto& [slot, file] : x_files) {
      if (x_drives.live(slot)) {
        x_pending.push_back({.kind = io::OpKind::write,
                             .file = file.get(),
                             .offset = e.offset,
                             .buffer = record_bytes(e),
                             .durable = true,
                             .result = {}});
        x_slots.push_back(slot);
      }
    }
    return e;
  }
  bool holds(const Extent& e, drives::Slot slot) {
    const auto at = x_files.find(slot);
    const Buffer got = Buffer::make(kIoAlign);
    return at != x_files.end() && at->second->read_sync(e.offset, got.writable()) &&
           std::ranges::equal(got.view(), record_bytes(e).view());
  }

  void attach(MetaStore& store) override { x_store = &store; }
  Result<std::vector<io::IoOp>> take_pending(unsigned) override {
    x_taken = std::move(x_slots);
    x_slots.clear();
    return std::exchange(x_pending, {});
  }
  Task<> finished(unsigned, std::span<io::IoOp> ops) override {
    std::size_t good = 0;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (ops[i].result) {
        ++good;
      } else if (ops[i].result.error().code() == Errc::no_space) {
        co_return fail(ops[i].result.error());
      } else {
        (void)x_drives.eject(x_taken[i], ops[i].result.error());
      }
    }
    co_return good > 0 ? ok() : fail(Errc::io_error);
  }
  Task<bool> verify_and_complete(const Extent& e) override {
    // Looking things up must work in the middle of a replay.
    CO_TRYV(co_await x_store->get("b-none"));
    ++verified;
    bool found = false;
    for (auto& [slot, file] : x_files) {
      found = found || holds(e, slot);
    }
    for (auto& [slot, file] : x_files) {
      if (found && !holds(e, slot)) {
        CO_TRYV(file->write_sync(e.offset, record_bytes(e).view()));
        CO_TRYV(file->sync());
      }
    }
    co_return found;
  }
  unsigned verified = 0;

 private:
  static Buffer record_bytes(const Extent& e) {
    const Buffer b = Buffer::make(kIoAlign);
    std::memset(b.data(), static_cast<int>(e.stamp % 251 + 1), kIoAlign);
    std::memcpy(b.data(), &e.stamp, sizeof e.stamp);
    return b;
  }
  drives::DriveSet& x_drives;
  MetaStore* x_store = nullptr;
  std::map<drives::Slot, std::unique_ptr<io::File>> x_files;
  std::vector<io::IoOp> x_pending;
  std::vector<drives::Slot> x_slots, x_taken;
};

inline MetaConfig small_config() {
  MetaConfig c;
  c.journal_file_bytes = 64 << 10;
  c.block_cache_bytes = 1 << 20;
  c.memtable_bytes = 256 << 10;
  c.follower_batch_bytes = 1 << 10;  // a few blocks
  return c;
}

inline void format(io::SimWorld& world, unsigned parity) {
  SeededRandom random(7);
  const auto disks = world.open_disks();
  ASSERT_TRUE(drives::DriveSet::format(disks, parity, random));
}

/// Transfers that end while it is stopped are told of when it goes on.
class StoppableBackend final : public io::IoBackend {
 public:
  explicit StoppableBackend(std::unique_ptr<io::IoBackend> inner) : x_inner(std::move(inner)) {}
  std::string_view name() const override { return x_inner->name(); }
  void set_hedge(unsigned drives) override { x_inner->set_hedge(drives); }
  void submit(std::span<io::IoOp> ops, std::move_only_function<void()> done) override {
    x_inner->submit(ops, [this, done = std::move(done)]() mutable {
      if (x_stopped) {
        x_ended.push_back(std::move(done));
      } else {
        done();
      }
    });
  }
  void stop() { x_stopped = true; }
  void go_on() {
    x_stopped = false;
    for (auto& done : std::exchange(x_ended, {})) {
      done();
    }
  }

 private:
  const std::unique_ptr<io::IoBackend> x_inner;
  bool x_stopped = false;
  std::vector<std::move_only_function<void()>> x_ended;
};

/// One run of the process, in one thread, without pool threads.
class Process {
 public:
  explicit Process(io::SimWorld& world, MetaConfig config = small_config())
      : x_config(config), backend(std::make_unique<StoppableBackend>(world.make_backend(io))) {
    auto opened = drives::DriveSet::open(world.open_disks());
    if (!opened) {
      error = opened.error();
      return;
    }
    drives = *std::move(opened);
    companion = std::make_unique<TestCompanion>(*drives);
    auto made = run_on(io, JournaledMetaStore::open(x_config, *drives, *companion,
                                                    {{.io = &io, .backend = backend.get()}}, pool));
    if (!made) {
      error = made.error();
      return;
    }
    store = *std::move(made);
    settle();
  }
  ~Process() {
    if (store) {
      (void)close();
    }
  }
  Result<void> close() {
    auto done = run_on(io, store->close());
    store.reset();
    return done;
  }
  /// Lets background work that is ready run.
  void settle() {
    io.restart();
    io.poll();
  }
  Result<void> commit(Batch batch) { return run_on(io, store->commit(std::move(batch))); }
  Result<void> put(std::string key, std::string value) {
    Batch b;
    b.put(std::move(key), std::move(value));
    return commit(std::move(b));
  }
  std::optional<std::string> get(std::string key) {
    auto got = run_on(io, store->get(key));
    EXPECT_TRUE(got) << got.error().describe();
    return got ? *got : std::nullopt;
  }
  /// All but the store's own positions.
  std::map<std::string, std::string> all() {
    std::map<std::string, std::string> out;
    ScanRequest request;
    request.limit = 100;
    for (;;) {
      auto page = run_on(io, store->scan(request));
      EXPECT_TRUE(page) << page.error().describe();
      if (!page) {
        return out;
      }
      for (auto& e : page->entries) {
        if (e.key.front() != static_cast<char>(Table::journal)) {
          out.emplace(e.key, e.value);
        }
      }
      if (!page->more) {
        return out;
      }
      request.lower = page->entries.back().key + '\0';
    }
  }

  MetaConfig x_config;
  asio::io_context io{1};
  BlockingPool pool{0};
  std::unique_ptr<StoppableBackend> backend;
  std::unique_ptr<drives::DriveSet> drives;
  std::unique_ptr<TestCompanion> companion;
  std::unique_ptr<JournaledMetaStore> store;
  std::optional<Error> error;
};

}  // namespace outcrop::meta
