#include "storage/ns/bucket_record.h"

#include "storage/base/codec.h"

namespace outcrop::ns {
namespace {
constexpr std::uint8_t kVersion = 1;
/// What has versions, or had: one more byte says which.
constexpr std::uint8_t kVersionedVersion = 2;
/// What promises to hold nothing in the clear; the same byte follows.
constexpr std::uint8_t kSealingVersion = 3;
constexpr std::size_t kMaxRegionBytes = 256;
}  // namespace

std::string encode(const BucketRecord& record) {
  Writer w;
  const bool versioned = record.versioning != Versioning::off;
  w.u8(record.sealing ? kSealingVersion : versioned ? kVersionedVersion : kVersion);
  w.varint(record.root);
  w.u64(static_cast<std::uint64_t>(record.created_ns));
  w.str(record.region);
  if (versioned || record.sealing) {
    w.u8(static_cast<std::uint8_t>(record.versioning));
  }
  return std::move(w).take();
}

Result<BucketRecord> decode_bucket(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  if (version < kVersion || version > kSealingVersion) {
    return fail(Errc::corrupt, "bucket record version");
  }
  BucketRecord out;
  out.root = r.varint();
  out.created_ns = static_cast<std::int64_t>(r.u64());
  out.region = r.str(kMaxRegionBytes);
  if (version >= kVersionedVersion) {
    out.sealing = version == kSealingVersion;
    out.versioning = static_cast<Versioning>(r.u8());
    const bool fits =
        out.versioning == Versioning::enabled || out.versioning == Versioning::suspended;
    if (!fits && !(out.sealing && out.versioning == Versioning::off)) {
      r.fail();
    }
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "bucket record malformed");
  }
  return out;
}

std::string encode_counter(std::uint64_t next) {
  Writer w;
  w.u8(kVersion);
  w.u64(next);
  return std::move(w).take();
}

Result<std::uint64_t> decode_counter(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  const std::uint64_t next = r.u64();
  if (!r.done() || version != kVersion) {
    return fail(Errc::corrupt, "counter record malformed");
  }
  return next;
}

}  // namespace outcrop::ns
