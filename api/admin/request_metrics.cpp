#include "api/admin/request_metrics.h"

#include <algorithm>

#include "storage/base/worker.h"

namespace outcrop::admin {
namespace {

std::size_t status_slot(int status) {
  const auto* const known = std::ranges::find(kStatuses, status);
  if (known != kStatuses.end()) {
    return static_cast<std::size_t>(known - kStatuses.begin());
  }
  return kStatuses.size() + static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
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

std::string status_label(std::size_t slot) {
  if (slot < kStatuses.size()) {
    return std::to_string(kStatuses[slot]);
  }
  return std::to_string(slot - kStatuses.size() + 1) + "xx";
}

RequestMetrics::RequestMetrics(unsigned workers, std::vector<std::string> operations)
    : x_operations(std::move(operations)) {
  for (unsigned i = 0; i < std::max(workers, 1u); ++i) {
    x_workers.push_back(std::make_unique<Cell[]>(x_operations.size()));
  }
}

void RequestMetrics::record(std::size_t operation,
                            int status,
                            std::uint64_t bytes_in,
                            std::uint64_t bytes_out,
                            std::int64_t duration_ns) {
  if (operation >= x_operations.size()) {
    return;
  }
  Cell& cell = x_workers[worker_index() % x_workers.size()][operation];
  cell.by_status[status_slot(status)].add(1);
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
