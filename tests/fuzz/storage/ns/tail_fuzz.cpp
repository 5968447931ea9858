#include "storage/ns/record_codec.h"
#include "tests/fuzz/storage/ns/record_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop;
  using namespace outcrop::ns;
  RecordLists lists;
  const std::string_view bytes = fuzz_text(data, size);
  if (!append_tail(bytes, lists)) {
    return 0;
  }
  // Encoding may cut elsewhere, but reads back as the same lists.
  RecordLists again;
  std::size_t total = 0;
  const auto tails = encode_tails(lists);
  for (const std::string& tail : tails) {
    OUTCROP_ASSERT(append_tail(tail, again));
    total += tail.size();
  }
  OUTCROP_ASSERT(again == lists);
  OUTCROP_ASSERT(tails.size() != 1 || tails[0] == bytes);
  OUTCROP_ASSERT(total <= bytes.size() + 8 * tails.size());
  return 0;
}
