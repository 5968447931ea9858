// A reader driven by the input itself: never beyond its end, and failure sticks.
#include "api/nfs/xdr.h"

#include <cstdlib>

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes all(reinterpret_cast<const std::byte*>(data), size);
  const std::size_t script = size / 4;
  const Buffer record = Buffer::copy_of(all.subspan(script));
  nfs::XdrReader in(record);
  bool failed = false;
  for (const std::byte step : all.first(script)) {
    const std::size_t before = in.left(), limit = static_cast<std::size_t>(step) & 31;
    std::size_t got = 0;
    switch (static_cast<unsigned>(step) >> 5) {
      case 0:
        in.u32();
        break;
      case 1:
        in.u64();
        break;
      case 2:
        got = in.opaque(limit).size();
        break;
      case 3:
        got = in.payload(limit).size();
        break;
      case 4:
        got = in.count(limit, 8);
        break;
      case 5:
        in.boolean();
        break;
      case 6:
        got = in.fixed_opaque(limit).size();
        break;
      default:
        got = in.string(limit).size();
    }
    if (got > limit || in.left() > before || (failed && (in.ok() || got > 0))) {
      std::abort();
    }
    failed = failed || !in.ok();
  }
  return 0;
}
