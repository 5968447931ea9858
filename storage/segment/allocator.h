// Makes new segments: picks live drives, takes spares, publishes the catalogue record. A segment is
// durable in every respect before its first byte is written.
#pragma once
#include <atomic>
#include <mutex>

#include "storage/segment/catalogue.h"
#include "storage/segment/spare_pool.h"

namespace outcrop::segment {

/// Of each drive, for upkeep: one segment to move into, and the next, which is prepared early.
inline constexpr std::uint64_t kKeptShards = 2;

class Allocator {
 public:
  Allocator(Context& context, Catalogue& catalogue, SparePool& spares)
      : x_context(context), x_catalogue(catalogue), x_spares(spares) {}
  /// Loads the id counter; call once after the metadata is open.
  Task<> open();
  /// A new open segment over the drives live now: (1, m) if `small`, else (k, m). Drives that are
  /// full are left out while the others are m+1 at least.
  /// read_only with too few live drives; no_space when too few can hold another shard and, for
  /// clients, what is kept back for upkeep; garbage is freed before it says that (not for
  /// rebalancing, which plans with what garbage takes).
  /// For rebalancing: over the drives of aim() alone; no_space if one of them has no room that
  /// clients may have, or takes nothing new.
  Task<SegmentPtr> create(bool small, Purpose purpose);
  /// Where what is rebalanced goes from now on. Any thread.
  void aim(std::vector<drives::Slot> slots);
  /// As wide as what is made for rebalancing now, and on no other drives.
  bool aimed(const SegmentRecord& record) const;

 private:
  Task<SegmentId> next_id();
  Result<std::vector<drives::Slot>> with_room(std::vector<drives::Slot> live,
                                              unsigned parity,
                                              Purpose purpose);
  std::vector<drives::Slot> aim() const;
  Result<SegmentRecord> plan(bool small, Purpose purpose);
  Result<std::shared_ptr<io::File>> place_shard(const SegmentRecord& record, unsigned shard);
  void give_back(const SegmentRecord& record, unsigned shards);
  Result<SegmentPtr> place(SegmentId id, bool small, Purpose purpose);
  Task<bool> make_room(Purpose purpose);

  Context& x_context;
  Catalogue& x_catalogue;
  SparePool& x_spares;
  std::mutex x_mutex;  // guards the two counters; never held across a suspension
  SegmentId x_next = 0, x_reserved_end = 0;
  std::atomic<unsigned> x_rotation{0};
  mutable std::mutex x_aim_mutex;
  std::vector<drives::Slot> x_aim;  // in order
};

}  // namespace outcrop::segment
