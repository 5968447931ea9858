#include "auth/oidc/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "api/json/value.h"
#include "storage/digest/text.h"

namespace outcrop::oidc {

struct JwkFields {
  std::string_view type, id, use, algorithm, curve;
  std::string n, e, x, y;  ///< decoded
};

namespace {

/// As they are named in headers, in the order of Algorithm.
constexpr std::array<std::string_view, 6> kNames{"RS256", "RS384", "RS512",
                                                 "PS256", "ES256", "ES384"};
constexpr std::size_t kMaxValues = 4096, kMaxDepth = 8, kMaxExponentBits = 33;

struct Free {
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Owned<BIGNUM> number_of(std::string_view text) {
  return Owned<BIGNUM>(BN_bin2bn(bytes_of(text), static_cast<int>(text.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> make_key(const char* type, OSSL_PARAM_BLD* build) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(build));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  std::shared_ptr<EVP_PKEY> out(key, EVP_PKEY_free);
  // That a point is on its curve is checked here.
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, out.get(), nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? out : nullptr;
}

std::shared_ptr<EVP_PKEY> rsa_key(const JwkFields& fields) {
  const Owned<BIGNUM> n = number_of(fields.n), e = number_of(fields.e);
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  const bool fits = n && e && BN_num_bits(n.get()) >= kLeastRsaBits &&
                    BN_num_bits(n.get()) <= kMostRsaBits && BN_is_odd(e.get()) == 1 &&
                    BN_is_one(e.get()) == 0 &&
                    static_cast<std::size_t>(BN_num_bits(e.get())) <= kMaxExponentBits;
  if (!fits || !build || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return make_key("RSA", build.get());
}

/// `size`: of a coordinate. Both have it exactly (RFC 7518 section 6.2.1.2).
std::shared_ptr<EVP_PKEY> ec_key(const JwkFields& fields, const char* group, std::size_t size) {
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  const std::string point = "\x04" + fields.x + fields.y;
  if (fields.x.size() != size || fields.y.size() != size || !build ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return make_key("EC", build.get());
}

const EVP_MD* digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256:
      return EVP_sha256();
    case Algorithm::rs384:
    case Algorithm::es384:
      return EVP_sha384();
    case Algorithm::rs512:
      break;
  }
  return EVP_sha512();
}

/// R and S side by side (RFC 7518 section 3.4) as OpenSSL wants them; empty: of another length.
std::string der_of(std::string_view signature, std::size_t size) {
  if (signature.size() != 2 * size) {
    return {};
  }
  Owned<BIGNUM> r = number_of(signature.substr(0, size)), s = number_of(signature.substr(size));
  const Owned<ECDSA_SIG> both(ECDSA_SIG_new());
  if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) {
    return {};
  }
  std::ignore = r.release();
  std::ignore = s.release();
  unsigned char* text = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &text);
  std::string out(reinterpret_cast<const char*>(text),
                  length > 0 ? static_cast<std::size_t>(length) : 0);
  OPENSSL_free(text);
  return out;
}

std::string_view text_of(const json::Value& value, std::string_view name) {
  const json::Value* const field = value.find(name);
  return field != nullptr && field->is_string() ? std::string_view(field->text) : "";
}

/// Empty where there is none or it is malformed: then no key comes out.
std::string bytes_in(const json::Value& value, std::string_view name) {
  return from_base64url(text_of(value, name)).value_or("");
}

/// Without "key_ops" a key may verify; with it, it must say so.
bool may_verify(const json::Value& key) {
  const json::Value* const operations = key.find("key_ops");
  return operations == nullptr || std::ranges::any_of(operations->items, [](const json::Value& v) {
           return v.is_string() && v.text == "verify";
         });
}

}  // namespace

std::optional<std::string> from_base64url(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '+' || c == '/' || c == '=') {
      return std::nullopt;
    }
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  plain.append((4 - plain.size() % 4) % 4, '=');
  Result<std::string> out = digest::from_base64(plain);
  return out ? std::optional(*std::move(out)) : std::nullopt;
}

std::optional<Algorithm> find_algorithm(std::string_view name) {
  const auto* const at = std::ranges::find(kNames, name);
  return at == kNames.end() ? std::nullopt
                            : std::optional(static_cast<Algorithm>(at - kNames.begin()));
}

KeySet::Type KeySet::type_for(Algorithm algorithm) {
  return algorithm == Algorithm::es256   ? Type::p256
         : algorithm == Algorithm::es384 ? Type::p384
                                         : Type::rsa;
}

std::optional<KeySet::Key> KeySet::read_key(const JwkFields& fields) {
  Key out;
  out.id = fields.id;
  if (!fields.algorithm.empty()) {
    out.only = find_algorithm(fields.algorithm);
    if (!out.only) {
      return std::nullopt;
    }
  }
  if (fields.type == "RSA") {
    out.key = rsa_key(fields);
  } else if (fields.type == "EC" && fields.curve == "P-256") {
    out.type = Type::p256;
    out.key = ec_key(fields, "P-256", 32);
  } else if (fields.type == "EC" && fields.curve == "P-384") {
    out.type = Type::p384;
    out.key = ec_key(fields, "P-384", 48);
  }
  const bool fits = out.key && (!out.only || type_for(*out.only) == out.type);
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

Result<KeySet> KeySet::parse(std::string_view text) {
  TRY(const json::Value document,
      json::parse(text, {.bytes = kMaxKeySetBytes, .depth = kMaxDepth, .values = kMaxValues}));
  const json::Value* const keys = document.find("keys");
  if (keys == nullptr || !keys->is_array() || keys->items.size() > kMaxKeys) {
    return fail(Errc::invalid_argument, "not a JWK Set: \"keys\" is missing, or has too many");
  }
  KeySet out;
  for (const json::Value& item : keys->items) {
    const JwkFields fields{.type = text_of(item, "kty"),
                           .id = text_of(item, "kid"),
                           .use = text_of(item, "use"),
                           .algorithm = text_of(item, "alg"),
                           .curve = text_of(item, "crv"),
                           .n = bytes_in(item, "n"),
                           .e = bytes_in(item, "e"),
                           .x = bytes_in(item, "x"),
                           .y = bytes_in(item, "y")};
    const bool named = !fields.id.empty() && fields.id.size() <= kMaxKeyId;
    if (named && (fields.use.empty() || fields.use == "sig") && may_verify(item)) {
      if (std::optional<Key> key = read_key(fields)) {
        out.x_keys.push_back(*std::move(key));
      }
    }
  }
  ERR_clear_error();
  if (out.x_keys.empty()) {
    return fail(Errc::invalid_argument, "no key that signatures can be checked with");
  }
  return out;
}

const KeySet::Key* KeySet::find(std::string_view id, Algorithm algorithm) const {
  const auto at = std::ranges::find_if(x_keys, [&](const Key& key) {
    return key.id == id && key.type == type_for(algorithm) && (!key.only || *key.only == algorithm);
  });
  return at == x_keys.end() ? nullptr : &*at;
}

bool KeySet::verify(std::string_view id,
                    Algorithm algorithm,
                    std::string_view text,
                    std::string_view signature) const {
  const Key* const key = find(id, algorithm);
  if (key == nullptr) {
    return false;
  }
  std::string der;
  if (key->type != Type::rsa) {
    der = der_of(signature, key->type == Type::p256 ? 32 : 48);
    signature = der;
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // owned by the context
  if (!context || signature.empty() ||
      EVP_DigestVerifyInit(context.get(), &options, digest_of(algorithm), nullptr,
                           key->key.get()) != 1) {
    return false;
  }
  if (algorithm == Algorithm::ps256 &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  const bool valid = EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                      bytes_of(text), text.size()) == 1;
  ERR_clear_error();  // what TLS finds there is to be its own
  return valid;
}

}  // namespace outcrop::oidc
