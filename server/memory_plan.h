// How memory_limit is shared out: what this process may use in all, and the parts of it.
#pragma once
#include <cstdint>
#include <string>

namespace outcrop::server {

struct MemoryPlan {
  std::uint64_t total = 0;
  std::uint64_t in_flight = 0;    ///< ByteBudget: bodies and streamed responses
  std::uint64_t buffer_pool = 0;  ///< region behind Buffer, resident from the start
  std::uint64_t writes = 0;       ///< written to files and not durable yet
  std::uint64_t chunks = 0;       ///< verified chunks of large payload
  std::uint64_t cache = 0;        ///< RocksDB block cache and memtables
  std::uint64_t payloads = 0;     ///< payloads of small objects that are read again and again
  std::uint64_t nfs_state = 0;    ///< opens, locks and their owners of NFSv4 clients
  std::uint64_t nfs_replies = 0;  ///< replies that sessions keep
};

/// `configured` 0: three quarters of the cgroup limit, or half of RAM when there is none.
MemoryPlan plan_memory(std::uint64_t configured, std::uint64_t cgroup_limit, std::uint64_t ram);

/// The tightest memory limit of this process's cgroups (v2 or v1); 0 if there is none.
/// `root` is "/" except in tests.
std::uint64_t cgroup_memory_limit(const std::string& root);
std::uint64_t physical_memory();
std::uint64_t resident_bytes();  ///< RSS of this process, for metrics

}  // namespace outcrop::server
