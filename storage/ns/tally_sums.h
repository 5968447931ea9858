// What is used, and what may be added to it soon: of a bucket (tally.h), or of a group of buckets,
// whose sums are those of its members added up. Any thread.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>

#include "storage/base/result.h"
#include "storage/ns/quota_groups.h"
#include "storage/ns/types.h"

namespace outcrop::ns {

inline Usage operator+(Usage a, const Usage& b) {
  return {a.bytes + b.bytes, a.objects + b.objects};
}
inline Usage operator-(Usage a, const Usage& b) {
  return {a.bytes - b.bytes, a.objects - b.objects};
}

struct TallySums {
  Usage used{}, pending{};    ///< pending: what transactions that are under way may add
  std::int64_t reserved = 0;  ///< bytes
  std::int64_t unknown = 0;   ///< buckets of which nobody knows what they hold
};
inline TallySums operator+(const TallySums& a, const TallySums& b) {
  return {a.used + b.used, a.pending + b.pending, a.reserved + b.reserved, a.unknown + b.unknown};
}
inline TallySums operator-(const TallySums& a) {
  return {Usage{} - a.used, Usage{} - a.pending, -a.reserved, -a.unknown};
}

/// What a writer asks for: `more`, of which `reserved` bytes are promised to him already.
struct Demand {
  Usage more{};
  std::uint64_t reserved = 0;
};

/// Which limit an error names.
struct QuotaDetails {
  std::string_view bytes, objects;
};
/// Errors: quota_exceeded, and unavailable while the sum is not known.
Result<void> check_demand(const QuotaLimits& limits,
                          const TallySums& sums,
                          const Demand& demand,
                          const QuotaDetails& details);

/// The sums of the members of a group that has limits.
class TallyGroup {
 public:
  explicit TallyGroup(const QuotaLimits& limits) : x_limits(limits) {}

  /// `change` if there is room for the demand; both in one.
  Result<void> admit(const Demand& demand, const TallySums& change);
  Result<void> fits(const Demand& demand) const;
  void apply(const TallySums& change);
  void set_limits(const QuotaLimits& limits);
  GroupUsage usage() const;

 private:
  Result<void> check(const Demand& demand) const;

  mutable std::mutex x_mutex;
  TallySums x_sums;
  QuotaLimits x_limits;
};
using TallyGroupPtr = std::shared_ptr<TallyGroup>;

}  // namespace outcrop::ns
