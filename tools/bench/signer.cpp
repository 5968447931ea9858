#include "tools/bench/signer.h"

#include <ctime>

#include "storage/digest/text.h"

namespace outcrop::bench {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

void append_hex(std::string& out, ConstBytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::byte b : bytes) {
    out.push_back(kDigits[std::to_integer<unsigned>(b) >> 4]);
    out.push_back(kDigits[std::to_integer<unsigned>(b) & 15]);
  }
}

void append_names(std::string& out, std::span<const SignedHeader> headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    out.append(i == 0 ? "" : ";").append(headers[i].name);
  }
}

}  // namespace

Signer::Signer(std::string access_key, std::string secret_key, std::string region)
    : x_access_key(std::move(access_key)),
      x_secret_key(std::move(secret_key)),
      x_region(std::move(region)) {}

void Signer::set_time(std::int64_t unix_seconds) {
  if (unix_seconds == x_time) {
    return;
  }
  x_time = unix_seconds;
  const auto when = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  gmtime_r(&when, &utc);
  std::array<char, 20> text;
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  const std::string timestamp(text.data(), size);
  const bool same_day = x_key && timestamp.substr(0, 8) == x_timestamp.substr(0, 8);
  x_timestamp = timestamp;
  if (same_day) {
    return;
  }
  const std::string date = timestamp.substr(0, 8);
  x_scope = date + "/" + x_region + "/s3/aws4_request";
  digest::Sha256Value key = digest::hmac_sha256(as_bytes("AWS4" + x_secret_key), as_bytes(date));
  key = digest::hmac_sha256(key, as_bytes(x_region));
  key = digest::hmac_sha256(key, as_bytes("s3"));
  key = digest::hmac_sha256(key, as_bytes("aws4_request"));
  x_key.emplace(key);
}

void Signer::append_authorization(std::string& out,
                                  std::string_view method,
                                  std::string_view path,
                                  std::string_view query,
                                  std::span<const SignedHeader> headers,
                                  std::string_view payload_hash) {
  std::string& text = x_canonical;
  text.assign(method).append("\n").append(path).append("\n").append(query).append("\n");
  for (const SignedHeader& header : headers) {
    text.append(header.name).append(":").append(header.value).append("\n");
  }
  text.append("\n");
  append_names(text, headers);
  text.append("\n").append(payload_hash);
  const digest::Sha256Value request = digest::sha256(as_bytes(text));

  text.assign(kAlgorithm)
      .append("\n")
      .append(x_timestamp)
      .append("\n")
      .append(x_scope)
      .append("\n");
  append_hex(text, request);
  const digest::Sha256Value signature = x_key->sign(as_bytes(text));

  out.append(kAlgorithm).append(" Credential=").append(x_access_key).append("/").append(x_scope);
  out.append(",SignedHeaders=");
  append_names(out, headers);
  out.append(",Signature=");
  append_hex(out, signature);
}

std::string uri_encode(std::string_view text, bool encode_slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && !encode_slash);
    if (plain) {
      out.push_back(c);
    } else {
      const auto u = static_cast<unsigned char>(c);
      out.append({'%', kDigits[u >> 4], kDigits[u & 15]});
    }
  }
  return out;
}

}  // namespace outcrop::bench
