#include "storage/ns/inode_record.h"

#include <limits>

namespace outcrop::ns {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxUploadIdBytes = 128;
constexpr std::uint32_t kMaxTails = 1 << 20;

void write_file(Writer& w, const InodeRecord& record) {
  w.varint(record.size);
  write_etag(w, record.etag);
  write_attributes(w, record.attributes);
  write_checksum(w, record.checksum);
  w.str(record.upload_id);
  w.str(record.inline_data);
  w.varint(record.tails);
  if (record.tails == 0) {
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

}  // namespace

std::string encode_main(const InodeRecord& record) {
  Writer w;
  w.u8(kVersion);
  w.u8(static_cast<std::uint8_t>(record.type));
  w.varint(record.change);
  w.varint(record.parent);
  w.str(record.name);
  w.u64(static_cast<std::uint64_t>(record.mtime_ns));
  if (record.type == InodeType::file) {
    write_file(w, record);
  }
  return std::move(w).take();
}

EncodedRecord encode(InodeRecord record) {
  // A piece takes at least 13 bytes and a part 3: longer lists cannot fit and are not tried.
  const bool few = record.lists.pieces.size() <= kMaxRecordBytes / 13 &&
                   record.lists.parts.size() <= kMaxRecordBytes / 3;
  record.tails = 0;
  if (few) {
    std::string main = encode_main(record);
    const bool listless = record.lists.pieces.empty() && record.lists.parts.empty();
    if (listless || main.size() <= kMaxRecordBytes) {
      return {std::move(main), {}};
    }
  }
  EncodedRecord out{{}, encode_tails(record.lists)};
  record.lists = {};
  record.tails = static_cast<std::uint32_t>(out.tails.size());
  out.main = encode_main(record);
  return out;
}

Result<InodeRecord> decode_inode(std::string_view bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) {
    return fail(Errc::corrupt, "inode record version");
  }
  InodeRecord out;
  const std::uint8_t type = r.u8();
  out.type = static_cast<InodeType>(type);
  out.change = r.varint();
  out.parent = r.varint();
  out.name = r.str(kMaxNameBytes);
  out.mtime_ns = static_cast<std::int64_t>(r.u64());
  if (type == static_cast<std::uint8_t>(InodeType::file)) {
    read_file(r, out);
  } else if (type != static_cast<std::uint8_t>(InodeType::directory)) {
    r.fail();
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "inode record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
