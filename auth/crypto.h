// SHA-256, HMAC-SHA-256, HMAC-SHA-1 for what is old, and constant-time comparison for signatures:
// OpenSSL kept out of our headers. Nothing here allocates per call; a failing OpenSSL call is a
// broken installation and stops us.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/bytes.h"

struct evp_md_ctx_st;

namespace outcrop::auth {

using Digest = std::array<std::uint8_t, 32>;

/// Hex of the SHA-256 of nothing: part of every chunk's string to sign.
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Digest sha256(std::string_view text);
void append_hex(const Digest& digest, std::string& out);
std::string to_hex(const Digest& digest);

/// True if equal; the time depends on the lengths only. Signatures are compared with nothing else.
bool equal_constant_time(std::string_view a, std::string_view b);

/// An HMAC key with its two padded blocks ready, so that signing is two plain hashes.
class HmacKey {
 public:
  HmacKey() = default;
  explicit HmacKey(std::string_view key);
  explicit HmacKey(const Digest& key)
      : HmacKey(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())) {}
  Digest sign(std::string_view message) const;

 private:
  std::array<char, 64> x_inner{}, x_outer{};
};

/// Of Signature Version 2, which nothing but old forms is signed with.
std::array<std::uint8_t, 20> hmac_sha1(std::string_view key, std::string_view message);

/// SHA-256 over pieces. finish() leaves it ready for the next message. One thread at a time.
class Sha256 {
 public:
  Sha256();
  void update(ConstBytes bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> x_context;
};

}  // namespace outcrop::auth
