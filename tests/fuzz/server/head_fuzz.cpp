// Request heads: the scanner finds the same end however bytes arrive, and every head that the guard
// accepts is one that the parser accepts too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "server/framing.h"
#include "server/head_parser.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  server::HeadScanner whole;
  const auto end = whole.scan(all);
  server::HeadScanner stepwise;
  std::size_t at = 0;
  bool rejected = false;
  for (std::size_t n = 1; n <= size && at == 0 && !rejected; n += 1 + n / 4) {
    const auto step = stepwise.scan(all.substr(0, n));
    rejected = !step;
    at = step.value_or(0);
  }
  if ((at > 0 && (!end || *end != at)) || (rejected && end && *end > 0)) {
    std::abort();
  }
  if (!end || *end == 0) {
    return 0;
  }
  const std::string_view head = all.substr(0, *end);
  const auto framing = server::check_head(head);
  if (!framing) {
    return 0;
  }
  http::Request request;
  if (!server::parse_head(head, request) || request.method.empty() || request.target.empty()) {
    std::abort();
  }
  return 0;
}
