#include "storage/ns/bucket_record.h"

#include "storage/base/codec.h"

namespace outcrop::ns {
namespace {
constexpr std::uint8_t kVersion = 1;
/// What has versions, or had: one more byte says which.
constexpr std::uint8_t kVersionedVersion = 2;
/// The same, which may be off, and flags that say what follows.
constexpr std::uint8_t kFlagsVersion = 3;
constexpr std::uint8_t kLockFlag = 1;     ///< Object Lock and its default retention
constexpr std::uint8_t kSealingFlag = 2;  ///< it promises to hold nothing in the clear
constexpr std::size_t kMaxRegionBytes = 256;

void write_lock(Writer& w, const BucketLock& lock) {
  w.u8(static_cast<std::uint8_t>(lock.mode));
  w.varint(lock.days);
  w.varint(lock.years);
}

BucketLock read_lock(Reader& r) {
  const std::uint8_t mode = r.u8();
  const std::uint64_t days = r.varint(), years = r.varint();
  if (mode > static_cast<std::uint8_t>(RetentionMode::compliance) || days > kMaxRetentionDays ||
      years > kMaxRetentionYears) {
    r.fail();
    return {};
  }
  const BucketLock out{true, static_cast<RetentionMode>(mode), static_cast<std::uint32_t>(days),
                       static_cast<std::uint32_t>(years)};
  if (!is_sound(out)) {
    r.fail();
  }
  return out;
}

void read_flags(Reader& r, BucketRecord& out) {
  const std::uint8_t flags = r.u8();
  if (flags == 0 || flags > (kLockFlag | kSealingFlag)) {
    r.fail();
  }
  out.sealing = (flags & kSealingFlag) != 0;
  if ((flags & kLockFlag) == 0) {
    return;
  }
  out.lock = read_lock(r);
  if (out.versioning != Versioning::enabled) {
    r.fail();
  }
}

}  // namespace

std::string encode(const BucketRecord& record) {
  Writer w;
  const bool versioned = record.versioning != Versioning::off;
  const bool flags = record.lock.enabled || record.sealing;
  w.u8(flags ? kFlagsVersion : versioned ? kVersionedVersion : kVersion);
  w.varint(record.root);
  w.u64(static_cast<std::uint64_t>(record.created_ns));
  w.str(record.region);
  if (versioned || flags) {
    w.u8(static_cast<std::uint8_t>(record.versioning));
  }
  if (flags) {
    w.u8((record.lock.enabled ? kLockFlag : 0) | (record.sealing ? kSealingFlag : 0));
  }
  if (record.lock.enabled) {
    write_lock(w, record.lock);
  }
  return std::move(w).take();
}

Result<BucketRecord> decode_bucket(std::string_view bytes) {
  Reader r(bytes);
  const std::uint8_t version = r.u8();
  if (version < kVersion || version > kFlagsVersion) {
    return fail(Errc::corrupt, "bucket record version");
  }
  BucketRecord out;
  out.root = r.varint();
  out.created_ns = static_cast<std::int64_t>(r.u64());
  out.region = r.str(kMaxRegionBytes);
  if (version != kVersion) {
    out.versioning = static_cast<Versioning>(r.u8());
    if (out.versioning > Versioning::suspended) {
      r.fail();
    }
  }
  if (version == kVersionedVersion && out.versioning == Versioning::off) {
    r.fail();
  }
  if (version == kFlagsVersion) {
    read_flags(r, out);
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
