#include "storage/ns/tally.h"

#include <algorithm>

#include "storage/ns/piece_map.h"

namespace outcrop::ns {
namespace {

Usage growth_of(const Usage& delta) {
  return {std::max<std::int64_t>(delta.bytes, 0), std::max<std::int64_t>(delta.objects, 0)};
}

}  // namespace

// A sealed payload is larger than its size, one with holes smaller: neither counts.
Usage usage_of(const InodeRecord& record) {
  if (record.type != InodeType::file) {
    return {};
  }
  const std::uint64_t stored = record.inline_data.size() + data_bytes(record.lists.pieces);
  return {static_cast<std::int64_t>(std::min(record.size, stored)), 1};
}

Usage usage_of(const PartRecord& record) {
  return {static_cast<std::int64_t>(std::min(record.size, data_bytes(record.lists.pieces))), 0};
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  release();
  x_tally = std::move(other.x_tally);
  x_bytes = std::exchange(other.x_bytes, 0);
  return *this;
}

void Reservation::release() {
  if (x_bytes > 0) {
    const std::lock_guard lock(x_tally->x_mutex);
    x_tally->apply({.reserved = -static_cast<std::int64_t>(std::exchange(x_bytes, 0))});
  }
}

void Reservation::add(Reservation other) {
  if (other.x_bytes == 0) {
    return;
  }
  x_tally = std::move(other.x_tally);
  x_bytes += std::exchange(other.x_bytes, 0);
}

TallyChange::~TallyChange() {
  if (x_tally) {
    x_tally->give_back(*this, false, 0);
  }
}

void TallyChange::settle(Reservation spent) {
  x_tally->give_back(*this, true, std::exchange(spent.x_bytes, 0));
  x_tally.reset();
}

Tally::Tally(std::optional<std::vector<Usage>> cells) {
  x_sums.unknown = cells ? 0 : 1;
  if (cells) {
    x_cells = *std::move(cells);
  }
  for (std::uint32_t cell = 0; cell < x_cells.size(); ++cell) {
    x_sums.used = x_sums.used + x_cells[cell];
    x_free.push_back(cell);
  }
}

// x_mutex is held here, and in admit() and apply().
Result<void> Tally::check(const Demand& demand) const {
  return check_demand(x_limits, x_sums, demand, {kBytesQuota, kObjectsQuota});
}

// The change is made for the bucket and its group, or for neither.
Result<void> Tally::admit(const Demand& demand, Growth growth, const TallySums& change) {
  if (growth == Growth::limited) {
    TRYV(check(demand));
    if (x_group) {
      TRYV(x_group->admit(demand, change));
    }
    x_sums = x_sums + change;
  } else {
    apply(change);
  }
  return ok();
}

void Tally::apply(const TallySums& change) {
  x_sums = x_sums + change;
  if (x_group) {
    x_group->apply(change);
  }
}

Result<std::optional<TallyChange>> Tally::take(const Usage& delta,
                                               Growth growth,
                                               std::uint64_t reserved) {
  const Usage pending =
      growth_of({delta.bytes - static_cast<std::int64_t>(reserved), delta.objects});
  const std::lock_guard lock(x_mutex);
  const bool written = !x_closed && x_sums.unknown == 0;
  TRYV(admit({delta, reserved}, growth, {.pending = written ? pending : Usage{}}));
  if (!written) {
    return std::nullopt;
  }
  if (x_free.empty()) {
    x_free.push_back(static_cast<std::uint32_t>(x_cells.size()));
    x_cells.emplace_back();
  }
  const std::uint32_t cell = x_free.back();
  x_free.pop_back();
  TallyChange change(shared_from_this(), cell, x_cells[cell] + delta, delta);
  change.x_pending = pending;
  return change;
}

void Tally::give_back(TallyChange& change, bool committed, std::uint64_t spent) {
  Resume<void> closer;
  {
    const std::lock_guard lock(x_mutex);
    apply({.used = committed ? change.x_delta : Usage{},
           .pending = Usage{} - change.x_pending,
           .reserved = -static_cast<std::int64_t>(spent)});
    if (committed) {
      x_cells[change.x_cell] = change.x_value;
    }
    x_free.push_back(change.x_cell);
    if (x_closed && x_free.size() == x_cells.size()) {
      closer = std::exchange(x_closer, {});
    }
  }
  if (closer) {
    closer(ok());
  }
}

Result<Reservation> Tally::reserve(std::uint64_t bytes) {
  const auto more = static_cast<std::int64_t>(bytes);
  const std::lock_guard lock(x_mutex);
  TRYV(admit({.more = {more, 0}}, Growth::limited, {.reserved = more}));
  return Reservation(shared_from_this(), bytes);
}

Result<void> Tally::fits(const Usage& more) const {
  const std::lock_guard lock(x_mutex);
  TRYV(check({more}));
  return x_group ? x_group->fits({more}) : ok();
}

BucketUsage Tally::usage() const {
  const std::lock_guard lock(x_mutex);
  return {.name = {},
          .used = x_sums.used,
          .reserved = static_cast<std::uint64_t>(x_sums.reserved),
          .limits = x_limits,
          .counted = x_sums.unknown == 0};
}

void Tally::set_limits(const QuotaLimits& limits) {
  const std::lock_guard lock(x_mutex);
  x_limits = limits;
  x_limits_bytes.store(limits.bytes.has_value(), std::memory_order_relaxed);
}

void Tally::set_group(TallyGroupPtr group, bool limits_bytes) {
  const std::lock_guard lock(x_mutex);
  if (x_group != group) {
    if (x_group) {
      x_group->apply(-x_sums);
    }
    x_group = std::move(group);
    if (x_group) {
      x_group->apply(x_sums);
    }
  }
  x_group_limits_bytes.store(limits_bytes, std::memory_order_relaxed);
}

TallyGroupPtr Tally::group() const {
  const std::lock_guard lock(x_mutex);
  return x_group;
}

Task<std::uint32_t> Tally::close() {
  CO_TRYV(co_await suspend<void>([this](Resume<void> resume) {
    {
      const std::lock_guard lock(x_mutex);
      x_closed = true;
      if (x_free.size() != x_cells.size()) {
        x_closer = std::move(resume);
        return;
      }
    }
    resume(ok());
  }));
  const std::lock_guard lock(x_mutex);
  co_return static_cast<std::uint32_t>(x_cells.size());
}

void Tally::reopen() {
  const std::lock_guard lock(x_mutex);
  x_closed = false;
}

TallyPtr TallyTable::find(InodeId root) const {
  const Shard& s = shard(root);
  const std::shared_lock lock(s.mutex);
  const auto it = s.tallies.find(root);
  return it == s.tallies.end() ? nullptr : it->second;
}

void TallyTable::add(InodeId root, TallyPtr tally) {
  Shard& s = shard(root);
  const std::unique_lock lock(s.mutex);
  s.tallies[root] = std::move(tally);
}

void TallyTable::erase(InodeId root) {
  Shard& s = shard(root);
  const std::unique_lock lock(s.mutex);
  s.tallies.erase(root);
}

}  // namespace outcrop::ns
