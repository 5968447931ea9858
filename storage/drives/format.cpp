#include "storage/drives/format.h"

#include <algorithm>

#include "storage/base/codec.h"
#include "storage/digest/xxh.h"

namespace outcrop::drives {
namespace {

constexpr std::uint64_t kSuperblockMagic = 0x314252504354554fULL;  // "OUTCPRB1"
constexpr std::uint64_t kEpochMagic = 0x314350454354554fULL;       // "OUTCEPC1"
constexpr std::size_t kChecksumAt = kSlotBytes - sizeof(std::uint64_t);
constexpr std::uint8_t kLive = 1, kReturning = 2, kDraining = 4,
                       kMissed = 8;  // flags of a member

void put_uuid(Writer& w, const Uuid& id) { w.bytes(std::as_bytes(std::span(id.bytes))); }

Uuid get_uuid(Reader& r) {
  Uuid id;
  if (const ConstBytes b = r.take(id.bytes.size()); !b.empty()) {
    std::ranges::copy(b, std::as_writable_bytes(std::span(id.bytes)).begin());
  }
  return id;
}

SlotBytes seal(Writer w) {
  OUTCROP_ASSERT(w.size() <= kChecksumAt);
  SlotBytes out{};
  std::ranges::copy(as_bytes(w.view()), out.begin());
  const std::uint64_t sum = digest::xxh3_64(ConstBytes(out).first(kChecksumAt));
  std::memcpy(out.data() + kChecksumAt, &sum, sizeof sum);
  return out;
}

/// Checks size, checksum, magic and version (1 to `newest`); the reader stands behind them.
Result<Reader> open_slot(ConstBytes slot,
                         std::uint64_t magic,
                         std::uint16_t newest,
                         std::uint16_t& version) {
  if (slot.size() != kSlotBytes) {
    return fail(Errc::corrupt, "slot size");
  }
  std::uint64_t sum = 0;
  std::memcpy(&sum, slot.data() + kChecksumAt, sizeof sum);
  if (sum != digest::xxh3_64(slot.first(kChecksumAt))) {
    return fail(Errc::corrupt, "slot checksum");
  }
  Reader r(slot.first(kChecksumAt));
  if (r.u64() != magic) {
    return fail(Errc::corrupt, "slot magic");
  }
  version = r.u16();
  if (version == 0 || version > newest) {
    return fail(Errc::not_implemented, "format version " + std::to_string(version));
  }
  return r;
}

}  // namespace

SlotBytes encode(const Superblock& superblock) {
  Writer w;
  w.u64(kSuperblockMagic);
  w.u16(kFormatVersion);
  put_uuid(w, superblock.cluster);
  put_uuid(w, superblock.drive);
  w.u8(superblock.slot);
  w.u64(superblock.generation);
  return seal(std::move(w));
}

Result<Superblock> decode_superblock(ConstBytes slot) {
  std::uint16_t version = 0;
  TRY(Reader r, open_slot(slot, kSuperblockMagic, kFormatVersion, version));
  Superblock out;
  out.cluster = get_uuid(r);
  out.drive = get_uuid(r);
  out.slot = r.u8();
  out.generation = r.u64();
  if (!r.ok() || out.slot >= kMaxDrives || out.cluster.is_nil() || out.drive.is_nil()) {
    return fail(Errc::corrupt, "superblock fields");
  }
  return out;
}

// A later version only where something needs it, so that the release before still opens the drives.
SlotBytes encode(const EpochRecord& record) {
  const bool flags = std::ranges::any_of(
      record.members, [](const Member& m) { return m.returning || m.draining || m.uuid.is_nil(); });
  const bool missed = std::ranges::any_of(record.members, &Member::missed);
  Writer w;
  w.u64(kEpochMagic);
  w.u16(missed ? kEpochVersion : flags ? kEpochFlagsVersion : kFormatVersion);
  put_uuid(w, record.cluster);
  w.u64(record.epoch);
  w.u8(static_cast<std::uint8_t>(record.parity));
  w.varint(record.members.size());
  for (const Member& member : record.members) {
    put_uuid(w, member.uuid);
    w.u8(static_cast<std::uint8_t>((member.live ? kLive : 0) | (member.returning ? kReturning : 0) |
                                   (member.draining ? kDraining : 0) |
                                   (member.missed ? kMissed : 0)));
  }
  w.varint(record.mirrors.size());
  for (const Slot slot : record.mirrors) {
    w.u8(slot);
  }
  return seal(std::move(w));
}

Result<EpochRecord> decode_epoch(ConstBytes slot) {
  std::uint16_t version = 0;
  TRY(Reader r, open_slot(slot, kEpochMagic, kEpochVersion, version));
  const std::uint8_t known = version == 1 ? kLive
                             : version == kEpochFlagsVersion
                                 ? kLive | kReturning | kDraining
                                 : kLive | kReturning | kDraining | kMissed;
  EpochRecord out;
  out.cluster = get_uuid(r);
  out.epoch = r.u64();
  out.parity = r.u8();
  for (auto n = r.count(kMaxDrives); n > 0 && r.ok(); --n) {
    Member member;
    member.uuid = get_uuid(r);
    const std::uint8_t flags = r.u8();
    if ((flags & ~known) != 0 || (member.uuid.is_nil() && (version == 1 || flags != 0))) {
      r.fail();
    }
    member.live = (flags & kLive) != 0;
    member.returning = (flags & kReturning) != 0;
    member.draining = (flags & kDraining) != 0;
    member.missed = (flags & kMissed) != 0;
    out.members.push_back(member);
  }
  for (auto n = r.count(kMaxDrives); n > 0 && r.ok(); --n) {
    out.mirrors.push_back(r.u8());
  }
  const bool mirrors_ok =
      std::ranges::all_of(out.mirrors, [&](Slot s) { return s < out.members.size(); });
  if (!r.ok() || !mirrors_ok || out.members.empty() || out.parity >= kMaxDrives) {
    return fail(Errc::corrupt, "epoch record fields");
  }
  return out;
}

}  // namespace outcrop::drives
