#include "api/s3/list_token.h"

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {
namespace {

constexpr char kVersion = '1';
constexpr std::size_t kCheckBytes = 4;

/// Catches tokens that were cut or edited; it is no secret, a client may list from anywhere.
std::string check_of(std::string_view name) {
  return digest::Digest::of(digest::Algorithm::crc32c, as_bytes(name));
}

}  // namespace

std::string encode_token(std::string_view last) {
  std::string raw(1, kVersion);
  raw += check_of(last);
  raw += last;
  std::string text = digest::to_base64(as_bytes(raw));
  for (char& c : text) {  // safe in a URL also for clients that do not encode it
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return text;
}

Outcome<std::string> decode_token(std::string_view token) {
  if (token.empty()) {
    return std::string();
  }
  std::string text(token);
  for (char& c : text) {
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  const auto raw = digest::from_base64(text);
  if (raw && raw->size() > 1 + kCheckBytes && raw->front() == kVersion) {
    std::string name = raw->substr(1 + kCheckBytes);
    if (name.size() <= ns::kMaxKeyBytes && raw->substr(1, kCheckBytes) == check_of(name)) {
      return name;
    }
  }
  return bad_argument("The continuation token provided is incorrect", "continuation-token",
                      std::string(token));
}

}  // namespace outcrop::s3
