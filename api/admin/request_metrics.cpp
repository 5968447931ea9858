#include "api/admin/request_metrics.h"

#include <algorithm>

#include "storage/base/worker.h"

namespace outcrop::admin {
namespace {

constexpr std::array<std::uint32_t, 17> kHttp = {200, 204, 206, 304, 307, 400, 403, 404, 405,
                                                 408, 409, 411, 412, 416, 500, 501, 503};
static_assert(kHttp.size() + 5 <= kStatusSlots);  // and 1xx ... 5xx

std::size_t http_slot(std::uint32_t status) {
  const auto* const known = std::ranges::find(kHttp, status);
  if (known != kHttp.end()) {
    return static_cast<std::size_t>(known - kHttp.begin());
  }
  return kHttp.size() + std::clamp(status / 100, 1u, 5u) - 1;
}

std::string http_label(std::size_t slot) {
  return slot < kHttp.size() ? std::to_string(kHttp[slot])
                             : std::to_string(slot - kHttp.size() + 1) + "xx";
}

struct NfsStatus {
  std::uint32_t number;
  std::string_view name;
};
constexpr std::array<NfsStatus, 27> kNfs = {{{0, "ok"},
                                             {1, "perm"},
                                             {2, "noent"},
                                             {5, "io"},
                                             {13, "access"},
                                             {17, "exist"},
                                             {20, "notdir"},
                                             {21, "isdir"},
                                             {22, "inval"},
                                             {27, "fbig"},
                                             {28, "nospc"},
                                             {30, "rofs"},
                                             {63, "nametoolong"},
                                             {66, "notempty"},
                                             {70, "stale"},
                                             {10001, "badhandle"},
                                             {10004, "notsupp"},
                                             {10006, "serverfault"},
                                             {10008, "delay"},
                                             {10010, "denied"},
                                             {10011, "expired"},
                                             {10013, "grace"},
                                             {10018, "resource"},
                                             {10025, "bad_stateid"},
                                             {10052, "badsession"},
                                             {10063, "seq_misordered"},
                                             {UINT32_MAX, "garbage"}}};
static_assert(kNfs.size() < kStatusSlots);  // and "other"

std::size_t nfs_slot(std::uint32_t status) {
  return static_cast<std::size_t>(std::ranges::find(kNfs, status, &NfsStatus::number) -
                                  kNfs.begin());
}

std::string nfs_label(std::size_t slot) {
  return slot < kNfs.size() ? std::string(kNfs[slot].name) : "other";
}

constexpr std::array<std::int64_t, kLatencyBounds.size()> make_bounds_ns() {
  std::array<std::int64_t, kLatencyBounds.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::int64_t>(kLatencyBounds[i] * 1e9);
  }
  return out;
}
constexpr auto kBoundsNs = make_bounds_ns();

}  // namespace

const StatusScheme kHttpStatuses = {http_slot, http_label};
const StatusScheme kNfsStatuses = {nfs_slot, nfs_label};

RequestMetrics::RequestMetrics(unsigned workers,
                               std::vector<std::string> operations,
                               const StatusScheme& statuses)
    : x_operations(std::move(operations)), x_statuses(statuses) {
  for (unsigned i = 0; i < std::max(workers, 1u); ++i) {
    x_workers.push_back(std::make_unique<Cell[]>(x_operations.size()));
  }
}

void RequestMetrics::record(std::size_t operation,
                            std::uint32_t status,
                            std::uint64_t bytes_in,
                            std::uint64_t bytes_out,
                            std::int64_t duration_ns) {
  if (operation >= x_operations.size()) {
    return;
  }
  Cell& cell = x_workers[worker_index() % x_workers.size()][operation];
  cell.by_status[x_statuses.slot(status)].add(1);
  const auto* const bound = std::ranges::lower_bound(kBoundsNs, duration_ns);
  cell.latency[static_cast<std::size_t>(bound - kBoundsNs.begin())].add(1);
  cell.nanoseconds.add(static_cast<std::uint64_t>(duration_ns));
  cell.bytes_in.add(bytes_in);
  cell.bytes_out.add(bytes_out);
}

std::vector<OperationTotals> RequestMetrics::totals() const {
  std::vector<OperationTotals> out;
  for (std::size_t op = 0; op < x_operations.size(); ++op) {
    OperationTotals t;
    t.operation = x_operations[op];
    t.statuses = &x_statuses;
    std::uint64_t requests = 0;
    for (const std::unique_ptr<Cell[]>& worker : x_workers) {
      const Cell& cell = worker[op];
      for (std::size_t i = 0; i < t.by_status.size(); ++i) {
        t.by_status[i] += cell.by_status[i].get();
        requests += cell.by_status[i].get();
      }
      for (std::size_t i = 0; i < t.latency.size(); ++i) {
        t.latency[i] += cell.latency[i].get();
      }
      t.nanoseconds += cell.nanoseconds.get();
      t.bytes_in += cell.bytes_in.get();
      t.bytes_out += cell.bytes_out.get();
    }
    if (requests > 0) {
      out.push_back(std::move(t));
    }
  }
  return out;
}

}  // namespace outcrop::admin
