#include "storage/ns/tally_record.h"
#include "tests/fuzz/storage/ns/record_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop::ns;
  return fuzz_round_trip(
      fuzz_text(data, size), [](auto bytes) { return decode_limits(bytes); },
      [](const auto& record) { return encode(record); });
}
