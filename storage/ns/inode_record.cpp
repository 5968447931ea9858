#include "storage/ns/inode_record.h"

#include <limits>

namespace outcrop::ns {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxUploadIdBytes = 128;
constexpr std::uint32_t kMaxTails = 1 << 20;
constexpr std::uint8_t kPosixFlag = 0x80, kMovedFlag = 0x40,
                       kVersionFlag = 0x20;         // beside the type
constexpr std::uint8_t kHistory = 1, kStamped = 2;  // what kVersionFlag stands for
constexpr std::uint32_t kModeMask = 07777;
// What else POSIX attributes have.
constexpr std::uint32_t kVerifierFlag = 1;
constexpr std::uint32_t kMtimeFlag = 2;

constexpr std::size_t kUsualBytes = 256;

void write_file(Writer& w, const InodeRecord& record, std::uint32_t tails) {
  w.varint(record.size);
  write_etag(w, record.etag);
  write_attributes(w, record.attributes);
  write_checksum(w, record.checksum);
  w.str(record.upload_id);
  w.str(record.inline_data);
  w.varint(tails);
  if (tails == 0) {
    write_lists(w, record.lists);
  }
}

void read_file(Reader& r, InodeRecord& out) {
  out.size = r.varint();
  out.etag = read_etag(r);
  out.attributes = read_attributes(r);
  out.checksum = read_checksum(r);
  out.upload_id = r.str(kMaxUploadIdBytes);
  out.inline_data = r.str(kInlineMax);
  const std::uint64_t tails = r.varint();
  if (tails > kMaxTails) {
    r.fail();
  }
  out.tails = static_cast<std::uint32_t>(tails);
  if (tails == 0) {
    out.lists = read_lists(r);
  }
}

void write_posix(Writer& w, const PosixAttributes& posix) {
  w.varint(posix.mode);
  w.u32(posix.uid);
  w.u32(posix.gid);
  w.varint(posix.links);
  w.u64(static_cast<std::uint64_t>(posix.ctime_ns));
  w.u64(static_cast<std::uint64_t>(posix.atime_ns));
  w.u64(static_cast<std::uint64_t>(posix.btime_ns));
  w.varint((posix.verifier ? kVerifierFlag : 0) | (posix.mtime_ns ? kMtimeFlag : 0));
  if (posix.verifier) {
    w.u64(*posix.verifier);
  }
  if (posix.mtime_ns) {
    w.u64(static_cast<std::uint64_t>(*posix.mtime_ns));
  }
  w.varint(posix.xattr_bytes);
}

std::uint32_t read_limited(Reader& r, std::uint64_t max) {
  const std::uint64_t value = r.varint();
  if (value > max) {
    r.fail();
  }
  return static_cast<std::uint32_t>(value);
}

PosixAttributes read_posix(Reader& r) {
  PosixAttributes out;
  out.mode = read_limited(r, kModeMask);
  out.uid = r.u32();
  out.gid = r.u32();
  out.links = read_limited(r, kMaxLinks);
  out.ctime_ns = static_cast<std::int64_t>(r.u64());
  out.atime_ns = static_cast<std::int64_t>(r.u64());
  out.btime_ns = static_cast<std::int64_t>(r.u64());
  const std::uint32_t flags = read_limited(r, kVerifierFlag | kMtimeFlag);
  if ((flags & kVerifierFlag) != 0) {
    out.verifier = r.u64();
  }
  if ((flags & kMtimeFlag) != 0) {
    out.mtime_ns = static_cast<std::int64_t>(r.u64());
  }
  out.xattr_bytes = read_limited(r, kMaxXattrBytes);
  return out;
}

void read_version(Reader& r, InodeRecord& out) {
  const std::uint32_t flags = r.u8();
  out.history = (flags & kHistory) != 0;
  const bool stamped = (flags & kStamped) != 0;
  if (stamped) {
    out.version = read_stamp(r);
  }
  const bool fits = out.type == InodeType::file || (out.type == InodeType::directory && !stamped);
  if (flags == 0 || flags > (kHistory | kStamped) || !fits) {
    r.fail();
  }
}

// What the lists take at least: a piece 13 bytes, a hole 2, a part 3.
std::size_t least_bytes(const RecordLists& lists) {
  std::size_t bytes = 3 * lists.parts.size();
  for (const Piece& piece : lists.pieces) {
    bytes += piece.hole() ? 2 : 13;
  }
  return bytes;
}

std::string encode_with(const InodeRecord& record, std::uint32_t tails) {
  const bool stamped = record.version.number != 0;
  const bool versioned = stamped || record.history;
  Writer w(kUsualBytes + record.inline_data.size());
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>(
      static_cast<unsigned>(record.type) | (record.posix ? kPosixFlag : 0u) |
      (record.moves > 0 ? kMovedFlag : 0u) | (versioned ? kVersionFlag : 0u)));
  w.varint(record.change);
  w.varint(record.parent);
  w.str(record.name);
  w.u64(static_cast<std::uint64_t>(record.mtime_ns));
  if (record.moves > 0) {
    w.varint(record.moves);
  }
  if (versioned) {
    w.u8(static_cast<std::uint8_t>((record.history ? kHistory : 0) | (stamped ? kStamped : 0)));
  }
  if (stamped) {
    write_stamp(w, record.version);
  }
  if (record.posix) {
    write_posix(w, *record.posix);
  }
  if (record.type == InodeType::file) {
    write_file(w, record, tails);
  } else if (record.type == InodeType::symlink) {
    w.str(record.target);
  } else if (is_device(record.type)) {
    w.u32(record.device.major);
    w.u32(record.device.minor);
  }
  return std::move(w).take();
}

}  // namespace

std::string encode_main(const InodeRecord& record) { return encode_with(record, record.tails); }

EncodedRecord encode(const InodeRecord& record) {
  if (least_bytes(record.lists) <= kMaxRecordBytes) {
    std::string main = encode_with(record, 0);
    const bool listless = record.lists.pieces.empty() && record.lists.parts.empty();
    if (listless || main.size() <= kMaxRecordBytes) {
      return {std::move(main), {}};
    }
  }
  EncodedRecord out{{}, encode_tails(record.lists)};
  out.main = encode_with(record, static_cast<std::uint32_t>(out.tails.size()));
  return out;
}

Result<InodeRecord> decode_inode(std::string_view bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) {
    return fail(Errc::corrupt, "inode record version");
  }
  InodeRecord out;
  const std::uint8_t flagged = r.u8();
  const unsigned type = flagged & ~unsigned{kPosixFlag | kMovedFlag | kVersionFlag};
  out.type = static_cast<InodeType>(type);
  out.change = r.varint();
  out.parent = r.varint();
  out.name = r.str(kMaxNameBytes);
  out.mtime_ns = static_cast<std::int64_t>(r.u64());
  if ((flagged & kMovedFlag) != 0) {
    out.moves = read_limited(r, UINT32_MAX);
    if (out.moves == 0) {
      r.fail();
    }
  }
  if ((flagged & kVersionFlag) != 0) {
    read_version(r, out);
  }
  if ((flagged & kPosixFlag) != 0) {
    out.posix = read_posix(r);
  }
  if (type == static_cast<unsigned>(InodeType::file)) {
    read_file(r, out);
  } else if (type == static_cast<unsigned>(InodeType::symlink)) {
    out.target = r.str(kMaxSymlinkBytes);
  } else if (is_device(out.type)) {
    out.device = {.major = r.u32(), .minor = r.u32()};
  } else if (out.type != InodeType::directory && !is_bare(out.type)) {
    r.fail();
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "inode record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
