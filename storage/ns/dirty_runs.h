// Bytes that were written to a file and are not stored yet: runs that do not overlap, the newest
// bytes on top, as shares of the buffers they were received in. Small shares of large blocks are
// copied, so that what is charged to the budget is what the runs keep alive. Not thread-safe: the
// file that owns the runs locks (dirty_file.h); the budget is for any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "storage/base/bytes.h"

namespace outcrop::ns {

/// Memory that all dirty files together hold. What counts is whole blocks, plus kRunOverhead each.
class WriteBudget {
 public:
  explicit WriteBudget(std::uint64_t limit) : x_limit(limit) {}
  std::uint64_t limit() const { return x_limit; }
  std::uint64_t used() const { return x_used.load(std::memory_order_relaxed); }
  bool over() const { return used() > x_limit; }

 private:
  friend class WriteCharge;
  const std::uint64_t x_limit;
  std::atomic<std::uint64_t> x_used{0};
};

/// Bookkeeping of one run: map node, charge, handles.
inline constexpr std::uint64_t kRunOverhead = 192;

/// Holds its share of the budget while it lives; the pieces of one block share one.
class WriteCharge {
 public:
  WriteCharge(std::shared_ptr<WriteBudget> budget, std::uint64_t bytes)
      : x_budget(std::move(budget)), x_bytes(bytes + kRunOverhead) {
    x_budget->x_used.fetch_add(x_bytes, std::memory_order_relaxed);
  }
  WriteCharge(const WriteCharge&) = delete;
  ~WriteCharge() { x_budget->x_used.fetch_sub(x_bytes, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<WriteBudget> x_budget;
  const std::uint64_t x_bytes;
};

/// Some bytes at a position of the file.
struct PlacedBytes {
  std::uint64_t offset = 0;
  Buffer data;
  std::uint64_t end() const { return offset + data.size(); }
};

class DirtyRuns {
 public:
  bool empty() const { return x_runs.empty(); }
  std::size_t count() const { return x_runs.size(); }
  std::uint64_t bytes() const { return x_bytes; }
  std::uint64_t end() const;  ///< behind the last byte; 0: none

  /// Newer than everything here. `data` is not written by anyone any more.
  void write(std::uint64_t offset, Buffer data, const std::shared_ptr<WriteBudget>& budget);
  /// Forgets the bytes [from, to).
  void cut(std::uint64_t from, std::uint64_t to);
  /// Takes in what `older` has where there is nothing here; `older` is empty then.
  void put_below(DirtyRuns& older);
  /// The bytes within [from, to), ascending, added to `out`.
  void collect(std::uint64_t from, std::uint64_t to, std::vector<PlacedBytes>& out) const;
  /// The first position at or behind `offset` that is (or, for false: is not) written here.
  std::uint64_t next(std::uint64_t offset, bool written) const;  ///< UINT64_MAX: none

 private:
  struct Run {
    Buffer data;
    std::shared_ptr<const WriteCharge> charge;
    std::size_t room = 0;  ///< bytes of the block behind `data` that are nobody's
    std::uint64_t size() const { return data.size(); }
  };
  using Map = std::map<std::uint64_t, Run>;

  void insert(std::uint64_t offset, Run run);
  bool extend(std::uint64_t offset, ConstBytes bytes);
  static void shrink(Run& run, std::size_t from, std::size_t length);

  Map x_runs;
  std::uint64_t x_bytes = 0;
};

/// What of `under` does not lie below `over`; both ascending and without overlaps.
std::vector<PlacedBytes> uncovered(const std::vector<PlacedBytes>& under,
                                   const std::vector<PlacedBytes>& over);
/// `over` on top of `under`: both ascending and without overlaps; so is the result.
std::vector<PlacedBytes> overlay(std::vector<PlacedBytes> over,
                                 const std::vector<PlacedBytes>& under);

}  // namespace outcrop::ns
