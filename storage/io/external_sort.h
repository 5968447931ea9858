// Sorts more records than memory takes: what does not fit goes to a scratch directory in sorted
// runs, which are read back side by side.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/io/disk.h"

namespace outcrop::io {

/// add() any number of records, finish(), then next() until it is false. Blocking; one thread.
class ExternalSort {
 public:
  /// Files are called `name`-<n> and are gone when this is. Without a scratch directory everything
  /// stays in memory, however much it is.
  ExternalSort(Disk* scratch, std::string name, std::size_t memory_bytes);
  ~ExternalSort();
  ExternalSort(const ExternalSort&) = delete;

  Result<void> add(std::string_view key, std::string_view value);
  Result<void> finish();
  /// By key, then by value. The views hold until the next call. False: there is no more.
  Result<bool> next();
  std::string_view key() const { return x_key; }
  std::string_view value() const { return x_value; }
  /// Runs that went to the scratch directory so far.
  std::uint64_t spilled() const { return x_next_name; }

 private:
  struct Entry {
    std::size_t at = 0;
    std::uint32_t key = 0, value = 0;
  };
  class Run;

  std::string_view key_of(const Entry& e) const;
  std::string_view value_of(const Entry& e) const;
  void sort_memory();
  Result<void> spill();
  Result<void> merge_runs();
  Result<Run*> least_run();
  std::string run_name(std::uint64_t number) const;

  Disk* const x_scratch;
  const std::string x_name;
  const std::size_t x_memory_bytes;
  std::string x_bytes;  ///< of all entries, key then value
  std::vector<Entry> x_entries;
  std::size_t x_at = 0;
  std::vector<std::unique_ptr<Run>> x_runs;
  std::uint64_t x_next_name = 0;
  std::string_view x_key, x_value;
  Run* x_current = nullptr;  ///< whose record key() and value() are
};

}  // namespace outcrop::io
