// Limits and patience of NFS sessions, and what they count. Tests shorten the times.
#pragma once
#include <chrono>
#include <cstdint>

#include "server/connection_worker.h"
#include "storage/base/counter.h"

namespace outcrop::server {

struct NfsOptions {
  /// Without a call; Linux closes after five minutes itself and opens a new one when needed.
  std::chrono::milliseconds idle_timeout{360'000};
  std::chrono::milliseconds record_timeout{30'000};  ///< from its first byte; also TLS handshakes
  /// Of a large record, from when it got memory, while others wait for memory.
  std::chrono::milliseconds pressed_record_timeout{5'000};
  std::chrono::milliseconds write_stall{60'000};  ///< the client takes nothing
  unsigned max_connections = 8192;                ///< whole process
  unsigned max_connections_per_address = 256;     ///< 0: no limit
};

/// Calls of one connection being served at a time; beyond it nothing more is read from it.
inline constexpr unsigned kMaxNfsCalls = 128;
/// Reply bytes of one connection that wait for the client; beyond it no call is started.
inline constexpr std::size_t kMaxQueuedReplies = 1 << 20;
/// What a call that is being served may need: a READ of 1 MiB with its header.
inline constexpr std::uint64_t kNfsCallBytes = (1 << 20) + (64 << 10);
/// When there is not so much, calls are served one after the other with this much each, and READ
/// and READDIR give no more than that data.
inline constexpr std::uint64_t kNfsTightCallBytes = 128 << 10;
inline constexpr std::size_t kNfsTightData = 64 << 10;
/// Addresses that no export is for may ask what they like, but not send megabytes.
inline constexpr std::size_t kMaxStrangerRecord = 16 << 10;

/// Written by one worker, read by anyone.
struct alignas(64) NfsCounters : ConnectionCounters {
  Counter calls, in_flight;
  Counter bytes_in, bytes_out;  ///< on the wire, before TLS
  Counter writes;               ///< gather writes: calls / writes is how well replies share them
  Counter bad_records, timeouts, resets;
  Counter tls_handshakes, tls_failures;
};

}  // namespace outcrop::server
