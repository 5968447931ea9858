// The recovery file: any bytes are refused or replayed; what is a record encodes back to itself.
#include <cstdint>
#include <cstdlib>

#include "api/nfs/v4state/recovery_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop::nfs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<RecoveryChange> changes;
  (void)replay_recovery_log(text, changes);
  for (const RecoveryChange& change : changes) {
    if (change.record.owner.size() > kMaxOwnerBytes) {
      std::abort();
    }
  }
  const auto record = decode_recovery_record(outcrop::as_bytes(text));
  if (record && encode(*record) != text) {
    std::abort();
  }
  return 0;
}
