// Times and limits of NFSv4 state. Each has a default here and a test at the limit and past it.
// What is refused for a limit answers RESOURCE in 4.0 and DELAY (CREATE_SESSION: NOSPC) in 4.1.
#pragma once
#include <cstdint>
#include <string>

namespace outcrop::nfs {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;

// Session channels (RFC 8881 2.10.6). What a client asks is cut to the upper, and TOOSMALL below
// the lower bound.
inline constexpr std::uint32_t kMaxSlots = 64;
inline constexpr std::uint32_t kMaxCompoundOps = 64;
inline constexpr std::uint32_t kMaxSessionMessage = (1 << 20) + (32 << 10);
inline constexpr std::uint32_t kMinSessionMessage = 256;
inline constexpr std::uint32_t kMaxCachedReply = 8 << 10;
/// What a reply to a lone SEQUENCE takes on the wire, RPC header included, without a tag.
inline constexpr std::uint32_t kSequenceReplyBytes = 80;
/// A reply up to this size is cached although the client did not ask: it costs less than a
/// RETRY_UNCACHED_REP would cost the client. Fits a lone SEQUENCE.
inline constexpr std::uint32_t kFreeCachedReply = 128;

struct StateLimits {
  std::size_t clients = 10'000;            ///< confirmed
  std::size_t unconfirmed_clients = 1024;  ///< the oldest makes room for a new one
  std::size_t sessions_per_client = 32;
  std::size_t owners_per_client = 65'536;   ///< open and lock owners together
  std::size_t opens_per_client = 65'536;    ///< with the revoked ones that were not freed yet
  std::size_t ranges_per_client = 100'000;  ///< byte-range locks
  std::size_t opens = 1'000'000;            ///< in total
  std::size_t ranges = 1'000'000;           ///< in total
  /// Memory of owners, opens and ranges, as accounted per object. Of this and of the totals above
  /// an eighth is for clients that hold little (budget.h).
  std::size_t state_bytes = std::size_t{256} << 20;
  /// Reply caches: slots times the cached size are reserved per session. When little is left new
  /// sessions get fewer slots, at last one (RFC 8881 18.36.3 lets the server choose); beyond twice
  /// as much only the first session of a client.
  std::size_t reply_cache_bytes = std::size_t{256} << 20;
};

struct StateConfig {
  /// Another one with each start (ns::FileSystem::boot_id()): tells ids of an earlier run.
  std::uint64_t boot_id = 0;
  std::int64_t lease_ns = 90 * kSecondNs;
  std::int64_t grace_ns = 90 * kSecondNs;
  /// A client whose lease is over keeps its state until someone needs it, at most so long.
  std::int64_t courtesy_ns = 24 * 3600 * kSecondNs;
  StateLimits limits;

  std::uint32_t lease_seconds() const { return static_cast<std::uint32_t>(lease_ns / kSecondNs); }
};

}  // namespace outcrop::nfs
