#include "storage/ec/codec.h"

#include <isa-l/erasure_code.h>

#include <bit>

namespace outcrop::ec {
namespace {

// ISA-L expands each coefficient to 32 bytes of lookup table.
constexpr std::size_t kTableBytes = 32;
// Erasure patterns in use at a time: a lost drive makes up to k + m of them.
constexpr std::size_t kCacheEntries = 64;
// ISA-L takes lengths as int.
constexpr std::size_t kStepMax = std::size_t{1} << 30;

/// ISA-L's prototypes lack const; it only reads sources and tables.
unsigned char* raw(const std::byte* p) {
  return reinterpret_cast<unsigned char*>(const_cast<std::byte*>(p));
}

/// out[r] = sum over s of coefficient[r][s] * in[s], the coefficients being expanded in `tables`.
void transform(const std::vector<std::uint8_t>& tables,
               std::span<const std::byte* const> in,
               std::span<std::byte* const> out,
               std::size_t length) {
  std::array<unsigned char*, kShardsMax> from;
  std::array<unsigned char*, kShardsMax> to;
  for (std::size_t done = 0; done < length; done += kStepMax) {
    const std::size_t step = std::min(length - done, kStepMax);
    std::ranges::transform(in, from.begin(), [done](auto* p) { return raw(p) + done; });
    std::ranges::transform(out, to.begin(), [done](auto* p) { return raw(p) + done; });
    ec_encode_data(static_cast<int>(step), static_cast<int>(in.size()),
                   static_cast<int>(out.size()), const_cast<unsigned char*>(tables.data()),
                   from.data(), to.data());
  }
}

std::vector<std::uint8_t> expand(unsigned k, unsigned rows, const std::uint8_t* coefficients) {
  std::vector<std::uint8_t> tables(kTableBytes * k * rows);
  ec_init_tables(static_cast<int>(k), static_cast<int>(rows),
                 const_cast<unsigned char*>(coefficients), tables.data());
  return tables;
}

template <class Visit>
void for_each_shard(ShardSet set, Visit visit) {
  for (; set != 0; set &= set - 1) {
    visit(static_cast<unsigned>(std::countr_zero(set)));
  }
}

/// The `count` lowest members: data shards first, which need the least arithmetic.
ShardSet lowest(ShardSet set, unsigned count) {
  ShardSet rest = set;
  for (; count > 0; --count) {
    rest &= rest - 1;
  }
  return set & ~rest;
}

}  // namespace

struct Codec::Tables {
  ShardSet sources;
  ShardSet wanted;
  std::vector<std::uint8_t> tables;
};

/// Most recently used last.
struct Codec::Cache {
  std::mutex mutex;
  std::vector<std::shared_ptr<const Tables>> entries;
};

Result<Codec> Codec::make(unsigned k, unsigned m) {
  if (k < 1 || k > kDataMax || m > kParityMax || k + m > kShardsMax) {
    return fail(Errc::invalid_argument, "erasure code geometry out of range");
  }
  return Codec(k, m);
}

Codec::Codec(unsigned k, unsigned m)
    : x_k(k), x_m(m), x_matrix((k + m) * k), x_cache(std::make_unique<Cache>()) {
  gf_gen_cauchy1_matrix(x_matrix.data(), static_cast<int>(k + m), static_cast<int>(k));
  x_encode_tables = expand(k, m, x_matrix.data() + k * k);
}

Codec::Codec(Codec&&) noexcept = default;
Codec& Codec::operator=(Codec&&) noexcept = default;
Codec::~Codec() = default;

void Codec::encode(std::span<const std::byte* const> data,
                   std::span<std::byte* const> parity,
                   std::size_t length) const {
  OUTCROP_ASSERT(data.size() == x_k && parity.size() == x_m);
  if (x_m > 0) {
    transform(x_encode_tables, data, parity, length);
  }
}

Result<void> Codec::reconstruct(ShardSet present,
                                std::span<const std::byte* const> shards,
                                ShardSet wanted,
                                std::span<std::byte* const> out,
                                std::size_t length) const {
  const ShardSet all = (ShardSet{1} << (x_k + x_m)) - 1;
  OUTCROP_ASSERT(shards.size() == x_k + x_m && (wanted & ~all) == 0);
  OUTCROP_ASSERT(out.size() == static_cast<std::size_t>(std::popcount(wanted)));
  present &= all;
  if (static_cast<unsigned>(std::popcount(present)) < x_k) {
    return fail(Errc::unavailable, "fewer shards than data shards are left");
  }
  if (wanted == 0) {
    return ok();
  }
  const ShardSet sources = lowest(present, x_k);
  std::array<const std::byte*, kDataMax> in;
  unsigned count = 0;
  for_each_shard(sources, [&](unsigned shard) { in[count++] = shards[shard]; });
  const std::shared_ptr<const Tables> decode = decode_tables(sources, wanted);
  transform(decode->tables, std::span(in).first(count), out, length);
  return ok();
}

std::shared_ptr<const Codec::Tables> Codec::decode_tables(ShardSet sources, ShardSet wanted) const {
  const std::lock_guard lock(x_cache->mutex);
  auto& entries = x_cache->entries;
  const auto hit = std::ranges::find_if(
      entries, [&](const auto& e) { return e->sources == sources && e->wanted == wanted; });
  if (hit != entries.end()) {
    std::rotate(hit, hit + 1, entries.end());
    return entries.back();
  }
  if (entries.size() == kCacheEntries) {
    entries.erase(entries.begin());
  }
  entries.push_back(make_decode_tables(sources, wanted));
  return entries.back();
}

std::shared_ptr<const Codec::Tables> Codec::make_decode_tables(ShardSet sources,
                                                               ShardSet wanted) const {
  // The rows of the sources give sources = B * data, so data = B^-1 * sources, and any shard is its
  // own row times that.
  std::vector<std::uint8_t> rows;
  for_each_shard(sources, [&](unsigned shard) {
    const auto row = std::span(x_matrix).subspan(shard * x_k, x_k);
    rows.insert(rows.end(), row.begin(), row.end());
  });
  std::vector<std::uint8_t> inverse(x_k * x_k);
  const int singular = gf_invert_matrix(rows.data(), inverse.data(), static_cast<int>(x_k));
  OUTCROP_ASSERT(singular == 0);  // every square submatrix of a Cauchy matrix is invertible
  std::vector<std::uint8_t> coefficients;
  for_each_shard(wanted, [&](unsigned shard) {
    for (unsigned column = 0; column < x_k; ++column) {
      std::uint8_t sum = 0;
      for (unsigned i = 0; i < x_k; ++i) {
        sum ^= gf_mul(x_matrix[shard * x_k + i], inverse[i * x_k + column]);
      }
      coefficients.push_back(sum);
    }
  });
  const auto count = static_cast<unsigned>(std::popcount(wanted));
  return std::make_shared<const Tables>(
      Tables{sources, wanted, expand(x_k, count, coefficients.data())});
}

}  // namespace outcrop::ec
