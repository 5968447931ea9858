#include "tests/support/oidc_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <vector>

#include "storage/base/assert.h"
#include "storage/base/bytes.h"
#include "storage/digest/text.h"

namespace outcrop::test {

std::string base64url(std::string_view bytes) {
  std::string out = digest::to_base64(as_bytes(bytes));
  out.resize(out.find_last_not_of('=') + 1);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

OidcSigner::OidcSigner(Type type, std::string id, unsigned rsa_bits)
    : x_type(type), x_id(std::move(id)) {
  EVP_PKEY* const made = type == Type::rsa ? EVP_RSA_gen(rsa_bits)
                                           : EVP_EC_gen(type == Type::p256 ? "P-256" : "P-384");
  OUTCROP_ASSERT(made != nullptr);
  x_key = std::shared_ptr<EVP_PKEY>(made, EVP_PKEY_free);
}

/// `size` 0: as short as it is.
std::string OidcSigner::number(const char* name, std::size_t size) const {
  BIGNUM* value = nullptr;
  OUTCROP_ASSERT(EVP_PKEY_get_bn_param(x_key.get(), name, &value) == 1);
  std::string out(size == 0 ? static_cast<std::size_t>(BN_num_bytes(value)) : size, '\0');
  OUTCROP_ASSERT(BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()),
                              static_cast<int>(out.size())) >= 0);
  BN_free(value);
  return base64url(out);
}

std::string OidcSigner::jwk(std::string_view more) const {
  std::string out = R"({"kid":")" + x_id + R"(")";
  if (x_type == Type::rsa) {
    out += R"(,"kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
           number(OSSL_PKEY_PARAM_RSA_E, 0) + R"(")";
  } else {
    const bool small = x_type == Type::p256;
    const std::size_t size = small ? 32 : 48;
    out += std::string(R"(,"kty":"EC","crv":")") + (small ? "P-256" : "P-384") + R"(","x":")" +
           number(OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" +
           number(OSSL_PKEY_PARAM_EC_PUB_Y, size) + R"(")";
  }
  return out.append(more) + "}";
}

std::string OidcSigner::header(std::string_view algorithm) const {
  return R"({"alg":")" + std::string(algorithm) + R"(","kid":")" + x_id + R"(","typ":"JWT"})";
}

std::string OidcSigner::sign(std::string_view header,
                             std::string_view payload,
                             std::string_view algorithm) const {
  std::string text = base64url(header) + "." + base64url(payload);
  const EVP_MD* const digest = algorithm.ends_with("256")   ? EVP_sha256()
                               : algorithm.ends_with("384") ? EVP_sha384()
                                                            : EVP_sha512();
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  OUTCROP_ASSERT(EVP_DigestSignInit(context, &options, digest, nullptr, x_key.get()) == 1);
  if (algorithm.starts_with("PS")) {
    OUTCROP_ASSERT(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
    OUTCROP_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::vector<unsigned char> out(1024);
  std::size_t size = out.size();
  OUTCROP_ASSERT(EVP_DigestSign(context, out.data(), &size,
                                reinterpret_cast<const unsigned char*>(text.data()),
                                text.size()) == 1);
  EVP_MD_CTX_free(context);
  std::string signature(reinterpret_cast<const char*>(out.data()), size);
  if (x_type != Type::rsa) {
    const unsigned char* der = out.data();
    ECDSA_SIG* const parts = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
    const int half = x_type == Type::p256 ? 32 : 48;
    signature.assign(static_cast<std::size_t>(2 * half), '\0');
    auto* const to = reinterpret_cast<unsigned char*>(signature.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(parts), to, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(parts), to + half, half);
    ECDSA_SIG_free(parts);
  }
  return text + "." + base64url(signature);
}

std::string OidcSigner::public_pem() const {
  BIO* const out = BIO_new(BIO_s_mem());
  OUTCROP_ASSERT(PEM_write_bio_PUBKEY(out, x_key.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

}  // namespace outcrop::test
