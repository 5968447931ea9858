// Settings and counters of the metadata store.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "storage/base/task.h"
#include "storage/io/disk.h"

namespace outcrop::meta {

struct MetaConfig {
  std::uint64_t journal_file_bytes = 32 << 20;  ///< one pre-written file; a worker cycles a few
  unsigned checkpoint_files = 3;                ///< full files of a worker that start a checkpoint
  std::size_t block_payload_bytes = 256 << 10;  ///< a block takes no further transaction beyond
  std::uint64_t block_cache_bytes = 32 << 20;   ///< RocksDB block cache, shared by all mirrors
  std::uint64_t memtable_bytes = 16 << 20;      ///< RocksDB memtable, per mirror
  std::uint64_t table_file_bytes = 64 << 20;  ///< RocksDB's files: compactions take their multiple
  bool compactions = true;                    ///< off for who only looks (OfflineMeta)
  std::uint64_t follower_batch_bytes = 1 << 20;   ///< updates that followers get at a time
  std::uint64_t follower_queue_bytes = 32 << 20;  ///< lag of a follower that slows commits down
};

/// One worker's event loop and queue to the drives; owned by the caller, outlives the store.
struct MetaWorker {
  asio::io_context* io = nullptr;
  io::IoBackend* backend = nullptr;
};

struct MetaStats {
  std::uint64_t blocks = 0, transactions = 0, journal_bytes = 0, failed_blocks = 0;
  std::uint64_t block_ns = 0;  ///< sum of the times until blocks were durable
  std::uint64_t checkpoints = 0, mirrors_rebuilt = 0, mirrors_lost = 0;
  std::uint64_t cache_hits = 0,
                cache_misses = 0;  ///< gets and scans answered without / with a hand-off
  std::uint64_t memory_bytes = 0;  ///< block cache and memtables
  std::uint64_t index_bytes = 0;   ///< on each drive that has a mirror, about
  unsigned mirrors = 0;            ///< that serve or follow now
  bool writable = false;
  bool stuck = false;  ///< until the next start: no mirror is left, or one lacks what is durable
  std::array<std::uint64_t, 17> block_sizes{};  ///< [i]: blocks of 2^i up to 2^(i+1)-1 transactions
};

}  // namespace outcrop::meta
