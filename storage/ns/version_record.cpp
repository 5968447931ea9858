#include "storage/ns/version_record.h"

#include "storage/base/codec.h"

namespace outcrop::ns {
namespace {

constexpr std::uint8_t kUndated = 1, kDated = 2;
constexpr std::size_t kHeadBytes = 2;
enum class Kind : std::uint8_t { version = 1, marker = 2, null_marker = 3 };

}  // namespace

std::string encode(const VersionRecord& record) {
  Writer w(64);
  w.u8(record.since_ns && !record.marker ? kDated : kUndated);
  if (!record.marker) {
    w.u8(static_cast<std::uint8_t>(Kind::version));
    if (record.since_ns) {
      w.u64(static_cast<std::uint64_t>(*record.since_ns));
    }
    w.bytes(encode(record.summary));
  } else {
    w.u8(static_cast<std::uint8_t>(record.stamp.null ? Kind::null_marker : Kind::marker));
    w.u64(static_cast<std::uint64_t>(record.summary.mtime_ns));
  }
  return std::move(w).take();
}

Result<VersionRecord> decode_version(std::string_view bytes, std::uint64_t number) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  if (version != kUndated && version != kDated) {
    return fail(Errc::corrupt, "version record version");
  }
  VersionRecord out;
  const std::uint8_t kind = r.u8();
  if (r.ok() && kind == static_cast<std::uint8_t>(Kind::version)) {
    std::size_t summary_at = kHeadBytes;
    if (version == kDated) {
      out.since_ns = static_cast<std::int64_t>(r.u64());
      summary_at += sizeof(std::uint64_t);
    }
    if (!r.ok()) {
      return fail(Errc::corrupt, "version record malformed");
    }
    TRY(out.summary, decode_dirent(bytes.substr(summary_at)));
    if (out.summary.type != InodeType::file || out.summary.version.number != number) {
      return fail(Errc::corrupt, "version record of another version");
    }
    out.stamp = out.summary.version;
    return out;
  }
  out.marker = true;
  out.stamp = {number, kind == static_cast<std::uint8_t>(Kind::null_marker)};
  out.summary.mtime_ns = static_cast<std::int64_t>(r.u64());
  const bool known = kind == static_cast<std::uint8_t>(Kind::marker) || out.stamp.null;
  if (!r.done() || !known || version != kUndated || number == 0) {
    return fail(Errc::corrupt, "version record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
