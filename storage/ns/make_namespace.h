// How to make the namespace: its settings, and the factory that the engine and the tests use.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/meta/meta_store.h"
#include "storage/ns/file_system.h"
#include "storage/ns/key_ring.h"
#include "storage/ns/namespace.h"
#include "storage/ns/quota_groups.h"
#include "storage/segment/blob_store.h"

namespace outcrop::ns {

struct NamespaceConfig {
  std::size_t object_cache_bytes = 48 << 20;     ///< decoded inode records, and keys to inodes
  std::size_t directory_cache_bytes = 12 << 20;  ///< directory path -> inode
  std::size_t directory_times = 1 << 15;         ///< directories whose times are kept in memory
  std::size_t extent_cache_bytes = 16 << 20;     ///< verified chunks of striped payload
  std::size_t write_buffer_bytes = 64 << 20;     ///< written to files and not stored yet
  std::size_t fragmented_pieces = 4096;          ///< a file with more is rewritten in larger ones
  std::uint64_t min_part_bytes = kMinPartBytes;  ///< of every part but the last
  std::uint64_t inode_block = 1 << 20;           ///< inode numbers reserved per commit
  bool recount = false;  ///< what buckets hold is counted at the start, whatever is stored
  /// Opens sealed files for file clients; null: they cannot read them. Outlives the namespace.
  KeyRing* keys = nullptr;
  /// What FileSystem::space() says; without free files nothing new is made. Absent: unlimited.
  /// Called on a worker: it must not block.
  std::function<FileSystemSpace()> space{};
};

/// What one step of moving payload out of a segment did.
struct Relocated {
  std::uint64_t bytes = 0;        ///< stored anew
  std::uint64_t owners = 0;       ///< records that point to it now
  std::uint64_t left_behind = 0;  ///< references whose payload stays
  bool finished = false;          ///< all of the segment was looked at
};

/// Where a walk over the parts of all uploads is; empty: at its beginning.
struct PartPosition {
  std::string upload{};     ///< the key of its record
  std::uint32_t after = 0;  ///< the part of this number
};

/// A namespace over one metadata store and one blob store; it owns the locks, so there is one per
/// pair of stores.
class TreeNamespace : public Namespace {
 public:
  /// Reserves inode numbers and takes a boot number; once, before any other call.
  virtual Task<> open() = 0;
  /// The file view of the same tree; lives as long as the namespace.
  virtual FileSystem& files() = 0;
  virtual QuotaGroups& quota_groups() = 0;  ///< the same
  /// For compaction, restriping and rebalancing: relocate.h. `purpose` is not client.
  virtual Task<Relocated> relocate(SegmentId segment,
                                   std::uint64_t most_bytes,
                                   segment::Purpose purpose) = 0;
  /// `from` lives until this is done.
  virtual Task<Relocated> relocate_parts(SegmentId segment,
                                         std::uint64_t most_bytes,
                                         PartPosition& from,
                                         segment::Purpose purpose) = 0;
};

/// The arguments outlive the namespace. `random` is used under a mutex.
std::unique_ptr<TreeNamespace> make_namespace(meta::MetaStore& meta,
                                              segment::BlobStore& blobs,
                                              const Clock& clock,
                                              Random& random,
                                              NamespaceConfig config = {});

}  // namespace outcrop::ns
