#include "storage/meta/rocks_index.h"

#include <rocksdb/cache.h>
#if __has_include(<rocksdb/advanced_cache.h>)
#include <rocksdb/advanced_cache.h>  // RocksDB 8.1 and later define Cache here
#endif
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <cstdarg>
#include <cstdio>

#include "storage/base/log.h"
#include "storage/digest/xxh.h"
#include "storage/kvfs/disk_env.h"

namespace outcrop::meta {
namespace {

constexpr std::size_t kSumBytes = sizeof(std::uint64_t);
constexpr std::size_t kCopyBatchBytes = 1 << 20;
constexpr std::size_t kTombstoneWindow = 8192, kTombstonesInWindow = 4096;
// What a compaction writes before it can delete what it read: it must fit beside the rest.
constexpr std::uint64_t kFilesPerCompaction = 8;
constexpr std::size_t kReservedEntries = 1024;  // of a scan's page, which may ask for any number

rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }
std::string_view text(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

// A file that is gone is damage to this index, the drive may be well.
Error to_error(const rocksdb::Status& s) {
  const Errc code = s.IsNoSpace()                            ? Errc::no_space
                    : s.IsPathNotFound() || s.IsCorruption() ? Errc::corrupt
                    : s.IsIOError()                          ? Errc::io_error
                                                             : Errc::internal;
  return Error(code, "metadata index: " + s.ToString());
}

Result<void> checked(const rocksdb::Status& s) {
  if (s.ok()) {
    return ok();
  }
  return fail(to_error(s));
}

std::uint64_t checksum_of(std::string_view key, std::string_view value) {
  return digest::xxh3_64(as_bytes(value), digest::xxh3_64(as_bytes(key)));
}

/// The value without its checksum. Errors: corrupt.
Result<std::string_view> open_value(std::string_view key, std::string_view stored) {
  if (stored.size() < kSumBytes) {
    return fail(Errc::corrupt, "metadata index: a value is too short");
  }
  const std::string_view value = stored.substr(0, stored.size() - kSumBytes);
  std::uint64_t sum = 0;
  std::memcpy(&sum, stored.data() + value.size(), kSumBytes);
  if (sum != checksum_of(key, value)) {
    return fail(Errc::corrupt, "metadata index: a value does not match its checksum");
  }
  return value;
}

/// RocksDB's own messages, warnings and worse, in our log instead of LOG files on the drive.
class LogAdapter final : public rocksdb::Logger {
 public:
  LogAdapter() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list args) override {
    std::array<char, 512> line{};
    std::vsnprintf(line.data(), line.size(), format, args);
    std::string_view message(line.data());
    message = message.substr(0, message.find_last_not_of('\n') + 1);
    // Said of every verification of checksums, which asks for no such id.
    if (!message.contains("opened without unique ID")) {
      log::warn("rocksdb", {{"message", message}});
    }
  }
};

class ErrorListener final : public rocksdb::EventListener {
 public:
  explicit ErrorListener(std::function<void(Error)> fn) : x_fn(std::move(fn)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* status) override {
    if (x_fn) {
      x_fn(to_error(*status));
    }
  }
  // After ENOSPC it would take writes again by itself, on a thread of its own. resume() does that,
  // and fails while RocksDB is at it; and Close() may wait for ever for a recovery that has ended.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/,
                            rocksdb::Status /*status*/,
                            bool* by_itself) override {
    *by_itself = false;
  }

 private:
  std::function<void(Error)> x_fn;
};

rocksdb::BlockBasedTableOptions table_options(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions t;
  t.block_cache = std::move(cache);
  t.cache_index_and_filter_blocks = true;  // so that the cache bounds all table memory
  t.pin_l0_filter_and_index_blocks_in_cache = true;
  t.block_size = 8 << 10;
  t.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  t.checksum = rocksdb::kXXH3;
#if ROCKSDB_MAJOR > 8 || (ROCKSDB_MAJOR == 8 && ROCKSDB_MINOR >= 6)
  t.format_version = 6;  // block checksums cover the block's place in the file
#endif
  return t;
}

