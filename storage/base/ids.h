// Identifiers that several storage layers share.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace outcrop {

/// 128 random bits; the identity of a cluster or a drive.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
  std::string to_string() const;  ///< 8-4-4-4-12 lower-case hex
};

/// Never reused; a shard file that is recycled for another segment fails verification by this id.
using SegmentId = std::uint64_t;
/// Never reused. 0 is no inode, 1 the root whose children are the buckets.
using InodeId = std::uint64_t;

/// A run of payload bytes in one segment. For a (1, m) segment: one whole record. For a (k, m)
/// segment: `length` payload bytes starting at the data address `offset` (see segment/format.h).
struct Extent {
  SegmentId segment = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< payload bytes
  std::uint64_t stamp = 0;   ///< written into every chunk of the run and covered by its checksum
  bool operator==(const Extent&) const = default;
};

}  // namespace outcrop
