// Codec: Reed-Solomon over k data and m parity shards (ISA-L). Any k of the k + m shards give all
// the others back.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/result.h"

namespace outcrop::ec {

/// Which coefficients made the parity; on disk, never changes. 1: ISA-L's gf_gen_cauchy1_matrix
/// over GF(2^8) with polynomial 0x11d (its Vandermonde matrix loses data from m = 5).
inline constexpr std::uint8_t kMatrixCauchy = 1;

inline constexpr unsigned kDataMax = 16;
inline constexpr unsigned kParityMax = 8;
inline constexpr unsigned kShardsMax = 20;

/// Bit i is shard i: data shards 0..k-1, then parity.
using ShardSet = std::uint32_t;

/// Immutable but for a cache of decode tables behind a mutex: any thread, shared freely. All calls
/// are synchronous; every buffer is `length` bytes of any alignment, and outputs overlap nothing.
class Codec {
 public:
  /// invalid_argument unless 1 <= k <= 16, m <= 8 and k + m <= 20: geometry may come from disk.
  static Result<Codec> make(unsigned k, unsigned m);
  Codec(Codec&&) noexcept;
  Codec& operator=(Codec&&) noexcept;
  ~Codec();

  unsigned k() const { return x_k; }
  unsigned m() const { return x_m; }

  /// Computes all m parity shards of k data shards.
  void encode(std::span<const std::byte* const> data,
              std::span<std::byte* const> parity,
              std::size_t length) const;

  /// Computes the shards in `wanted` (data or parity) from k of the shards in `present`.
  /// `shards` has k + m entries, those not in `present` are not looked at; `out` has one buffer for
  /// each bit of `wanted`, in ascending order. unavailable: fewer than k shards are present.
  Result<void> reconstruct(ShardSet present,
                           std::span<const std::byte* const> shards,
                           ShardSet wanted,
                           std::span<std::byte* const> out,
                           std::size_t length) const;

 private:
  struct Tables;
  struct Cache;

  Codec(unsigned k, unsigned m);
  std::shared_ptr<const Tables> decode_tables(ShardSet sources, ShardSet wanted) const;
  std::shared_ptr<const Tables> make_decode_tables(ShardSet sources, ShardSet wanted) const;

  unsigned x_k;
  unsigned x_m;
  std::vector<std::uint8_t> x_matrix;  ///< (k + m) rows of k coefficients; the first k are identity
  std::vector<std::uint8_t> x_encode_tables;
  std::unique_ptr<Cache> x_cache;
};

}  // namespace outcrop::ec
