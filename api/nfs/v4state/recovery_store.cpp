#include "api/nfs/v4state/recovery_store.h"

#include "storage/base/codec.h"

namespace outcrop::nfs {

namespace {
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxHostBytes = 4096;
}  // namespace

std::string encode(const RecoveryRecord& record) {
  Writer out;
  out.u8(kVersion);
  out.u8(record.sessions ? 1 : 0);
  out.u32(record.principal.flavor);
  out.u32(record.principal.uid);
  out.str(record.principal.host);
  out.str(record.owner);
  return std::move(out).take();
}

Result<RecoveryRecord> decode_recovery_record(ConstBytes bytes) {
  Reader in(bytes);
  RecoveryRecord out;
  const std::uint8_t version = in.u8();
  const std::uint8_t sessions = in.u8();
  out.sessions = sessions == 1;
  out.principal.flavor = in.u32();
  out.principal.uid = in.u32();
  out.principal.host = in.str(kMaxHostBytes);
  out.owner = in.str(kMaxOwnerBytes);
  if (!in.done() || version != kVersion || sessions > 1) {
    return fail(Errc::corrupt, "NFSv4 recovery record");
  }
  return out;
}

Task<std::vector<RecoveryRecord>> MemoryRecoveryStore::load() { co_return records(); }

Task<> MemoryRecoveryStore::apply(std::vector<RecoveryChange> changes) {
  const std::lock_guard lock(x_mutex);
  for (RecoveryChange& c : changes) {
    const std::pair key{c.record.sessions, c.record.owner};
    if (c.erase) {
      x_records.erase(key);
    } else {
      x_records.insert_or_assign(key, std::move(c.record));
    }
  }
  co_return ok();
}

std::vector<RecoveryRecord> MemoryRecoveryStore::records() const {
  const std::lock_guard lock(x_mutex);
  std::vector<RecoveryRecord> out;
  for (const auto& [key, record] : x_records) {
    out.push_back(record);
  }
  return out;
}

}  // namespace outcrop::nfs
