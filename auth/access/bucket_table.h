// Records that some buckets have, one each: in the metadata store, and as one snapshot in memory
// that requests look into without waiting. Readers on any thread; changes one at a time, which is
// the owner's business (AccessTable::lock).
//
// `Record` has `bucket` (the name), `root` (the inode of the bucket: a bucket made again under the
// name has another), empty() and bytes(). `Codec` has static key(root), of one length,
// encode(record) and decode(key, value), and unreadable(bucket, root), which stands for a record
// that cannot be read.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/ids.h"
#include "storage/base/log.h"
#include "storage/base/task.h"
#include "storage/digest/text.h"
#include "storage/meta/meta_store.h"
#include "storage/meta/tables.h"

namespace outcrop::access {

/// A longer record is cut into values of this size; the second one's key is the first one's and a
/// BE32 1, and so on. meta::kMaxValueBytes is what a value may have.
inline constexpr std::size_t kChunkBytes = 32 << 10;

/// Name and root of buckets.
using BucketRoots = std::vector<std::pair<std::string, InodeId>>;

inline std::uint64_t next_table_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

template <class Record, class Codec>
class BucketTable {
 public:
  using Pointer = std::shared_ptr<const Record>;
  using Map = std::map<std::string, Pointer, std::less<>>;

  BucketTable(meta::MetaStore& meta, std::size_t max_bytes)
      : x_meta(meta), x_max_bytes(max_bytes), x_map(std::make_shared<const Map>()) {}

  /// `buckets`: those there are. Whose a record is, its key says: what has the root of none of them
  /// is left over of a bucket that was deleted, and erased; what names another bucket than the one
  /// that has the root is as if it could not be read.
  Task<> load(const BucketRoots& buckets);

  std::shared_ptr<const Map> snapshot() const {
    const std::lock_guard lock(x_mutex);
    return x_map;
  }
  /// Null: the bucket has no record.
  Pointer find(std::string_view bucket) const;

  /// Durable and visible on return; an empty record goes. no_space when all together would take
  /// more than the table may.
  Task<> put(Record next);
  /// After the bucket was deleted. True if it had a record.
  Task<bool> forget(std::string_view bucket);

 private:
  /// A record as it is found: its first key, and the values of all its chunks.
  struct Stored {
    std::string key, value;
    std::uint32_t chunks = 0;
  };
  using Owners = std::map<std::string, std::pair<std::string, InodeId>, std::less<>>;  ///< by key
  static std::uint32_t chunks_of(std::string_view value) {
    return static_cast<std::uint32_t>((value.size() + kChunkBytes - 1) / kChunkBytes);
  }
  static std::string chunk_key(const std::string& key, std::uint32_t chunk) {
    std::string out = key;
    for (int shift = 24; chunk > 0 && shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>(chunk >> shift & 0xff));
    }
    return out;
  }
  static void write(meta::Batch& batch, const std::string& key, std::string_view value) {
    for (std::uint32_t i = 0; i < chunks_of(value); ++i) {
      batch.put(chunk_key(key, i), std::string(value.substr(i * kChunkBytes, kChunkBytes)));
    }
  }
  /// The chunks that are there, from that one on: of a damaged record more than it seems to have.
  Task<> erase(meta::Batch& batch, const std::string& key, std::uint32_t from);
  /// The record, or what stands for it if it cannot be read; nothing if its bucket is gone.
  static std::optional<Record> read(const Owners& owners, const Stored& stored) {
    // Of a damaged record the first chunk may be what is missing.
    const auto owner = owners.find(stored.key.substr(0, Codec::key(0).size()));
    if (owner == owners.end()) {
      return std::nullopt;
    }
    const auto& [name, root] = owner->second;
    auto record = Codec::decode(stored.key, stored.value);
    const bool whole = record && record->bucket == name && record->root == root;
    return whole ? *std::move(record) : Codec::unreadable(name, root);
  }
  /// Just what was read, whatever its key looks like.
  Task<> drop(const Stored& stored) {
    meta::Batch batch;
    for (std::uint32_t chunk = 0; chunk < stored.chunks; ++chunk) {
      batch.erase(chunk_key(stored.key, chunk));
    }
    const auto record = Codec::decode(stored.key, stored.value);
    log::warn("settings that a deleted bucket left over are erased",
              {{"bucket", record ? record->bucket : std::string("unknown")},
               {"record", digest::to_hex(as_bytes(stored.key))},
               {"bytes", stored.value.size()}});
    co_return co_await x_meta.commit(std::move(batch));
  }

  void publish(Map next) {
    auto map = std::make_shared<const Map>(std::move(next));
    const std::lock_guard lock(x_mutex);
    x_map = std::move(map);
    x_version.fetch_add(1, std::memory_order_release);
  }

