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

/// Statuses that are told apart; any other counts as its class ("4xx").
inline constexpr std::array<int, 17> kStatuses = {200, 204, 206, 304, 307, 400, 403, 404, 405,
                                                  408, 409, 411, 412, 416, 500, 501, 503};
inline constexpr std::size_t kStatusSlots = kStatuses.size() + 5;  ///< and 1xx ... 5xx
/// Upper bounds in seconds; the last bucket has none.
inline constexpr std::array<double, 16> kLatencyBounds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

struct OperationTotals {
  std::string operation;
  std::array<std::uint64_t, kStatusSlots> by_status{};
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency{};
  std::uint64_t nanoseconds = 0, bytes_in = 0, bytes_out = 0;
};

/// "404", or "4xx" for a status that is not told apart.
std::string status_label(std::size_t slot);

class RequestMetrics {
 public:
  /// `operations`: names by operation number.
  RequestMetrics(unsigned workers, std::vector<std::string> operations);
  /// On the worker that served the request.
  void record(std::size_t operation,
              int status,
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
  std::vector<std::unique_ptr<Cell[]>> x_workers;  // per worker, by operation
};

}  // namespace outcrop::admin
