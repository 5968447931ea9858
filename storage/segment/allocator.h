// Makes new segments: picks live drives, takes spares, publishes the catalogue record. A segment is
// durable in every respect before its first byte is written.
#pragma once
#include <atomic>
#include <condition_variable>
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
  /// Waits for spares that are being written on the pool.
  ~Allocator();
  /// Loads the id counter; call once after the metadata is open.
  Task<> open();
  /// A new open segment over the drives live now: (1, m) if `small`, else (k, m). Drives that are
  /// full are left out while the others are m+1 at least.
  /// read_only with too few live drives; no_space when too few can hold another shard and, for
  /// clients, what is kept back for upkeep.
  Task<SegmentPtr> create(bool small, Purpose purpose);

 private:
  Task<SegmentId> next_id();
  Result<std::vector<drives::Slot>> with_room(std::vector<drives::Slot> live,
                                              unsigned parity,
                                              Purpose purpose);
  Result<SegmentRecord> plan(bool small, Purpose purpose);
  Result<std::shared_ptr<io::File>> place_shard(const SegmentRecord& record, unsigned shard);
  void give_back(const SegmentRecord& record, unsigned shards);
  Result<SegmentPtr> place(SegmentId id, bool small, Purpose purpose);
  void fill_spares(drives::Slot slot);

  Context& x_context;
  Catalogue& x_catalogue;
  SparePool& x_spares;
  std::mutex x_mutex;  // guards the two counters; never held across a suspension
  SegmentId x_next = 0, x_reserved_end = 0;
  std::atomic<unsigned> x_rotation{0};
  std::mutex x_fill_mutex;
  std::condition_variable x_fills_ended;
  unsigned x_fills = 0;  // jobs on the pool
};

}  // namespace outcrop::segment
