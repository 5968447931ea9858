// Any bytes as an envelope, and as the record of a KMS key: what is accepted as an envelope encodes
// to the same bytes again, and nothing opens.
#include <cstdint>
#include <string_view>

#include "auth/keys/envelope.h"
#include "auth/keys/kms_key.h"
#include "storage/base/assert.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const identity::SealKey key{5};
  OUTCROP_ASSERT(!keys::decode_kms_key(keys::kms_record_key("key"), value, key));
  const auto envelope = keys::decode_envelope(value);
  if (!envelope) {
    OUTCROP_ASSERT(envelope.error().code() == Errc::corrupt);
    return 0;
  }
  OUTCROP_ASSERT(keys::encode(*envelope) == value);
  OUTCROP_ASSERT(!keys::open_envelope(*envelope, key));
  return 0;
}
