// Files that are made ahead of need on each drive, beside requests: pre-written in small parts,
// with pauses that are the longer the more of them there are.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "storage/base/async.h"
#include "storage/drives/drive_set.h"

namespace outcrop::drives {

/// Of one kind of file. Thread-safe.
class Stock {
 public:
  /// A part holds requests up for some milliseconds on a slow drive.
  static constexpr std::uint64_t kPartBytes = 4 << 20;

  virtual ~Stock() = default;
  /// How many files a drive with so much space is to have in stock.
  virtual std::size_t wanted(const io::Space& space) const = 0;
  virtual std::size_t count(Slot slot) const = 0;
  /// True if somebody found none since the last call: they are used faster than they are made.
  virtual bool take_missed(Slot slot) = 0;
  /// Writes the next part of a file, which is in stock once it is whole. False: there are `wanted`
  /// of them, or there is no room for more. Blocking.
  virtual Result<bool> add_part(Slot slot, std::size_t wanted) = 0;
};

/// After `work` on a drive that has so many of the files that it is to have: as long as the work
/// when it has none, four times as long when it lacks nearly nothing.
std::chrono::nanoseconds pause_after(std::chrono::nanoseconds work,
                                     std::size_t count,
                                     std::size_t wanted);

/// Everything on the worker of `ex`.
class StockFiller {
 public:
  StockFiller(Executor ex, BlockingPool& pool, DriveSet& drives, Stock& stock)
      : x_ex(ex), x_pool(pool), x_drives(drives), x_stock(stock) {}
  ~StockFiller();
  StockFiller(const StockFiller&) = delete;

  /// Begins on the drives that lack files, and returns; where one was missed the next is made
  /// without pauses. A drive that fails is ejected. Called again and again: nobody says when a file
  /// is taken.
  void look();
  /// Waits until no drive is worked on.
  Task<> rest();
  /// As rest(), after the parts that are being written now; nothing begins any more.
  Task<> stop();

 private:
  Task<> fill(Slot slot);
  Task<> work_on(Slot slot);

  const Executor x_ex;
  BlockingPool& x_pool;
  DriveSet& x_drives;
  Stock& x_stock;
  std::set<Slot> x_busy;
  std::map<Slot, std::size_t> x_wanted;                                // as last worked out
  std::map<Slot, std::chrono::steady_clock::time_point> x_not_before;  // without room, or errors
  std::vector<Resume<void>> x_waiters;
  bool x_stopping = false;
};

}  // namespace outcrop::drives
