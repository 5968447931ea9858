#include "storage/ns/upload_record.h"

namespace outcrop::ns {
namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::uint32_t kMaxTails = 1 << 20;
}  // namespace

std::string encode(const UploadRecord& record) {
  Writer w;
  w.u8(kVersion);
  w.varint(record.ino);
  w.u64(static_cast<std::uint64_t>(record.created_ns));
  write_attributes(w, record.attributes);
  write_algorithm(w, record.checksum_algorithm, record.checksum_type);
  return std::move(w).take();
}

Result<UploadRecord> decode_upload(std::string_view bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) {
    return fail(Errc::corrupt, "upload record version");
  }
  UploadRecord out;
  out.ino = r.varint();
  out.created_ns = static_cast<std::int64_t>(r.u64());
  out.attributes = read_attributes(r);
  read_algorithm(r, out.checksum_algorithm, out.checksum_type);
  if (!r.done()) {
    return fail(Errc::corrupt, "upload record malformed");
  }
  return out;
}

std::string encode_main(const PartRecord& record) {
  Writer w;
  w.u8(kVersion);
  w.varint(record.ino);
  w.varint(record.size);
  w.u64(static_cast<std::uint64_t>(record.mtime_ns));
  write_etag(w, record.etag);
  write_checksum(w, record.checksum);
  w.varint(record.tails);
  if (record.tails == 0) {
    write_lists(w, record.lists);
  }
  return std::move(w).take();
}

EncodedRecord encode(PartRecord record) {
  record.tails = 0;
  if (record.lists.pieces.size() <= kMaxRecordBytes / 13) {
    std::string main = encode_main(record);
    if (main.size() <= kMaxRecordBytes) {
      return {std::move(main), {}};
    }
  }
  EncodedRecord out{{}, encode_tails(record.lists)};
  record.lists = {};
  record.tails = static_cast<std::uint32_t>(out.tails.size());
  out.main = encode_main(record);
  return out;
}

Result<PartRecord> decode_part(std::string_view bytes) {
  Reader r(bytes);
  if (r.u8() != kVersion) {
    return fail(Errc::corrupt, "part record version");
  }
  PartRecord out;
  out.ino = r.varint();
  out.size = r.varint();
  out.mtime_ns = static_cast<std::int64_t>(r.u64());
  out.etag = read_etag(r);
  out.checksum = read_checksum(r);
  const std::uint64_t tails = r.varint();
  if (tails > kMaxTails) {
    r.fail();
  }
  out.tails = static_cast<std::uint32_t>(tails);
  if (tails == 0) {
    out.lists = read_lists(r);
  }
  if (!r.done()) {
    return fail(Errc::corrupt, "part record malformed");
  }
  return out;
}

}  // namespace outcrop::ns
