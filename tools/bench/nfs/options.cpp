#include "tools/bench/nfs/options.h"

#include <algorithm>

#include "tools/bench/options.h"

namespace outcrop::bench {
namespace {

constexpr std::array<std::string_view, kNfsOpCount> kNames{"getattr", "lookup", "read",
                                                           "write",   "create", "readdir"};

std::unexpected<Error> refuse(std::string line) { return fail(Errc::config, std::move(line)); }

}  // namespace

std::string_view name(NfsOp op) { return kNames[static_cast<std::size_t>(op)]; }

Result<NfsMix> parse_nfs_mix(std::string_view text) {
  TRY(const std::vector<unsigned> shares, parse_shares(text, kNames));
  NfsMix mix{};
  std::ranges::copy(shares, mix.begin());
  return mix;
}

Result<bool> parse_nfs_version(std::string_view text) {
  if (text == "3") {
    return false;
  }
  if (text == "4.1") {
    return true;
  }
  return refuse("--version must be 3 or 4.1");
}

Result<void> check(const NfsOptions& o) {
  if (o.port < 1 || o.port > 65'535 || o.mount_port > 65'535) {
    return refuse("--port and --mount-port must be 1 to 65535");
  }
  if (!o.export_path.starts_with('/')) {
    return refuse("--export must be an absolute path");
  }
  if (o.size < 1 || o.size > kMaxNfsTransfer) {
    return refuse("--size must be 1 byte to 1 MiB");
  }
  if (o.file_size != 0 && o.file_size < o.size) {
    return refuse("--file-size is smaller than --size");
  }
  if (o.files < 1 || o.files > 1'000'000) {
    return refuse("--files must be 1 to 1000000");
  }
  if (o.depth < 1 || o.depth > kMaxNfsDepth) {
    return refuse("--depth must be 1 to 64");
  }
  if (o.connections < 1 || o.connections > 4096) {
    return refuse("--connections must be 1 to 4096");
  }
  if (o.threads < 1 || o.threads > std::min(o.connections, 256U)) {
    return refuse("--threads must be 1 to 256, and not more than --connections");
  }
  if (o.duration_s <= 0 || o.duration_s > 86'400) {
    return refuse("--duration must be above 0 and at most a day (86400)");
  }
  if (o.timeout_s < 1 || o.timeout_s > 3600) {
    return refuse("--timeout must be 1 to 3600 seconds");
  }
  return ok();
}

}  // namespace outcrop::bench
