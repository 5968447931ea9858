// What `outcrop bench nfs` is asked to do.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::bench {

enum class NfsOp : std::uint8_t { getattr, lookup, read, write, create, readdir };
inline constexpr std::size_t kNfsOpCount = 6;
std::string_view name(NfsOp op);

/// Percentages by operation; they add up to 100.
using NfsMix = std::array<unsigned, kNfsOpCount>;

inline constexpr unsigned kMaxNfsDepth = 64;  ///< the slots that Linux asks a session for
inline constexpr std::uint64_t kMaxNfsTransfer = 1 << 20;

struct NfsOptions {
  std::string host = "127.0.0.1";
  unsigned port = 2049;
  unsigned mount_port = 0;  ///< 0: the same port
  std::string export_path = "/";
  bool session = false;  ///< NFSv4.1; else NFSv3
  std::uint64_t size = 4096;
  std::uint64_t files = 100;
  std::uint64_t file_size = 0;  ///< 0: one transfer
  unsigned connections = 1;
  unsigned depth = 16;
  unsigned threads = 1;
  double duration_s = 10;
  std::uint64_t ops = 0;  ///< 0: until the duration is over
  NfsMix mix{100, 0, 0, 0, 0, 0};
  bool stable = false;
  bool clean = false;
  double timeout_s = 30;
  unsigned uid = 0, gid = 0;
  int server_pid = 0;  ///< 0: not given
  bool json = false;
};

// Errors are Errc::config with a line for the user.
/// "getattr=50,read=50"
Result<NfsMix> parse_nfs_mix(std::string_view text);
/// "3" or "4.1": whether it has sessions.
Result<bool> parse_nfs_version(std::string_view text);
/// What single options cannot say.
Result<void> check(const NfsOptions& options);

}  // namespace outcrop::bench
