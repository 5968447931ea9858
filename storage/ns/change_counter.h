// Change attributes: one counter for all inodes, boot << 40 | n. No number is given out twice, also
// not over restarts: the boot number is moved durably before the first of them. Any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "storage/meta/meta_store.h"

namespace outcrop::ns {

class ChangeCounter {
 public:
  explicit ChangeCounter(meta::MetaStore& meta) : x_meta(meta) {}

  /// Takes the next boot number; once, before anything else. In a store that is read-only for now
  /// it opens between the last boot's numbers and the next one's.
  /// `tallied`: so far every commit has kept the tallies (tally_record.h), and all of this run
  /// will: the mark that says so moves with the number.
  Task<> open(std::uint64_t random_bits, bool tallied);
  /// Larger than every number before it.
  std::uint64_t next() { return x_last.fetch_add(1) + 1; }
  /// Not larger than any number of this boot, larger than every number of an earlier one.
  std::uint64_t floor() const { return x_floor; }
  /// Differs from that of every earlier start, and cannot be guessed.
  std::uint64_t boot_id() const { return x_boot_id; }
  /// Takes a further boot number when half of the last one's numbers are used. One caller at a
  /// time.
  Task<> extend();

 private:
  Task<> store(std::uint64_t next_boot);

  meta::MetaStore& x_meta;
  std::uint64_t x_last_boot = 0;
  std::uint64_t x_floor = 0;
  std::uint64_t x_boot_id = 0;
  bool x_tallied = false;
  std::atomic<std::uint64_t> x_last{0};
};

/// The system record with the boot number that no start has taken.
std::string boot_counter_key();

}  // namespace outcrop::ns
