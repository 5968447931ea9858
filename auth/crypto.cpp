#include "auth/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "storage/base/assert.h"

namespace outcrop::auth {
namespace {

/// Fetched once: an implicit fetch per hash costs more than hashing a request.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  OUTCROP_ASSERT(method != nullptr);
  return method;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

EVP_MD_CTX* thread_context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  OUTCROP_ASSERT(context != nullptr);
  return context.get();
}

Digest hash_two(std::string_view head, std::string_view tail) {
  EVP_MD_CTX* const context = thread_context();
  Digest digest;
  const bool done = EVP_DigestInit_ex(context, sha256_method(), nullptr) == 1 &&
                    EVP_DigestUpdate(context, head.data(), head.size()) == 1 &&
                    EVP_DigestUpdate(context, tail.data(), tail.size()) == 1 &&
                    EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  OUTCROP_ASSERT(done);
  return digest;
}

std::string_view text_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Digest sha256(std::string_view text) { return hash_two(text, {}); }

void append_hex(const Digest& digest, std::string& out) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 64> text;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kDigits[digest[i] >> 4];
    text[2 * i + 1] = kDigits[digest[i] & 15];
  }
  out.append(text.data(), text.size());
}

std::string to_hex(const Digest& digest) {
  std::string text;
  append_hex(digest, text);
  return text;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

HmacKey::HmacKey(std::string_view key) {
  std::array<char, 64> block{};
  if (key.size() > block.size()) {
    const Digest shortened = sha256(key);
    std::memcpy(block.data(), shortened.data(), shortened.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (std::size_t i = 0; i < block.size(); ++i) {
    x_inner[i] = static_cast<char>(block[i] ^ 0x36);
    x_outer[i] = static_cast<char>(block[i] ^ 0x5c);
  }
}

Digest HmacKey::sign(std::string_view message) const {
  const Digest inner = hash_two({x_inner.data(), x_inner.size()}, message);
  return hash_two({x_outer.data(), x_outer.size()}, text_of(inner));
}

std::array<std::uint8_t, 20> hmac_sha1(std::string_view key, std::string_view message) {
  std::array<std::uint8_t, 20> out{};
  unsigned size = 0;
  const auto* const text = reinterpret_cast<const unsigned char*>(message.data());
  const void* const done = HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), text,
                                message.size(), out.data(), &size);
  OUTCROP_ASSERT(done != nullptr && size == out.size());
  return out;
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : x_context(EVP_MD_CTX_new()) {
  OUTCROP_ASSERT(x_context != nullptr &&
                 EVP_DigestInit_ex(x_context.get(), sha256_method(), nullptr) == 1);
}

void Sha256::update(ConstBytes bytes) {
  OUTCROP_ASSERT(EVP_DigestUpdate(x_context.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest;
  OUTCROP_ASSERT(EVP_DigestFinal_ex(x_context.get(), digest.data(), nullptr) == 1);
  OUTCROP_ASSERT(EVP_DigestInit_ex(x_context.get(), sha256_method(), nullptr) == 1);
  return digest;
}

}  // namespace outcrop::auth
