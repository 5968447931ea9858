// The public keys of an identity provider: a JWK Set (RFC 7517, RFC 7518 section 6), and signatures
// (RFC 7515, RFC 7518 section 3) checked with them. OpenSSL does the arithmetic. Immutable once
// parsed; any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

struct evp_pkey_st;

namespace outcrop::oidc {

inline constexpr std::size_t kMaxKeySetBytes = 256 << 10;
inline constexpr std::size_t kMaxKeys = 64;
inline constexpr std::size_t kMaxKeyId = 256;
inline constexpr int kLeastRsaBits = 2048, kMostRsaBits = 4096;

/// What signatures are accepted of: public keys only. "none" and the HMACs, whose secret a public
/// key could be taken for, have no place here (CVE-2024-48916).
enum class Algorithm : std::uint8_t { rs256, rs384, rs512, ps256, es256, es384 };
/// By the name in a token's header, exactly.
std::optional<Algorithm> find_algorithm(std::string_view name);

class KeySet {
 public:
  /// Keys of other types and for other uses are left out, those that are malformed, too: one odd
  /// key must not lock everybody out. invalid_argument: not a JWK Set, or without a key to use.
  static Result<KeySet> parse(std::string_view json);

  std::size_t size() const { return x_keys.size(); }
  bool contains(std::string_view id, Algorithm algorithm) const {
    return find(id, algorithm) != nullptr;
  }
  /// True: `signature` is of that key over `text`. No such key, or it is for another algorithm:
  /// false.
  bool verify(std::string_view id,
              Algorithm algorithm,
              std::string_view text,
              std::string_view signature) const;

 private:
  enum class Type : std::uint8_t { rsa, p256, p384 };
  struct Key {
    std::string id;
    Type type = Type::rsa;
    std::optional<Algorithm> only;  ///< "alg", if the key says so
    std::shared_ptr<evp_pkey_st> key;
  };
  static Type type_for(Algorithm algorithm);
  static std::optional<Key> read_key(const struct JwkFields& fields);
  const Key* find(std::string_view id, Algorithm algorithm) const;

  std::vector<Key> x_keys;
};
using KeySetPtr = std::shared_ptr<const KeySet>;

/// Unpadded base64url (RFC 7515 section 2), strict: one text per value. Empty: it is none.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace outcrop::oidc
