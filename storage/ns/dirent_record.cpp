#include "storage/ns/dirent_record.h"

#include "storage/ns/record_codec.h"

namespace outcrop::ns {
namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kImplicit = 1;
constexpr std::uint8_t kVersionFlag = 0x20;  // beside the type: the file has a version number
constexpr std::size_t kUsualBytes = 64;
}  // namespace

std::string encode(const DirentRecord& record) {
  Writer w(kUsualBytes);
  w.u8(kVersion);
  const bool versioned = record.version.number != 0;
  w.u8(static_cast<std::uint8_t>(static_cast<unsigned>(record.type) |
                                 (versioned ? kVersionFlag : 0u)));
  w.varint(record.ino);
  if (record.type == InodeType::directory) {
    w.u8(record.implicit ? kImplicit : 0);
  } else if (record.type == InodeType::file) {
    if (versioned) {
      write_stamp(w, record.version);
    }
    w.varint(record.size);
    w.u64(static_cast<std::uint64_t>(record.mtime_ns));
    write_etag(w, record.etag);
    write_algorithm(w, record.checksum_algorithm, record.checksum_type);
  }
  return std::move(w).take();
}

Result<DirentRecord> decode_dirent(std::string_view bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) {
    return fail(Errc::corrupt, "dirent record version");
  }
  DirentRecord out;
  const std::uint8_t flagged = r.u8();
  const bool versioned = (flagged & kVersionFlag) != 0;
  const unsigned type = flagged & ~unsigned{kVersionFlag};
  out.ino = r.varint();
  if (versioned && type != static_cast<unsigned>(InodeType::file)) {
    r.fail();
  } else if (type == static_cast<unsigned>(InodeType::directory)) {
    out.type = InodeType::directory;
    const std::uint8_t flags = r.u8();
    out.implicit = flags == kImplicit;
    if (flags > kImplicit) {
      r.fail();
    }
  } else if (type == static_cast<unsigned>(InodeType::file)) {
    if (versioned) {
      out.version = read_stamp(r);
    }
    out.size = r.varint();
    out.mtime_ns = static_cast<std::int64_t>(r.u64());
    out.etag = read_etag(r);
    read_algorithm(r, out.checksum_algorithm, out.checksum_type);
  } else if (is_bare(static_cast<InodeType>(type))) {
    out.type = static_cast<InodeType>(type);
  } else {
    r.fail();
  }
  if (!r.done() || out.ino == 0) {
    return fail(Errc::corrupt, "dirent record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
