// Sizes and parts as a damaged record may have them, and stored bytes that nobody sealed: units lie
// within what they are said to be in, and nothing opens.
#include "storage/base/codec.h"
#include "storage/ns/sealed.h"

namespace outcrop::ns {
namespace {

void check(std::uint64_t size,
           const std::vector<PartSummary>& parts,
           ByteRange range,
           std::uint64_t most,
           ConstBytes stored) {
  const auto all = sealed_size(size, parts);
  const auto units = find_units(size, parts, range, most);
  if (!units) {
    OUTCROP_ASSERT(!all && "the parts are the object, and do not reach so far");
    return;
  }
  const ByteRange plain = units->plain;
  OUTCROP_ASSERT(plain.offset <= range.offset && range.offset - plain.offset < kUnitBytes);
  OUTCROP_ASSERT(range.offset - plain.offset < plain.length && plain.length <= most * kUnitBytes);
  OUTCROP_ASSERT(units->stored.length == sealed_size(plain.length));
  if (all) {
    OUTCROP_ASSERT(plain.length <= size - plain.offset);
    OUTCROP_ASSERT(units->stored.offset <= *all &&
                   units->stored.length <= *all - units->stored.offset);
  }
  std::array<std::byte, DataKey::kBytes> key{};
  UnitCipher cipher(DataKey(key), UnitCipher::Direction::open);
  const std::size_t cut = stored.size() / 3;
  const auto opened = open_units(cipher, *units, {stored.first(cut), {}, stored.subspan(cut)});
  OUTCROP_ASSERT(!opened && opened.error().code() == Errc::corrupt);
}

}  // namespace
}  // namespace outcrop::ns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop;
  constexpr std::size_t kMostParts = 64;
  Reader r(ConstBytes(reinterpret_cast<const std::byte*>(data), size));
  const std::uint64_t object = r.varint() % (ns::kMaxObjectBytes + 1);
  ns::ByteRange range{r.varint(), r.varint()};
  const std::uint64_t most = 1 + r.u8() % 16;
  std::vector<ns::PartSummary> parts;
  for (std::size_t n = r.count(kMostParts); n > 0 && r.ok(); --n) {
    const auto number = static_cast<std::uint32_t>(r.varint());
    parts.push_back({number, r.varint(), {}});
  }
  if (!r.ok() || object == 0) {
    return 0;
  }
  range.offset %= object;
  range.length = 1 + range.length % (object - range.offset);
  ns::check(object, parts, range, most, r.take(r.left()));
  return 0;
}