/// A read of a guarded drive is a call of another thread: few and large ones.
constexpr std::size_t kReadahead = 1U << 20;

rocksdb::Options database_options(const IndexOptions& index,
                                  std::shared_ptr<rocksdb::Cache> cache,
                                  bool create) {
  rocksdb::Options o;
  o.create_if_missing = create;
  o.error_if_exists = create;
  o.paranoid_checks = true;
  o.max_bgerror_resume_count = 0;  // a drive that failed a write is not trusted again
  o.avoid_flush_during_shutdown = true;
  o.write_buffer_size = static_cast<std::size_t>(index.memtable_bytes);
  o.target_file_size_base = index.table_file_bytes;
  o.max_compaction_bytes = kFilesPerCompaction * index.table_file_bytes;
  o.max_write_buffer_number = 3;
  o.max_background_jobs = 2;
  o.max_open_files = -1;
  o.compaction_readahead_size = kReadahead;
  o.disable_auto_compactions = !index.compactions;
  o.level_compaction_dynamic_level_bytes = true;
  o.compression = rocksdb::kNoCompression;
  o.memtable_protection_bytes_per_key = 8;
  // Each table grows mostly at one place (new inodes, new extents): the memtable remembers where.
  // It can do so only for writers that come one after another.
  o.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  o.allow_concurrent_memtable_write = false;
  // Most lookups of a new object's name find nothing, and should not search for it.
  o.memtable_whole_key_filtering = true;
  o.memtable_prefix_bloom_size_ratio = 0.02;
#if ROCKSDB_MAJOR >= 9
  o.block_protection_bytes_per_key = 8;
#endif
  // A table file that is mostly tombstones holds space, and slows down whoever scans over them.
  o.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kTombstoneWindow, kTombstonesInWindow));
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.info_log = std::make_shared<LogAdapter>();
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(std::move(cache))));
  o.listeners.push_back(std::make_shared<ErrorListener>(index.on_background_error));
  return o;
}

}  // namespace

struct IndexCache::Impl {
  std::shared_ptr<rocksdb::Cache> cache;
};

IndexCache::IndexCache(std::uint64_t bytes) : x_impl(std::make_unique<Impl>()) {
  x_impl->cache = rocksdb::NewLRUCache(static_cast<std::size_t>(bytes));
}
IndexCache::~IndexCache() = default;
std::uint64_t IndexCache::used_bytes() const { return x_impl->cache->GetUsage(); }

struct IndexBatch::Impl {
  rocksdb::WriteBatch batch;
};

IndexBatch::IndexBatch() : x_impl(std::make_unique<Impl>()) {}
IndexBatch::~IndexBatch() = default;

void IndexBatch::put(std::string_view key, std::string_view value) {
  const std::uint64_t sum = checksum_of(key, value);
  const rocksdb::Slice k = slice(key);
  const std::array<rocksdb::Slice, 2> parts{
      slice(value), rocksdb::Slice(reinterpret_cast<const char*>(&sum), sizeof sum)};
  const auto status =
      x_impl->batch.Put(rocksdb::SliceParts(&k, 1), rocksdb::SliceParts(parts.data(), 2));
  OUTCROP_ASSERT(status.ok());
}

void IndexBatch::erase(std::string_view key) {
  const auto status = x_impl->batch.Delete(slice(key));
  OUTCROP_ASSERT(status.ok());
}

std::string IndexBatch::take() && { return x_impl->batch.Data(); }

namespace {

/// The updates of several batches, as views into them.
class Collector final : public rocksdb::WriteBatch::Handler {
 public:
  struct Update {
    std::string_view key;
    rocksdb::Slice value;
    std::size_t order = 0;
    bool erase = false;
  };
  std::vector<Update> updates;

