// Any bytes as the access record of a bucket: what is accepted encodes to the same bytes again.
#include <cstdint>
#include <string_view>

#include "auth/access/bucket_access.h"
#include "storage/base/assert.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto access = access::decode_bucket_access(access::bucket_access_key(7), value);
  if (!access) {
    OUTCROP_ASSERT(access.error().code() == Errc::corrupt);
    return 0;
  }
  OUTCROP_ASSERT(access->root == 7 && access::encode(*access) == value);
  OUTCROP_ASSERT(access->unreadable() == (!access->policy_text.empty() && !access->policy));
  return 0;
}
