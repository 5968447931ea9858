#include "storage/ns/keys.h"
#include "tests/fuzz/storage/ns/record_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop::ns;
  return fuzz_round_trip(
      fuzz_text(data, size), [](auto bytes) { return parse_upload_key(bytes); },
      [](const auto& k) { return upload_key(k.root, k.key, k.upload_id); });
}
