#include "server/recovery_file.h"

#include "server/private_file.h"
#include "storage/base/codec.h"

namespace outcrop::server {
namespace {

constexpr std::string_view kMagic = "OUTCROP-NFS-CLIENTS-1\n";
constexpr std::size_t kMaxRecord = 8 << 10;
constexpr std::size_t kMaxRecords = 100'000;
constexpr std::size_t kMaxFileBytes = 256 << 20;

std::pair<bool, std::string> key_of(const nfs::RecoveryRecord& r) { return {r.sessions, r.owner}; }

}  // namespace

Result<RecoveryFile::Records> RecoveryFile::read() const {
  TRY(const std::optional<std::string> text, read_private_file(x_file, kMaxFileBytes));
  Records out;
  if (!text) {
    return out;
  }
  const auto damaged = [this] {
    return fail(Errc::config, x_file.string() +
                                  " is damaged; remove it: NFS clients then lose the locks they "
                                  "held before the restart");
  };
  if (!text->starts_with(kMagic)) {
    return damaged();
  }
  Reader in(std::string_view(*text).substr(kMagic.size()));
  const std::size_t count = in.count(kMaxRecords);
  for (std::size_t i = 0; i < count; ++i) {
    Result<nfs::RecoveryRecord> one = nfs::decode_recovery_record(as_bytes(in.str(kMaxRecord)));
    if (!one) {
      return damaged();
    }
    out.insert_or_assign(key_of(*one), std::move(*one));
  }
  if (!in.done()) {
    return damaged();
  }
  return out;
}

std::string RecoveryFile::format(const Records& records) {
  Writer out;
  out.bytes(kMagic);
  out.varint(records.size());
  for (const auto& [key, record] : records) {
    out.str(nfs::encode(record));
  }
  return std::move(out).take();
}

Task<std::vector<nfs::RecoveryRecord>> RecoveryFile::load() {
  CO_TRY(x_records, co_await x_pool.run([this] { return read(); }));
  std::vector<nfs::RecoveryRecord> out;
  for (const auto& [key, record] : x_records) {
    out.push_back(record);
  }
  co_return out;
}

Task<> RecoveryFile::apply(std::vector<nfs::RecoveryChange> changes) {
  Records next = x_records;
  for (nfs::RecoveryChange& c : changes) {
    if (c.erase) {
      next.erase(key_of(c.record));
    } else {
      next.insert_or_assign(key_of(c.record), std::move(c.record));
    }
  }
  CO_TRYV(co_await x_pool.run([&] { return write_private_file(x_file, format(next)); }));
  x_records = std::move(next);
  co_return ok();
}

}  // namespace outcrop::server
