#include "auth/identity/seal.h"

#include <openssl/evp.h>

#include <memory>

#include "storage/base/assert.h"

namespace outcrop::identity {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;
constexpr std::size_t kOverhead = 1 + kNonceBytes + kTagBytes;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Free>;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text, std::size_t at) {
  return reinterpret_cast<unsigned char*>(text.data() + at);
}

}  // namespace

std::string seal(const SealKey& key,
                 std::string_view name,
                 std::string_view secret,
                 Random& random) {
  std::string out(kOverhead + secret.size(), '\0');
  out[0] = kVersion;
  random.fill(MutBytes(reinterpret_cast<std::byte*>(out.data() + 1), kNonceBytes));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int n = 0;
  const std::size_t body = 1 + kNonceBytes;
  // A failing OpenSSL call is a broken installation: nothing may go out half sealed.
  OUTCROP_ASSERT(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                                              raw(out, 1)) == 1);
  OUTCROP_ASSERT(
      EVP_EncryptUpdate(cipher.get(), nullptr, &n, raw(name), static_cast<int>(name.size())) == 1);
  OUTCROP_ASSERT(EVP_EncryptUpdate(cipher.get(), raw(out, body), &n, raw(secret),
                                   static_cast<int>(secret.size())) == 1);
  OUTCROP_ASSERT(EVP_EncryptFinal_ex(cipher.get(), raw(out, body + secret.size()), &n) == 1);
  OUTCROP_ASSERT(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                     raw(out, body + secret.size())) == 1);
  return out;
}

Result<std::string> unseal(const SealKey& key, std::string_view name, std::string_view sealed) {
  const auto broken = [] { return fail(Errc::corrupt, "a sealed secret does not open"); };
  if (sealed.size() < kOverhead || sealed.front() != kVersion) {
    return broken();
  }
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view body = sealed.substr(1 + kNonceBytes, sealed.size() - kOverhead);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string out(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int n = 0;
  unsigned char none = 0;
  const bool opened =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), raw(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &n, raw(name), static_cast<int>(name.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), raw(out, 0), &n, raw(body), static_cast<int>(body.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), &none, &n) == 1;
  if (!opened) {
    return broken();
  }
  return out;
}

}  // namespace outcrop::identity
