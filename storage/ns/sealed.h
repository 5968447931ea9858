// How payload is stored encrypted. It is cut into units of kUnitBytes of plaintext, the last one
// with what is left, and each is stored as
//
//   nonce (12 random bytes) | AES-256-GCM ciphertext, as long as the plaintext | tag (16 bytes)
//
// under the payload's data key. Associated data is the unit's place: u32 number of the part (0: not
// a part), u64 index in its run, little-endian. A run is a payload that was written at once: a
// whole object, or one part of an upload. The runs of a completed upload stand one behind the
// other. Pure functions, and a cipher that is used for one unit after the other.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/result.h"
#include "storage/ns/data_key.h"
#include "storage/ns/types.h"

struct evp_cipher_ctx_st;

namespace outcrop::ns {

inline constexpr std::uint64_t kUnitBytes = 64 << 10;
inline constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;
inline constexpr std::uint64_t kSealBytes =
    kNonceBytes + kTagBytes;  ///< that sealing adds to a unit

/// What a run of `plain` bytes takes.
constexpr std::uint64_t sealed_size(std::uint64_t plain) {
  return plain + (plain + kUnitBytes - 1) / kUnitBytes * kSealBytes;
}
static_assert(sealed_size(kMaxObjectBytes) > kMaxObjectBytes);

/// Of an object of these parts (empty: it is one run of `size` bytes). Empty: the parts are not as
/// large as the object, or larger than any can be.
std::optional<std::uint64_t> sealed_size(std::uint64_t size, const std::vector<PartSummary>& parts);

struct UnitName {
  std::uint32_t part = 0;
  std::uint64_t index = 0;
};

/// Neighbouring units of one run.
struct UnitRange {
  UnitName first{};
  ByteRange plain{};   ///< in the object
  ByteRange stored{};  ///< in the object's stored bytes
};

/// The units that hold the range, which is not empty and within the object, from the first one on:
/// at most `most`, and at most to the end of their run. Empty: the parts do not reach so far.
std::optional<UnitRange> find_units(std::uint64_t size,
                                    const std::vector<PartSummary>& parts,
                                    ByteRange range,
                                    std::uint64_t most);

/// One unit after the other under one key: begin, update as often as there are pieces, finish. One
/// caller at a time.
class UnitCipher {
 public:
  enum class Direction : std::uint8_t { seal, open };
  using Nonce = std::array<std::byte, kNonceBytes>;
  using Tag = std::array<std::byte, kTagBytes>;

  UnitCipher(const DataKey& key, Direction direction);
  UnitCipher(const UnitCipher&) = delete;

  void begin(const UnitName& name, const Nonce& nonce);
  /// `out`: room for as many bytes as `in` has.
  void update(ConstBytes in, std::byte* out);
  /// Of a unit that was sealed.
  Tag finish();
  /// Of one that was opened. False: what update() gave is not what was sealed there.
  [[nodiscard]] bool verify(const Tag& tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> x_context;
};

/// Opens units that lie in `stored`, piece by piece in order: what find_units() names, all of it.
/// Gives their plaintext. corrupt: one does not authenticate, or there is not enough of it.
Result<Buffer> open_units(UnitCipher& cipher,
                          const UnitRange& units,
                          const std::vector<ConstBytes>& stored);

}  // namespace outcrop::ns
