// Limits and patience of HTTP sessions, and what they count. Tests shorten the times.
#pragma once
#include <chrono>
#include <cstdint>

#include "server/connection_worker.h"
#include "storage/base/counter.h"

namespace outcrop::server {

struct HttpOptions {
  std::chrono::milliseconds head_timeout{10'000};   ///< from its first byte; also TLS handshakes
  std::chrono::milliseconds idle_timeout{75'000};   ///< S3 clients reuse connections after a minute
  std::chrono::milliseconds body_window{30'000};    ///< body_window_bytes must arrive in this time
  std::uint64_t body_window_bytes = 30 * 1024;      ///< 1 KiB/s
  std::chrono::milliseconds write_stall{60'000};    ///< the client takes nothing
  std::chrono::milliseconds drain_timeout{5'000};   ///< for the unread rest of a body
  std::uint64_t drain_bytes = 64 * 1024;            ///< more than this is not worth a connection
  std::chrono::milliseconds linger_timeout{2'000};  ///< after an answer that closes
  std::uint64_t linger_bytes = 16 << 20;
  unsigned max_connections = 8192;             ///< whole process, per listener
  unsigned max_connections_per_address = 256;  ///< 0: no limit
  bool log_requests = false;
};

/// What one body or one streamed response may have in flight: two 1 MiB stripes each way.
inline constexpr std::uint64_t kStreamBytes = 4 << 20;

/// Written by one worker, read by anyone.
struct alignas(64) HttpCounters : ConnectionCounters {
  Counter requests, in_flight;
  Counter bytes_in, bytes_out;  ///< payload
  Counter bad_heads, timeouts, resets;
};

}  // namespace outcrop::server