  void Put(const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    updates.push_back({text(key), value, updates.size(), false});
  }
  void Delete(const rocksdb::Slice& key) override {
    updates.push_back({text(key), {}, updates.size(), true});
  }
};

}  // namespace

Updates merge(std::span<const Updates> in_order) {
  std::deque<rocksdb::WriteBatch> batches;  // the views point into them
  Collector all;
  for (const Updates& updates : in_order) {
    const auto read = batches.emplace_back(*updates).Iterate(&all);
    OUTCROP_ASSERT(read.ok());
  }
  std::ranges::sort(all.updates, [](const Collector::Update& a, const Collector::Update& b) {
    const int by_key = a.key.compare(b.key);
    return by_key != 0 ? by_key < 0 : a.order < b.order;
  });
  rocksdb::WriteBatch merged;
  for (std::size_t i = 0; i < all.updates.size(); ++i) {
    const Collector::Update& u = all.updates[i];
    if (i + 1 < all.updates.size() && all.updates[i + 1].key == u.key) {
      continue;
    }
    const auto added = u.erase ? merged.Delete(slice(u.key)) : merged.Put(slice(u.key), u.value);
    OUTCROP_ASSERT(added.ok());
  }
  return std::make_shared<const std::string>(merged.Data());
}

struct RocksIndex::Impl {
  std::shared_ptr<IndexCache> cache;
  std::unique_ptr<rocksdb::Env> env;  // of the drive: a call on one that hangs ends (disk.h)
  std::unique_ptr<rocksdb::DB> db;
};

class RocksIndex::View {
 public:
  explicit View(rocksdb::DB& db) : x_db(db), x_snapshot(db.GetSnapshot()) {}
  ~View() { x_db.ReleaseSnapshot(x_snapshot); }
  View(const View&) = delete;
  const rocksdb::Snapshot* get() const { return x_snapshot; }

 private:
  rocksdb::DB& x_db;
  const rocksdb::Snapshot* x_snapshot;
};

RocksIndex::RocksIndex() : x_impl(std::make_unique<Impl>()) {}
RocksIndex::~RocksIndex() {
  if (x_impl->db) {
    x_impl->db->Close().PermitUncheckedError();
  }
}

Result<std::unique_ptr<RocksIndex>> RocksIndex::open(io::Disk& disk,
                                                     const std::string& dir,
                                                     IndexOptions options,
                                                     bool create) {
  std::unique_ptr<RocksIndex> index(new RocksIndex);
  Impl& impl = *index->x_impl;
  impl.cache = options.cache;
  rocksdb::Options o = database_options(options, options.cache->x_impl->cache, create);
  impl.env = kvfs::make_disk_env(disk);
  o.env = impl.env.get();
  rocksdb::DB* db = nullptr;
  TRYV(checked(rocksdb::DB::Open(o, "/" + dir, &db)));
  impl.db.reset(db);
  return index;
}

Result<bool> RocksIndex::apply(const std::string& rep, bool blocking) {
  rocksdb::WriteBatch batch(rep);
  rocksdb::WriteOptions w;
  w.disableWAL = true;
  w.no_slowdown = !blocking;
  const rocksdb::Status s = x_impl->db->Write(w, &batch);
  if (s.IsIncomplete()) {
    return false;
  }
  TRYV(checked(s));
  return true;
}

Result<bool> RocksIndex::get(std::string_view key,
                             Tier tier,
                             const View* at,
                             std::optional<std::string>& out) {
  rocksdb::ReadOptions r;
  r.read_tier = tier == Tier::cache ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  r.snapshot = at != nullptr ? at->get() : nullptr;
  rocksdb::PinnableSlice stored;
  const rocksdb::Status s =
      x_impl->db->Get(r, x_impl->db->DefaultColumnFamily(), slice(key), &stored);
  if (s.IsIncomplete()) {
    return false;
  }
  if (s.IsNotFound()) {
    out.reset();
    return true;
  }
  TRYV(checked(s));
  TRY(const std::string_view value, open_value(key, text(stored)));
  out.emplace(value);
  return true;
}

