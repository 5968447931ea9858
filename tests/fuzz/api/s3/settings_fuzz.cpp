// Any bytes as the settings record of a bucket: what is accepted encodes to the same bytes again,
// and what its documents are parsed into is what a client would have put.
#include <cstdint>
#include <string_view>

#include "api/s3/bucket_settings.h"
#include "storage/base/assert.h"
#include "storage/base/log.h"

using namespace outcrop;

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  log::configure(log::Level::error, log::Format::text);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto settings = s3::decode_bucket_settings(s3::bucket_settings_key(7), value);
  if (!settings) {
    OUTCROP_ASSERT(settings.error().code() == Errc::corrupt);
    return 0;
  }
  OUTCROP_ASSERT(settings->root == 7 && s3::encode(*settings) == value);
  OUTCROP_ASSERT(!settings->cors || settings->documents.contains(s3::Setting::cors));
  return 0;
}
