#include "storage/ns/tally_record.h"

#include "storage/base/codec.h"
#include "storage/meta/tables.h"
#include "storage/ns/keys.h"

namespace outcrop::ns {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kBytesFlag = 1, kObjectsFlag = 2;
constexpr std::size_t kLimitsKeyBytes = 1 + sizeof(InodeId);
constexpr std::size_t kCellKeyBytes = kLimitsKeyBytes + sizeof(std::uint32_t);
constexpr std::size_t kGroupKeyBytes = kLimitsKeyBytes + sizeof(QuotaGroupId);
constexpr InodeId kNoRoot = 0;  // no inode has this number

// Small numbers of either sign are short.
std::uint64_t folded(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
std::int64_t unfolded(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

std::optional<std::uint64_t> read_limit(Reader& r, bool there) {
  if (!there) {
    return std::nullopt;
  }
  const std::uint64_t limit = r.varint();
  if (limit > kMaxQuota) {
    r.fail();
  }
  return limit;
}

}  // namespace

std::string limits_key(InodeId root) {
  std::string key = meta::table_key(meta::Table::tally);
  put_be64(key, root);
  return key;
}

std::string cell_key(InodeId root, std::uint32_t cell) {
  std::string key = limits_key(root);
  put_be32(key, cell);
  return key;
}

std::string limits_key_of_group(QuotaGroupId group) {
  std::string key = limits_key(kNoRoot);
  put_be64(key, group);
  return key;
}

std::optional<TallyKey> parse_tally_key(std::string_view raw) {
  if (raw.size() < kLimitsKeyBytes) {
    return std::nullopt;
  }
  TallyKey out{.root = get_be64(raw.substr(1))};
  if (out.root == kNoRoot && raw.size() == kGroupKeyBytes) {
    out.group = get_be64(raw.substr(kLimitsKeyBytes));
    return out;
  }
  if (out.root == kNoRoot || (raw.size() != kLimitsKeyBytes && raw.size() != kCellKeyBytes)) {
    return std::nullopt;
  }
  if (raw.size() == kCellKeyBytes) {
    out.cell = get_be32(raw.substr(kLimitsKeyBytes));
  }
  return out;
}

std::string tally_mark_key() { return meta::table_key(meta::Table::system, "tallies"); }

std::string encode_cell(const Usage& cell) {
  Writer w;
  w.u8(kVersion);
  w.varint(folded(cell.bytes));
  w.varint(folded(cell.objects));
  return std::move(w).take();
}

Result<Usage> decode_cell(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  Usage out;
  out.bytes = unfolded(r.varint());
  out.objects = unfolded(r.varint());
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "cell of a tally malformed");
  }
  return out;
}

std::string encode(const QuotaLimits& limits) {
  Writer w;
  w.u8(kVersion);
  w.u8((limits.bytes ? kBytesFlag : 0) | (limits.objects ? kObjectsFlag : 0));
  for (const auto& limit : {limits.bytes, limits.objects}) {
    if (limit) {
      w.varint(*limit);
    }
  }
  return std::move(w).take();
}

Result<QuotaLimits> decode_limits(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  const std::uint8_t flags = r.u8();
  QuotaLimits out;
  out.bytes = read_limit(r, (flags & kBytesFlag) != 0);
  out.objects = read_limit(r, (flags & kObjectsFlag) != 0);
  if (!r.done() || version != kVersion || flags == 0 || flags > (kBytesFlag | kObjectsFlag)) {
    return fail(Errc::corrupt, "limits of a quota malformed");
  }
  return out;
}

}  // namespace outcrop::ns
