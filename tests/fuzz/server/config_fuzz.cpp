// Configuration text: never a crash, and every refusal is one line that starts with file and line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/config.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<server::Config> config = server::parse_config(text, "f");
  if (!config && (!config.error().detail().starts_with("f:") ||
                  config.error().detail().find('\n') != std::string_view::npos)) {
    std::abort();
  }
  return 0;
}
