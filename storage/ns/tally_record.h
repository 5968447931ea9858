// Records of Table::tally: cells, whose sum is what a bucket holds, its limits, and those of groups
// of buckets.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/base/result.h"
#include "storage/ns/quota_groups.h"
#include "storage/ns/types.h"

namespace outcrop::ns {

/// Limits above this are refused: sums stay far from where they would wrap.
inline constexpr std::uint64_t kMaxQuota = std::uint64_t{1} << 60;

std::string limits_key(InodeId root);
std::string cell_key(InodeId root, std::uint32_t cell);
/// Of the limits of a group.
std::string limits_key_of_group(QuotaGroupId group);
struct TallyKey {
  InodeId root = 0;                     ///< 0: of a group
  std::optional<std::uint32_t> cell{};  ///< none: the limits
  QuotaGroupId group = 0;
};
std::optional<TallyKey> parse_tally_key(std::string_view raw);
/// The system record with the boot number up to which every commit has kept the tallies: that of
/// boot_counter_key(), or they are not true (ChangeCounter writes both).
std::string tally_mark_key();

std::string encode_cell(const Usage& cell);
Result<Usage> decode_cell(std::string_view bytes);
/// Not empty, none above kMaxQuota.
std::string encode(const QuotaLimits& limits);
Result<QuotaLimits> decode_limits(std::string_view bytes);

}  // namespace outcrop::ns
