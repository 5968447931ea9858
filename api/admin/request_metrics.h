// What requests cost and how they end, by operation: counted per worker with plain stores, so that
// a request pays for a few cache lines and no label lookup; added up when somebody asks.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/counter.h"

namespace outcrop::admin {

inline constexpr std::size_t kStatusSlots = 28;

/// Which statuses of a protocol are told apart. A slot is below kStatusSlots.
struct StatusScheme {
  std::size_t (*slot)(std::uint32_t status);
  std::string (*label)(std::size_t slot);
};
extern const StatusScheme kHttpStatuses;  ///< "404", or "4xx" for those that are not told apart
extern const StatusScheme kNfsStatuses;   ///< of v3, v4 and MOUNT: "ok", "noent", ... or "other"

/// Upper bounds in seconds; the last bucket has none.
inline constexpr std::array<double, 16> kLatencyBounds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

struct OperationTotals {
  std::string operation;
  const StatusScheme* statuses = &kHttpStatuses;
  std::array<std::uint64_t, kStatusSlots> by_status{};
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency{};
  std::uint64_t nanoseconds = 0, bytes_in = 0, bytes_out = 0;
};

class RequestMetrics {
 public:
  /// `operations`: names by operation number.
  RequestMetrics(unsigned workers,
                 std::vector<std::string> operations,
                 const StatusScheme& statuses = kHttpStatuses);
  /// On the worker that served the request.
  void record(std::size_t operation,
              std::uint32_t status,
              std::uint64_t bytes_in,
              std::uint64_t bytes_out,
              std::int64_t duration_ns);
  /// Operations that were seen at least once. Any thread.
  std::vector<OperationTotals> totals() const;

 private:
  struct alignas(64) Cell {
    std::array<Counter, kStatusSlots> by_status;
    std::array<Counter, kLatencyBounds.size() + 1> latency;
    Counter nanoseconds, bytes_in, bytes_out;
  };
  std::vector<std::string> x_operations;
  const StatusScheme& x_statuses;
  std::vector<std::unique_ptr<Cell[]>> x_workers;  // per worker, by operation
};

}  // namespace outcrop::admin
