#include "server/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace outcrop::server {
namespace {

constexpr std::uint64_t kLeast = 128ull << 20, kMostCache = 8ull << 30, kLeastCache = 24ull << 20;
// io_uring registers the pool, which pins all of it; what does not fit is allocated when needed.
constexpr std::uint64_t kMostPool = 256ull << 20;
constexpr std::uint64_t kMostWrites = 256ull << 20, kMostState = 256ull << 20;

/// "max" and v1's huge default both mean: no limit.
std::uint64_t limit_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t n = 0;
  if (!(in >> n) || n >= (1ull << 60)) {
    return 0;
  }
  return n;
}

std::uint64_t tighter(std::uint64_t a, std::uint64_t b) {
  return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

}  // namespace

MemoryPlan plan_memory(std::uint64_t configured, std::uint64_t cgroup_limit, std::uint64_t ram) {
  MemoryPlan plan;
  const bool confined = cgroup_limit > 0 && cgroup_limit < ram;
  plan.total = configured > 0 ? configured : confined ? cgroup_limit / 4 * 3 : ram / 2;
  plan.total = std::max(plan.total, kLeast);
  plan.in_flight = plan.total / 4;
  plan.buffer_pool = std::min(plan.total / 4, kMostPool);
  plan.cache = std::clamp(plan.total / 4, kLeastCache, kMostCache);
  plan.payloads = std::min(plan.total / 16, kMostCache);
  plan.writes = std::min(plan.total / 16, kMostWrites);
  plan.chunks = std::min(plan.total / 32, kMostWrites);
  plan.nfs_state = std::min(plan.total / 16, kMostState);
  plan.nfs_replies = std::min(plan.total / 32, kMostState);
  return plan;
}

std::uint64_t cgroup_memory_limit(const std::string& root) {
  const std::filesystem::path base(root);
  std::ifstream groups(base / "proc/self/cgroup");
  std::uint64_t limit = 0;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t second = line.find(':', line.find(':') + 1);
    if (second == std::string::npos) {
      continue;
    }
    const bool v2 = line.starts_with("0::");
    if (!v2 && line.find(":memory:") == std::string::npos) {
      continue;
    }
    const std::filesystem::path top = base / (v2 ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
    const char* const file = v2 ? "memory.max" : "memory.limit_in_bytes";
    // Every level above limits too; inside a container the path may not exist, the top does.
    std::filesystem::path at = line.substr(second + 1);
    for (at = at.relative_path(); !at.empty(); at = at.parent_path()) {
      limit = tighter(limit, limit_in(top / at / file));
    }
    limit = tighter(limit, limit_in(top / file));
  }
  return limit;
}

std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

}  // namespace outcrop::server
