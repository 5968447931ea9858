#include "storage/ns/tally_sums.h"

namespace outcrop::ns {
namespace {

bool exceeds(const std::optional<std::uint64_t>& limit, std::int64_t used, std::int64_t more) {
  return limit && more > 0 && (used + more > 0 && static_cast<std::uint64_t>(used + more) > *limit);
}

}  // namespace

Result<void> check_demand(const QuotaLimits& limits,
                          const TallySums& sums,
                          const Demand& demand,
                          const QuotaDetails& details) {
  const Usage& more = demand.more;
  if (limits.empty() || (more.bytes <= 0 && more.objects <= 0)) {
    return ok();
  }
  if (sums.unknown > 0) {
    return fail(Errc::unavailable, "what the bucket holds is counted at the next start");
  }
  const std::int64_t others = sums.reserved - static_cast<std::int64_t>(demand.reserved);
  if (exceeds(limits.bytes, sums.used.bytes + sums.pending.bytes + others, more.bytes)) {
    return fail(Errc::quota_exceeded, std::string(details.bytes));
  }
  return exceeds(limits.objects, sums.used.objects + sums.pending.objects, more.objects)
             ? fail(Errc::quota_exceeded, std::string(details.objects))
             : ok();
}

Result<void> TallyGroup::check(const Demand& demand) const {
  return check_demand(x_limits, x_sums, demand, {kGroupBytesQuota, kGroupObjectsQuota});
}

Result<void> TallyGroup::admit(const Demand& demand, const TallySums& change) {
  const std::lock_guard lock(x_mutex);
  TRYV(check(demand));
  x_sums = x_sums + change;
  return ok();
}

Result<void> TallyGroup::fits(const Demand& demand) const {
  const std::lock_guard lock(x_mutex);
  return check(demand);
}

void TallyGroup::apply(const TallySums& change) {
  const std::lock_guard lock(x_mutex);
  x_sums = x_sums + change;
}

void TallyGroup::set_limits(const QuotaLimits& limits) {
  const std::lock_guard lock(x_mutex);
  x_limits = limits;
}

GroupUsage TallyGroup::usage() const {
  const std::lock_guard lock(x_mutex);
  return {.used = x_sums.used,
          .reserved = static_cast<std::uint64_t>(x_sums.reserved),
          .limits = x_limits,
          .counted = x_sums.unknown == 0};
}

}  // namespace outcrop::ns
