// Pre-written shard files that wait for a segment: zeroed once, in the background
// (drives::StockFiller) where there is time for it, and recycled for ever. Writing into them needs
// no filesystem journal commit, which halves the cost of a durable append.
#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/drives/stock.h"
#include "storage/segment/context.h"

namespace outcrop::segment {

/// What shard files leave alone on a drive of `total` bytes: metadata grows while they stay, and
/// must be able to when objects are deleted from a full store.
constexpr std::uint64_t metadata_share(std::uint64_t total) {
  constexpr std::uint64_t kLeast = 256 << 20;  // rewriting the index takes that much
  constexpr std::uint64_t kMost = std::uint64_t{8} << 30;
  return std::clamp(total / 32, std::min(total / 4, kLeast), kMost);
}

/// With less than this free on a drive metadata takes nothing new: what deletes need, and the
/// index, which is written anew without what they erased. On small drives the share does not bound
/// that.
constexpr std::uint64_t metadata_least_free(std::uint64_t total, std::uint64_t index_bytes) {
  const std::uint64_t share = metadata_share(total);
  return share < total / 4 ? share / 2 : std::max(share / 2, index_bytes + share / 4);
}

/// All calls but wanted(), count() and take_missed() block: start-up and the blocking pool only.
/// Thread-safe.
class SparePool final : public drives::Stock {
 public:
  explicit SparePool(Context& context) : x_context(context) {}
  /// Finds a live drive's spares of earlier runs; removes half-written and wrong-sized ones.
  Result<void> load(drives::Slot slot);
  /// The drive left: its spares are found again when it is back.
  void forget(drives::Slot slot);
  /// Moves a spare to `path` on the drive, writing a new one first if none is left. A file of
  /// another size than spares have is written there.
  Result<void> take(drives::Slot slot, const std::string& path, std::uint64_t bytes);
  /// Makes the shard file at `path` a spare again; one of another size, or whose tail was given
  /// back, is removed.
  Result<void> give_back(drives::Slot slot, const std::string& path, std::uint64_t bytes);
  /// Undoes take(), of a file that was not written since. Opens nothing: it may be for want of
  /// descriptors.
  Result<void> put_back(drives::Slot slot, const std::string& path, std::uint64_t bytes);
  /// What take() or its opposites did on the way is left behind: the log has it, and a drive that
  /// failed is out, for what it said of its directories does not count any more. Blocking.
  void left_behind(drives::Slot slot, const std::string& path, const Error& why);
  /// Gives spares back to the file system while it has less free than metadata may need.
  Result<void> trim(drives::Slot slot);
  /// How many shard files more the drive can hold: spares, and what fits beside what metadata may
  /// need.
  Result<std::uint64_t> room(drives::Slot slot) const;

  // drives::Stock
  /// When a drive leaves, each worker wants a new segment of either kind at once.
  std::size_t wanted(const io::Space& space) const override;
  std::size_t count(drives::Slot slot) const override;
  bool take_missed(drives::Slot slot) override;
  /// take() that finds no spare goes on with what was begun. Where room for metadata is wanted it
  /// is removed.
  Result<bool> add_part(drives::Slot slot, std::size_t wanted) override;

 private:
  /// A spare that is written in parts.
  struct Begun {
    std::string partial, name;
    std::uint64_t written = 0;
  };
  std::string next_name();
  std::string next_spare(drives::Slot slot);  ///< empty: there is none
  /// A shard file that is written early leaves metadata all of its share; one that is needed now,
  /// half of it: what clients may not have is checked before (Allocator), and the rest makes room.
  enum class Claim : std::uint8_t { early, needed };
  Result<void> write_one(drives::Slot slot);
  std::optional<Begun> begun(drives::Slot slot) const;
  void end(drives::Slot slot, const Begun& spare);
  Result<void> write_part(drives::Slot slot, const Begun& spare);
  Result<void> finish(drives::Slot slot, const std::string& partial, const std::string& name);
  void remove_partial(drives::Slot slot, const std::string& partial);
  /// Shard files that fit beside what is there.
  Result<std::uint64_t> writable(drives::Slot slot, Claim claim) const;

  Context& x_context;
  /// Held while a spare is written there: who needs one at once waits for the part in progress.
  std::array<std::mutex, drives::kMaxDrives> x_writing;
  mutable std::mutex x_mutex;  // guards all below
  std::map<drives::Slot, std::vector<std::string>> x_spares;
  std::map<drives::Slot, Begun> x_begun;
  std::set<drives::Slot> x_missed;
  std::uint64_t x_next = 1;
};

}  // namespace outcrop::segment
