// split_target on arbitrary targets (first line) and hosts (second): what it accepts is UTF-8
// without NUL, and its canonical spelling means the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/target.h"
#include "auth/uri.h"
#include "storage/base/assert.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> domains{"s3.example.net", "net"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view raw = text.substr(0, line);
  const std::string_view host =
      line == std::string_view::npos ? std::string_view{} : text.substr(line + 1);

  if (const auto source = auth::split_copy_source(raw)) {
    OUTCROP_ASSERT(!source->bucket.empty() && !source->key.empty());
    OUTCROP_ASSERT(source->bucket.find('/') == std::string::npos);
    OUTCROP_ASSERT(auth::check_key(source->key));
  }
  const auto target = auth::split_target(raw, host, domains);
  if (!target) {
    OUTCROP_ASSERT(target.error().code() == Errc::invalid_argument);
    return 0;
  }
  OUTCROP_ASSERT(target->bucket.find('/') == std::string::npos);
  OUTCROP_ASSERT(auth::check_key(target->bucket) && auth::check_key(target->key));
  OUTCROP_ASSERT(target->key.empty() || !target->bucket.empty());

  std::string again = "/";
  if (!target->virtual_host) {
    auth::uri_encode(target->bucket, auth::Slash::encode, again);
    again += target->key.empty() ? "" : "/";
  }
  auth::uri_encode(target->key, auth::Slash::keep, again);
  for (std::size_t i = 0; i < target->query.size(); ++i) {
    again += i == 0 ? '?' : '&';
    auth::uri_encode(target->query[i].name, auth::Slash::encode, again);
    again += '=';
    auth::uri_encode(target->query[i].value, auth::Slash::encode, again);
  }
  const auto second = auth::split_target(again, host, domains);
  OUTCROP_ASSERT(second && second->bucket == target->bucket && second->key == target->key);
  OUTCROP_ASSERT(second->query.size() == target->query.size());
  for (std::size_t i = 0; i < target->query.size(); ++i) {
    OUTCROP_ASSERT(second->query[i].name == target->query[i].name);
    OUTCROP_ASSERT(second->query[i].value == target->query[i].value);
  }
  return 0;
}
