// The storage engine put together: drives, metadata, payload, namespace, and their background work,
// opened and closed in the right order. The only storage type that server/ needs besides ns.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/io/disk.h"
#include "storage/meta/meta_store.h"
#include "storage/ns/file_system.h"
#include "storage/ns/namespace.h"

namespace outcrop::engine {

struct EngineConfig {
  std::uint64_t segment_bytes = 0;       ///< shard file size; 0: by drive capacity, 16 MiB - 1 GiB
  std::uint64_t cache_bytes = 64 << 20;  ///< RocksDB block cache and memtables together
  std::uint64_t object_cache_bytes = 48 << 20;   ///< decoded object records
  std::uint64_t payload_cache_bytes = 16 << 20;  ///< payloads of small objects
  std::uint64_t write_buffer_bytes = 64 << 20;   ///< written to files and not durable yet
  std::uint64_t extent_cache_bytes = 16 << 20;   ///< verified chunks of striped payload
  std::uint64_t min_part_bytes =
      ns::kMinPartBytes;                   ///< multipart parts but the last; tests lower it
  std::uint64_t journal_bytes = 32 << 20;  ///< one journal file; each worker cycles a few
  bool allow_reduced_redundancy = false;   ///< drives::DriveOptions
  bool background = true;                  ///< timers for GC, drive checks; off in simulation
};

/// What the engine runs on; owned by the caller, outlives the engine.
struct EngineRuntime {
  const Clock& clock;
  Random& random;
  BlockingPool& pool;
  std::vector<asio::io_context*> workers;  ///< by worker index
  std::vector<io::IoBackend*> backends;    ///< by worker index
};

struct DriveStatus {
  unsigned slot = 0;
  std::string path, uuid;
  bool live = false, mirror = false;
  io::Space space;
  const io::DiskStats* stats = nullptr;  ///< null when missing
};

struct EngineStats {
  std::vector<DriveStatus> drives;
  std::uint64_t epoch = 0;
  unsigned parity = 0;
  bool writable = false;  ///< enough live drives and no fatal error
  std::uint64_t commits = 0, commit_transactions = 0, journal_bytes = 0;
  std::array<std::uint64_t, 17> commit_sizes{};  ///< [i]: commits of 2^i up to 2^(i+1)-1
  std::uint64_t cache_hits = 0, cache_misses = 0;
  std::uint64_t payload_hits = 0, payload_misses = 0, payload_cache_bytes = 0;
  std::uint64_t segments_open = 0, segments_sealed = 0, segments_recycled = 0;
  std::uint64_t reconstructed_reads = 0, corrupt_reads = 0;
  std::uint64_t metadata_memory_bytes = 0;
};

class Engine {
 public:
  /// Formats blank drive directories as a new cluster. `parity` empty: by number of drives.
  static Result<void> format(std::vector<std::unique_ptr<io::Disk>> disks,
                             std::optional<unsigned> parity,
                             Random& random);
  /// Recovers and opens. Runs on worker 0's io_context, before any worker serves. Error detail is
  /// one line for the operator.
  static Task<std::unique_ptr<Engine>> open(std::vector<std::unique_ptr<io::Disk>> disks,
                                            EngineConfig config,
                                            EngineRuntime runtime);
  virtual ~Engine() = default;

  virtual ns::Namespace& ns() = 0;
  virtual ns::FileSystem& files() = 0;  ///< the same tree
  /// For what is no part of the tree and has a table of its own (auth/identity).
  virtual meta::MetaStore& meta() = 0;
  virtual EngineStats stats() = 0;  ///< any thread
  /// Stores what files have in memory, finishes commits in flight, stops background work,
  /// checkpoints so that the next start has nothing to replay. Runs on worker 0 while the other
  /// workers still run.
  virtual Task<> close() = 0;
  /// One pass of garbage collection now: frees segments that no committed reference names.
  virtual Task<std::uint64_t> collect_garbage() = 0;
};

}  // namespace outcrop::engine
