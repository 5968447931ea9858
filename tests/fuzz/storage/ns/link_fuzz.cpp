#include "storage/ns/link_record.h"
#include "tests/fuzz/storage/ns/record_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop::ns;
  fuzz_round_trip(
      fuzz_text(data, size), [](auto bytes) { return decode_number(bytes); },
      [](const auto& number) { return encode_number(number); });
  fuzz_round_trip(
      fuzz_text(data, size), [](auto bytes) { return decode_name(bytes); },
      [](const auto& name) { return encode_name(name); });
  return fuzz_round_trip(
      fuzz_text(data, size), [](auto bytes) { return decode_cookie(bytes); },
      [](const auto& record) { return encode(record); });
}
