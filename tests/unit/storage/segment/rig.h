// A segment store and its metadata on simulated drives: one process, one worker, no threads.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/codec.h"
#include "storage/drives/drive_set.h"
#include "storage/io/sim_disk.h"
#include "storage/meta/extent_ref.h"
#include "storage/meta/journaled_meta_store.h"
#include "storage/meta/tables.h"
#include "storage/segment/segment_store.h"

namespace outcrop::segment {

inline constexpr std::uint64_t kTestShardBytes = 2 << 20;

inline std::string pattern(std::uint64_t seed, std::size_t size) {
  SeededRandom random(seed);
  std::string out(size, '\0');
  random.fill(std::as_writable_bytes(std::span(out)));
  return out;
}

inline io::SimWorld formatted_world(unsigned drives, unsigned parity) {
  io::SimWorld world(drives);
  SeededRandom random(7);
  EXPECT_TRUE(drives::DriveSet::format(world.open_disks(), parity, random));
  return world;
}

/// Keeps writes on their way while it is closed.
class Gate final : public io::IoBackend {
 public:
  explicit Gate(std::unique_ptr<io::IoBackend> inner) : x_inner(std::move(inner)) {}
  std::string_view name() const override { return x_inner->name(); }
  void submit(std::span<io::IoOp> ops, std::move_only_function<void()> done) override {
    if (closed && ops.front().kind == io::OpKind::write) {
      x_held.push_back({ops, std::move(done)});
    } else {
      x_inner->submit(ops, std::move(done));
    }
  }
  void set_hedge(unsigned drives) override { x_inner->set_hedge(drives); }
  void open() {
    closed = false;
    for (auto& [ops, done] : std::exchange(x_held, {})) {
      x_inner->submit(ops, std::move(done));
    }
  }
  bool closed = false;

 private:
  std::unique_ptr<io::IoBackend> x_inner;
  std::vector<std::pair<std::span<io::IoOp>, std::move_only_function<void()>>> x_held;
};

/// One run of the process. Dropped without close() it is killed.
class Process {
 public:
  enum class Start : std::uint8_t {
    all,
    metadata  ///< the segment store only does what replay asks of it
  };
  explicit Process(io::SimWorld& world, drives::DriveOptions options = {}, Start start = Start::all)
      : gate(world.make_backend(io)), x_world(world) {
    auto opened = drives::DriveSet::open(world.open_disks(), options);
    EXPECT_TRUE(opened) << opened.error().describe();
    drives = *std::move(opened);
    store = std::make_unique<SegmentStore>(*drives, x_pool, x_random, std::vector{&io},
                                           std::vector<io::IoBackend*>{&gate}, kTestShardBytes, 0);
    meta::MetaConfig config;
    config.journal_file_bytes = 128 << 10;
    config.block_cache_bytes = 1 << 20;
    config.memtable_bytes = 256 << 10;
    meta = must(meta::JournaledMetaStore::open(config, *drives, *store,
                                               {{.io = &io, .backend = &gate}}, x_pool));
    if (start == Start::all) {
      EXPECT_TRUE(run(store->open()));
      settle();
    }
  }
  ~Process() {
    if (meta) {
      x_world.crash_now();
      [[maybe_unused]] const auto closed = close();
    }
  }
  Result<void> close() {
    auto segments = run(store->close_worker());
    auto journal = run(meta->close());
    meta.reset();
    return segments ? journal : segments;
  }

  template <class T>
  Result<T> run(Task<T> task) {
    return run_on(io, std::move(task));
  }
  template <class T>
  T must(Task<T> task) {
    auto done = run(std::move(task));
    EXPECT_TRUE(done) << done.error().describe();
    return *std::move(done);
  }
  /// Lets background work that is ready run.
  void settle() {
    io.restart();
    io.poll();
  }

  /// The record is on the drives and referenced by `owner` when this returns ok.
  Result<Extent> put_small(const std::string& content, InodeId owner) {
    return run(put_small_task(content, owner));
  }
  Result<std::vector<Extent>> put_large(const std::string& content,
                                        InodeId owner,
                                        std::uint64_t hint) {
    return run(put_large_task(content, owner, hint));
  }
  Result<std::string> read(const Extent& extent, std::uint64_t offset, std::uint64_t length) {
    return run(read_task(extent, offset, length));
  }
  Result<std::string> read(const std::vector<Extent>& extents) {
    std::string out;
    for (const Extent& extent : extents) {
      TRY(const std::string piece, read(extent, 0, extent.length));
      out += piece;
    }
    return out;
  }
  Result<void> unreference(const std::vector<Extent>& extents, InodeId owner) {
    meta::Batch batch;
    for (const Extent& extent : extents) {
      batch.erase(meta::extent_ref_key(extent, owner));
    }
    return run(meta->commit(std::move(batch)));
  }
  static void put_ref(meta::Batch& batch, const Extent& extent, InodeId owner) {
    batch.put(meta::extent_ref_key(extent, owner),
              meta::encode(meta::ExtentRef{extent.length, extent.length}));
  }
  std::uint64_t collect() {
    return must(store->collect([this] { return meta->checkpoint(); }));
  }
  /// Makes this worker give up its open segments, as when they are full.
  void seal() { EXPECT_TRUE(run(store->close_worker())); }
  SegmentRecord record(SegmentId id) {
    const auto stored = must(meta->get(meta::segment_key(id)));
    EXPECT_TRUE(stored) << "segment " << id;
    return stored ? decode_segment(*stored).value() : SegmentRecord{};
  }
  bool known(SegmentId id) { return must(meta->get(meta::segment_key(id))).has_value(); }

  asio::io_context io{1};
  Gate gate;
  std::unique_ptr<drives::DriveSet> drives;
  std::unique_ptr<SegmentStore> store;
  std::unique_ptr<meta::JournaledMetaStore> meta;

 private:
  Task<Extent> put_small_task(std::string content, InodeId owner) {
    CO_TRY(const Placed placed, co_await store->place_small(as_bytes(content)));
    meta::Batch batch;
    put_ref(batch, placed.extent, owner);
    batch.fresh.push_back(placed.extent);
    CO_TRYV(co_await meta->commit(std::move(batch)));
    co_return placed.extent;
  }
  Task<std::vector<Extent>> put_large_task(std::string content, InodeId owner, std::uint64_t hint) {
    CO_TRY(const auto writer, co_await store->open_writer(hint, Purpose::client));
    CO_TRYV(co_await write(*writer, content));
    CO_TRY(auto extents, co_await writer->finish());
    meta::Batch batch;
    for (const Extent& extent : extents) {
      put_ref(batch, extent, owner);
    }
    CO_TRYV(co_await meta->commit(std::move(batch)));
    co_return extents;
  }
  Task<std::string> read_task(Extent extent, std::uint64_t offset, std::uint64_t length) {
    CO_TRY(const auto slices, co_await store->read(extent, offset, length, Purpose::client));
    std::string out;
    for (const Buffer& slice : slices) {
      out.append(as_text(slice.view()));
    }
    co_return out;
  }

 public:
  static Task<> write(BlobWriter& writer, std::string_view content) {
    while (!content.empty()) {
      CO_TRY(const MutBytes room, co_await writer.buffer());
      const std::size_t n = std::min(room.size(), content.size());
      std::memcpy(room.data(), content.data(), n);
      CO_TRYV(co_await writer.advance(n));
      content.remove_prefix(n);
    }
    co_return ok();
  }

 private:
  io::SimWorld& x_world;
  SeededRandom x_random{3};
  BlockingPool x_pool{0};
};

}  // namespace outcrop::segment
