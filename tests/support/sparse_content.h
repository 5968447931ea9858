// The bytes of a file as runs that were written; what lies between them are holes and reads as
// zeros. Any offset below 2^63. For the reference file system; one thread at a time.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace outcrop::test {

class SparseContent {
 public:
  std::uint64_t size() const { return x_size; }
  std::uint64_t used() const;  ///< bytes that are not holes

  /// Grows with a hole, or cuts.
  void resize(std::uint64_t size);
  void write(std::uint64_t offset, std::string_view data);
  /// Makes a hole; the size stays.
  void punch(std::uint64_t offset, std::uint64_t length);
  /// Up to the end of the file.
  std::string read(std::uint64_t offset, std::uint64_t length) const;
  /// The range of `source` with its holes, to `offset` here. The ranges do not overlap.
  void clone(const SparseContent& source,
             std::uint64_t source_offset,
             std::uint64_t offset,
             std::uint64_t length);

  /// The first byte of data at or behind `offset`; empty: none up to the end.
  std::optional<std::uint64_t> next_data(std::uint64_t offset) const;
  /// The first byte of a hole at or behind `offset`; the end of the file is one.
  std::uint64_t next_hole(std::uint64_t offset) const;

 private:
  using Runs = std::map<std::uint64_t, std::string>;  ///< by offset; neither empty nor adjacent
  /// The first run that ends behind `offset`.
  Runs::const_iterator run_behind(std::uint64_t offset) const;

  Runs x_runs;
  std::uint64_t x_size = 0;
};

}  // namespace outcrop::test
