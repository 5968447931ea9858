// The SigV4 signing key of (secret, day, region) and a small cache of them, one per thread.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "auth/crypto.h"

namespace outcrop::auth {

struct SigningKey {
  Digest bytes{};
  HmacKey hmac;
};

/// kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request").
SigningKey derive_signing_key(std::string_view secret,
                              std::string_view date,
                              std::string_view region,
                              std::string_view service = "s3");

/// Which key is wanted. The secret is compared too, so a rotated or revoked secret never hits.
struct SigningKeyId {
  std::string_view access_key, secret, date, region;
};

/// Of keys for S3. Direct-mapped and bounded. Only verified requests may insert, so strangers
/// cannot evict.
class SigningKeyCache {
 public:
  /// Null if absent; valid until the next insert().
  const SigningKey* find(const SigningKeyId& id) const;
  void insert(const SigningKeyId& id, const SigningKey& key);

 private:
  static constexpr std::size_t kSlots = 64;
  struct Slot {
    std::string access_key, secret, date, region;
    SigningKey key;
  };
  static std::size_t slot_of(const SigningKeyId& id);

  std::array<std::optional<Slot>, kSlots> x_slots;
};

}  // namespace outcrop::auth
