// What each bucket holds, exactly, and what it may hold. The sum lies in cells, records that one
// transaction at a time may write: docs/adr/0014-quotas.md. A transaction takes a Change before its
// commit, puts its mutation into the batch, and settles it after. Any thread; no call suspends but
// close().
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/async.h"
#include "storage/base/ids.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/tally_sums.h"
#include "storage/ns/types.h"
#include "storage/ns/upload_record.h"

namespace outcrop::ns {

/// What an inode, or a part of an upload, adds to its bucket. `record` with all of its lists.
Usage usage_of(const InodeRecord& record);
Usage usage_of(const PartRecord& record);

class Tally;
using TallyPtr = std::shared_ptr<Tally>;

/// Bytes that are promised to a writer while it lives.
class Reservation {
 public:
  Reservation() = default;
  Reservation(TallyPtr tally, std::uint64_t bytes) : x_tally(std::move(tally)), x_bytes(bytes) {}
  Reservation(Reservation&& other) noexcept
      : x_tally(std::move(other.x_tally)), x_bytes(std::exchange(other.x_bytes, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { release(); }
  std::uint64_t bytes() const { return x_bytes; }
  void release();
  /// Takes in another one of the same bucket.
  void add(Reservation other);

 private:
  friend class TallyChange;
  TallyPtr x_tally;
  std::uint64_t x_bytes = 0;
};

/// A cell that is taken, for one commit. Not settled, the cell is what it was.
class TallyChange {
 public:
  TallyChange(TallyPtr tally, std::uint32_t cell, const Usage& value, const Usage& delta)
      : x_tally(std::move(tally)), x_cell(cell), x_value(value), x_delta(delta) {}
  TallyChange(TallyChange&&) = default;
  TallyChange& operator=(TallyChange&&) = delete;
  ~TallyChange();

  std::uint32_t cell() const { return x_cell; }
  const Usage& value() const { return x_value; }  ///< of the cell, with the delta
  /// Committed; what was reserved for it is used now.
  void settle(Reservation spent);

 private:
  friend class Tally;
  TallyPtr x_tally;
  std::uint32_t x_cell;
  Usage x_value, x_delta, x_pending{};
};

/// Whether a limit counts for a change.
enum class Growth : std::uint8_t {
  limited,
  allowed,  ///< of what must always work, or what is reserved already
};

/// Of one bucket.
class Tally : public std::enable_shared_from_this<Tally> {
 public:
  /// `cells`: their values as they are stored. Empty: nobody knows what the bucket holds.
  explicit Tally(std::optional<std::vector<Usage>> cells);

  /// Empty: nothing to write, the bucket goes or its sum is not known. quota_exceeded.
  Result<std::optional<TallyChange>> take(const Usage& delta,
                                          Growth growth,
                                          std::uint64_t reserved = 0);
  /// quota_exceeded.
  Result<Reservation> reserve(std::uint64_t bytes);
  /// Whether so much more may come, as far as can be seen now.
  Result<void> fits(const Usage& more) const;

  BucketUsage usage() const;
  void set_limits(const QuotaLimits& limits);
  /// Null: the bucket's group has no limits, or it is in none.
  void set_group(TallyGroupPtr group, bool limits_bytes);
  TallyGroupPtr group() const;
  /// Of the bucket or its group.
  bool limits_bytes() const {
    return x_limits_bytes.load(std::memory_order_relaxed) ||
           x_group_limits_bytes.load(std::memory_order_relaxed);
  }

  /// The bucket is about to go: no cell is taken any more, and none is when this returns. Gives how
  /// many cells there are.
  Task<std::uint32_t> close();
  void reopen();

 private:
  friend class TallyChange;
  friend class Reservation;
  Result<void> check(const Demand& demand) const;
  Result<void> admit(const Demand& demand, Growth growth, const TallySums& change);
  void apply(const TallySums& change);
  void give_back(TallyChange& change, bool committed, std::uint64_t spent);

  mutable std::mutex x_mutex;  ///< before that of the group
  TallySums x_sums;
  TallyGroupPtr x_group;
  QuotaLimits x_limits{};
  std::atomic<bool> x_limits_bytes{false}, x_group_limits_bytes{false};
  std::vector<Usage> x_cells;
  std::vector<std::uint32_t> x_free;
  bool x_closed = false;
  Resume<void> x_closer;
};

/// By bucket root.
class TallyTable {
 public:
  TallyPtr find(InodeId root) const;
  void add(InodeId root, TallyPtr tally);
  void erase(InodeId root);

 private:
  struct alignas(64) Shard {
    mutable std::shared_mutex mutex;
    std::unordered_map<InodeId, TallyPtr> tallies;
  };
  static constexpr std::size_t kShards = 16;
  const Shard& shard(InodeId root) const { return x_shards[root % kShards]; }
  Shard& shard(InodeId root) { return x_shards[root % kShards]; }
  std::array<Shard, kShards> x_shards;
};

}  // namespace outcrop::ns
