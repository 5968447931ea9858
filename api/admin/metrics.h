// The /metrics page in Prometheus text format. Names are stable: dashboards depend on them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/admin/request_metrics.h"

namespace outcrop::admin {

struct HttpSample {
  std::uint64_t connections = 0, accepted = 0, refused = 0;
  std::uint64_t requests = 0, in_flight = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t bad_heads = 0, timeouts = 0, resets = 0;
};

struct NfsSample {
  std::uint64_t connections = 0, accepted = 0, refused = 0, exports = 0;
  std::uint64_t calls = 0, in_flight = 0, bytes_in = 0, bytes_out = 0, writes = 0;
  std::uint64_t bad_records = 0, timeouts = 0, resets = 0, tls_handshakes = 0, tls_failures = 0;
  std::uint64_t clients = 0, sessions = 0, opens = 0, state_bytes = 0;
};

struct ProcessSample {
  std::uint64_t resident_bytes = 0, memory_limit_bytes = 0;
  std::uint64_t buffer_bytes = 0;     ///< Buffers alive
  std::uint64_t in_flight_bytes = 0;  ///< taken from the byte budget
  std::uint64_t start_time_seconds = 0;
};

struct DriveSample {
  unsigned slot = 0;
  std::string path;
  bool live = false, mirror = false;
  std::uint64_t total_bytes = 0, free_bytes = 0;
  std::uint64_t reads = 0, writes = 0, syncs = 0, bytes_read = 0, bytes_written = 0;
  std::uint64_t read_ns = 0, write_ns = 0, sync_ns = 0, errors = 0, in_flight = 0;
};

struct StoreSample {
  std::vector<DriveSample> drives;
  std::uint64_t epoch = 0;
  unsigned parity = 0;
  bool writable = false;
  std::uint64_t commits = 0, commit_transactions = 0, journal_bytes = 0;
  std::vector<std::uint64_t> commit_sizes;  ///< [i]: commits of 2^i up to 2^(i+1)-1 transactions
  std::uint64_t cache_hits = 0, cache_misses = 0, metadata_memory_bytes = 0;
  std::uint64_t payload_hits = 0, payload_misses = 0, payload_cache_bytes = 0;
  std::uint64_t segments_open = 0, segments_sealed = 0, segments_recycled = 0;
  std::uint64_t segments_compacted = 0, compacted_bytes = 0;
  std::uint64_t segments_restriped = 0, restriped_bytes = 0, restripe_bytes_left = 0;
  std::uint64_t segments_widened = 0, shards_rebalanced = 0, rebalanced_bytes = 0,
                rebalance_bytes_left = 0;
  std::uint64_t clock_behind_seconds = 0;
  std::uint64_t reconstructed_reads = 0, corrupt_reads = 0, hedged_reads = 0;
  std::uint64_t degraded = 0, moving = 0, unreadable = 0, damaged = 0, repair_bytes_left = 0;
  std::uint64_t shards_moved = 0, chunks_repaired = 0, scrubbed_since = 0;
};

struct AuditSample {
  std::uint64_t written = 0, dropped = 0, suppressed = 0, write_errors = 0, queued_bytes = 0;
};

struct Sample {
  HttpSample http;
  std::optional<NfsSample> nfs;  ///< empty: NFS is off
  ProcessSample process;
  std::optional<AuditSample> audit{};  ///< empty: there is no audit log
  std::optional<StoreSample> store;    ///< empty while the store is not open
};

std::string render_metrics(const std::vector<OperationTotals>& operations, const Sample& sample);

}  // namespace outcrop::admin