Result<bool> RocksIndex::scan(const ScanRequest& request,
                              Tier tier,
                              const View* at,
                              ScanPage& page) {
  rocksdb::ReadOptions r;
  r.read_tier = tier == Tier::cache ? rocksdb::kBlockCacheTier : rocksdb::kReadAllTier;
  r.snapshot = at != nullptr ? at->get() : nullptr;
  const rocksdb::Slice upper = slice(request.upper);
  r.iterate_upper_bound = request.upper.empty() ? nullptr : &upper;
  const std::unique_ptr<rocksdb::Iterator> it(x_impl->db->NewIterator(r));
  std::size_t bytes = 0;
  for (const KeyValue& e : page.entries) {
    bytes += e.key.size() + e.value.size();
  }
  page.entries.reserve(std::min(request.limit, kReservedEntries));
  if (page.entries.empty()) {
    it->Seek(slice(request.lower));
  } else {
    it->Seek(slice(page.entries.back().key + '\0'));  // the next possible key
  }
  page.more = false;
  for (; it->Valid(); it->Next()) {
    if (page.entries.size() >= request.limit || bytes >= request.max_bytes) {
      page.more = true;
      return true;
    }
    const std::string_view key = text(it->key());
    TRY(const std::string_view value, open_value(key, text(it->value())));
    page.entries.push_back(
        {std::string(key), request.keys_only ? std::string{} : std::string(value)});
    bytes += page.entries.back().key.size() + page.entries.back().value.size();
  }
  if (it->status().IsIncomplete()) {
    return false;
  }
  TRYV(checked(it->status()));
  return true;
}

std::shared_ptr<const RocksIndex::View> RocksIndex::view() {
  return std::make_shared<View>(*x_impl->db);
}

Result<void> RocksIndex::flush() { return checked(x_impl->db->Flush(rocksdb::FlushOptions())); }

Result<void> RocksIndex::compact(std::atomic<bool>& cancelled) {
  rocksdb::CompactRangeOptions how;
  how.exclusive_manual_compaction = false;
  how.canceled = &cancelled;
  const auto done = x_impl->db->CompactRange(how, nullptr, nullptr);
  return done.IsIncomplete() || done.IsManualCompactionPaused() ? ok() : checked(done);
}

Result<void> RocksIndex::resume() { return checked(x_impl->db->Resume()); }

Result<void> RocksIndex::copy_from(RocksIndex& source,
                                   const View& at,
                                   const std::function<bool()>& go_on,
                                   bool& source_failed) {
  rocksdb::ReadOptions r;
  r.snapshot = at.get();
  r.fill_cache = false;
  rocksdb::WriteOptions w;
  w.disableWAL = true;
  const std::unique_ptr<rocksdb::Iterator> it(source.x_impl->db->NewIterator(r));
  rocksdb::WriteBatch batch;
  source_failed = false;
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (auto value = open_value(text(it->key()), text(it->value())); !value) {
      source_failed = true;
      return fail(value.error());
    }
    TRYV(checked(batch.Put(it->key(), it->value())));
    if (batch.GetDataSize() >= kCopyBatchBytes) {
      TRYV(checked(x_impl->db->Write(w, &batch)));
      batch.Clear();
      if (!go_on()) {
        return fail(Errc::cancelled);
      }
    }
  }
  if (!it->status().ok()) {
    source_failed = true;
    return fail(to_error(it->status()));
  }
  TRYV(checked(x_impl->db->Write(w, &batch)));
  return flush();
}

Result<void> RocksIndex::verify() { return checked(x_impl->db->VerifyChecksum()); }

std::uint64_t RocksIndex::file_bytes() const {
  std::uint64_t bytes = 0;
  x_impl->db->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

std::uint64_t RocksIndex::memtable_bytes() const {
  std::uint64_t bytes = 0;
  x_impl->db->GetIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &bytes);
  return bytes;
}

}  // namespace outcrop::meta
