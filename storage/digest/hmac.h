// SHA-256 and HMAC-SHA-256 of short messages, for signatures: no allocation, keys prepared once.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>

#include "storage/base/bytes.h"

namespace outcrop::digest {

using Sha256Value = std::array<std::byte, 32>;

Sha256Value sha256(ConstBytes message);
/// Of the concatenation of `parts`.
Sha256Value sha256(std::initializer_list<ConstBytes> parts);

/// A key whose two padded blocks are hashed already; sign() costs only the message and one block.
/// Immutable, any thread. Holds key material: the destructor wipes it.
class HmacKey {
 public:
  explicit HmacKey(ConstBytes key);
  ~HmacKey();
  HmacKey(const HmacKey&) = default;
  HmacKey& operator=(const HmacKey&) = default;

  Sha256Value sign(ConstBytes message) const;
  Sha256Value sign(std::initializer_list<ConstBytes> parts) const;

 private:
  /// SHA-256 chaining values after the inner and outer key block.
  std::array<std::uint32_t, 8> x_inner;
  std::array<std::uint32_t, 8> x_outer;
};

inline Sha256Value hmac_sha256(ConstBytes key, ConstBytes message) {
  return HmacKey(key).sign(message);
}

/// Takes the same time wherever the difference is; different lengths are unequal.
bool equal_in_constant_time(ConstBytes a, ConstBytes b);

}  // namespace outcrop::digest
