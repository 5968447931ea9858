// Handles that we did not make, and those that we made with anything changed: none opens.
#include "api/nfs/handle.h"

#include <algorithm>
#include <cstdlib>

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const nfs::HandleCodec codec({std::byte{1}}, 1, {std::byte{2}});
  const ConstBytes all(reinterpret_cast<const std::byte*>(data), size);
  nfs::Handle handle{.export_id = 7, .file = {.root = 2, .ino = 5}};
  const auto sealed = codec.seal(handle);
  // libFuzzer sees what is compared, so it learns this one handle; any other is made up.
  if (codec.open(all) && !std::ranges::equal(all, sealed)) {
    std::abort();
  }
  std::string changed(as_text(ConstBytes(sealed)));
  for (std::size_t i = 0; i < std::min(size, changed.size()); ++i) {
    changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(data[i]));
  }
  const bool same = changed == as_text(ConstBytes(sealed));
  const auto opened = codec.open(as_bytes(changed));
  if (opened.has_value() != same || (same && opened->file.ino != handle.file.ino)) {
    std::abort();
  }
  if (size > sealed.size() && codec.open(as_bytes(changed + 'x'))) {
    std::abort();
  }
  return 0;
}
