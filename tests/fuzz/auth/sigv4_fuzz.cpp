// authenticate() on arbitrary requests: "METHOD target" and "name:value" lines. Without the secret,
// nothing but anonymous may come out; and the answer must not depend on what ran before.
#include <cstdint>
#include <string_view>

#include "auth/authenticator.h"
#include "auth/key_store.h"
#include "storage/base/assert.h"

namespace {

using namespace outcrop;

class FixedClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 1369353600LL * 1'000'000'000; }
  std::int64_t steady_ns() const override { return 0; }
};

std::string_view take(std::string_view& text, char end) {
  const std::string_view piece = text.substr(0, text.find(end));
  text.remove_prefix(std::min(piece.size() + 1, text.size()));
  return piece;
}

http::Request parse(std::string_view text) {
  http::Request request;
  std::string_view line = take(text, '\n');
  request.method = take(line, ' ');
  request.target = line;
  while (!text.empty()) {
    line = take(text, '\n');
    std::string name(take(line, ':'));
    for (char& c : name) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    request.headers.push_back({std::move(name), std::string(line)});
  }
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auth::StaticKeyStore keys({{"AKIAIOSFODNN7EXAMPLE", "a secret the fuzzer lacks"}});
  static const FixedClock clock;
  static const auth::Authenticator authenticator(keys, clock, {});
  const http::Request request = parse({reinterpret_cast<const char*>(data), size});
  const auto first = authenticator.authenticate(request);
  const auto second = authenticator.authenticate(request);
  OUTCROP_ASSERT(first.has_value() == second.has_value());
  if (first) {
    OUTCROP_ASSERT(first->principal.anonymous() && !first->principal.root && !first->chunks);
    OUTCROP_ASSERT(!request.header("authorization"));
  } else {
    OUTCROP_ASSERT(first.error().code == second.error().code && !first.error().message.empty());
  }
  return 0;
}
