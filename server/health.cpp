#include "server/health.h"

#include <algorithm>

namespace outcrop::server {
namespace {

std::string data_reason(const engine::RepairStatus& r) {
  std::string out;
  const auto add = [&out](std::uint64_t n, std::string_view what) {
    if (n > 0) {
      out.append(out.empty() ? "" : ", ").append(std::to_string(n)).append(" segments ");
      out.append(what);
    }
  };
  add(r.degraded, "degraded");
  add(r.unreadable, "unreadable without the missing drives");
  add(r.damaged, "damaged");
  return out;
}

}  // namespace

std::vector<admin::Check> health_checks(const engine::EngineStats& stats,
                                        const std::string& safe_mode) {
  const auto live = std::ranges::count_if(stats.drives, &engine::DriveStatus::live);
  const auto total = static_cast<std::ptrdiff_t>(stats.drives.size());
  return {{.name = "storage",
           .ok = stats.writable,
           .reason = stats.writable      ? ""
                     : safe_mode.empty() ? "read-only: too few live drives for full redundancy"
                                         : "read-only: " + safe_mode},
          // Missing drives do not make the box useless: the reason is there for the operator.
          {.name = "drives",
           .ok = true,
           .reason = live == total ? ""
                                   : std::to_string(live) + " of " + std::to_string(total) +
                                         " drives are live"},
          {.name = "clock",
           .ok = true,
           .reason = stats.clock_behind_seconds < 60
                         ? ""
                         : "the machine's clock is " + std::to_string(stats.clock_behind_seconds) +
                               " s behind what the store has seen"},
          {.name = "data", .ok = true, .reason = data_reason(stats.repair)}};
}

}  // namespace outcrop::server
