#include "tests/linear/values.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "storage/digest/text.h"

namespace outcrop::linear {
namespace {

std::string md5(std::string_view data) {
  std::string out(16, '\0');
  std::size_t size = 0;
  EVP_Q_digest(nullptr, "MD5", nullptr, data.data(), data.size(),
               reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

}  // namespace

Value Values::make(std::size_t size, bool in_parts) {
  const std::uint64_t number = ++x_last;
  const std::string word = fmt::format("{:016x} ", number);
  std::string& body = x_bodies[number];
  while (body.size() < size) {
    body += word;
  }
  const std::string whole = md5(body);
  for (const bool parts : {false, true}) {
    const std::string digest = parts ? md5(whole) : whole;
    const std::string etag =
        fmt::format("\"{}{}\"", digest::to_hex(as_bytes(digest)), parts ? "-1" : "");
    x_etags[2 * number + (parts ? 1 : 0)] = etag;
    x_values[etag] = 2 * number + (parts ? 1 : 0);
  }
  return 2 * number + (in_parts ? 1 : 0);
}

std::optional<Value> Values::of_etag(const std::string& etag) const {
  const auto at = x_values.find(etag);
  return at == x_values.end() ? std::nullopt : std::optional(at->second);
}

}  // namespace outcrop::linear