  meta::MetaStore& x_meta;
  const std::size_t x_max_bytes;
  const std::uint64_t x_serial = next_table_serial();  // tells tables apart in threads' caches
  mutable std::mutex x_mutex;
  std::shared_ptr<const Map> x_map;
  std::atomic<std::uint64_t> x_version{0};
};

template <class Record, class Codec>
Task<> BucketTable<Record, Codec>::load(const BucketRoots& buckets) {
  constexpr std::size_t kPage = 500;
  Owners owners;
  for (const auto& bucket : buckets) {
    owners.emplace(Codec::key(bucket.second), bucket);
  }
  const std::string first = Codec::key(0).substr(0, 2);
  const meta::SnapshotPtr at = x_meta.snapshot();
  meta::ScanRequest request{.lower = first, .upper = meta::prefix_end(first), .limit = kPage};
  Map map;
  std::vector<Stored> stale;
  Stored stored;
  const auto finish = [&] {
    if (stored.chunks == 0) {
      return;
    }
    std::optional<Record> here = read(owners, stored);
    if (here) {
      std::string name = here->bucket;
      map.insert_or_assign(std::move(name), std::make_shared<const Record>(*std::move(here)));
    } else {
      stale.push_back(std::move(stored));
    }
    stored = {};
  };
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request, at));
    for (const meta::KeyValue& entry : page.entries) {
      request.lower = entry.key + '\0';
      if (stored.chunks > 0 && entry.key == chunk_key(stored.key, stored.chunks)) {
        stored.value += entry.value;
        ++stored.chunks;
        continue;
      }
      finish();
      stored = {entry.key, entry.value, 1};
    }
    more = page.more && !page.entries.empty();
  }
  finish();
  for (const Stored& left : stale) {
    CO_TRYV(co_await drop(left));
  }
  publish(std::move(map));
  co_return ok();
}

template <class Record, class Codec>
Task<> BucketTable<Record, Codec>::erase(meta::Batch& batch,
                                         const std::string& key,
                                         std::uint32_t from) {
  meta::ScanRequest request{
      .lower = chunk_key(key, from), .upper = meta::prefix_end(key), .keys_only = true};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request));
    for (const meta::KeyValue& entry : page.entries) {
      request.lower = entry.key + '\0';
      batch.erase(entry.key);
    }
    more = page.more && !page.entries.empty();
  }
  co_return ok();
}

template <class Record, class Codec>
auto BucketTable<Record, Codec>::find(std::string_view bucket) const -> Pointer {
  struct Cached {
    std::uint64_t serial = 0, version = 0;
    std::shared_ptr<const Map> map;
  };
  thread_local Cached cached;
  const std::uint64_t version = x_version.load(std::memory_order_acquire);
  if (cached.serial != x_serial || cached.version != version) {
    const std::lock_guard lock(x_mutex);
    cached = {x_serial, x_version.load(std::memory_order_relaxed), x_map};
  }
  const auto at = cached.map->find(bucket);
  return at == cached.map->end() ? nullptr : at->second;
}

template <class Record, class Codec>
Task<> BucketTable<Record, Codec>::put(Record next) {
  Map map = *snapshot();
  meta::Batch batch;
  std::string name = next.bucket;
  const std::string key = Codec::key(next.root);
  if (next.empty()) {
    CO_TRYV(co_await erase(batch, key, 0));
    map.erase(name);
  } else {
    const std::string value = Codec::encode(next);
    write(batch, key, value);
    CO_TRYV(co_await erase(batch, key, chunks_of(value)));
    map.insert_or_assign(std::move(name), std::make_shared<const Record>(std::move(next)));
  }
  std::size_t bytes = 0;
  for (const auto& [bucket, record] : map) {
    bytes += record->bytes();
  }
  if (bytes > x_max_bytes) {
    co_return fail(Errc::no_space, "the settings of all buckets together are too large");
  }
  if (!batch.mutations.empty()) {
    CO_TRYV(co_await x_meta.commit(std::move(batch)));
  }
  publish(std::move(map));
  co_return ok();
}

template <class Record, class Codec>
Task<bool> BucketTable<Record, Codec>::forget(std::string_view bucket) {
  const Pointer old = find(bucket);
  if (!old) {
    co_return false;
  }
  Map map = *snapshot();
  map.erase(old->bucket);
  publish(std::move(map));
  meta::Batch batch;
  CO_TRYV(co_await erase(batch, Codec::key(old->root), 0));
  CO_TRYV(co_await x_meta.commit(std::move(batch)));
  co_return true;
}

}  // namespace outcrop::access
