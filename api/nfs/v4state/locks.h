// Byte-range locks: arguments and results of LOCK, LOCKT, LOCKU (RFC 8881 18.10 to 18.12). Locks
// are advisory: READ and WRITE do not look at them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/nfs/v4state/types.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

enum class LockType : std::uint32_t { read = 1, write = 2, read_wait = 3, write_wait = 4 };
constexpr bool is_write(LockType type) {
  return type == LockType::write || type == LockType::write_wait;
}

/// As on the wire: all ones is "to the end".
inline constexpr std::uint64_t kLockToEnd = UINT64_MAX;

/// A lock in the way (LOCK4denied).
struct LockConflict {
  std::uint64_t offset = 0, length = 0;
  LockType type = LockType::read;  ///< read or write
  ClientId client = 0;
  std::string owner{};
};

struct LockRequest {
  ns::FileId file;
  LockType type = LockType::read;  ///< the waiting ones do not wait: the client polls
  bool reclaim = false;
  std::uint64_t offset = 0, length = 0;  ///< 0 and what overflows: INVAL
  /// open_to_lock_owner: stateid is the open's, `owner` the lock owner. Otherwise stateid is the
  /// lock's.
  Stateid stateid;
  bool new_owner = false;
  std::string_view owner;
};

struct LockResult {
  Status status = Status::ok;
  Stateid stateid{};                       ///< ok
  std::optional<LockConflict> conflict{};  ///< denied
};

struct LockTestRequest {
  ns::FileId file;
  LockType type = LockType::read;
  std::uint64_t offset = 0, length = 0;
  std::string_view owner;
};
struct LockTestResult {
  Status status = Status::ok;
  std::optional<LockConflict> conflict{};
};

}  // namespace outcrop::nfs
