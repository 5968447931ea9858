// The codec against slow arithmetic of its own, for every geometry and every loss it must survive.
#include "storage/ec/codec.h"

#include <bit>
#include <random>
#include <thread>

namespace outcrop::ec {
namespace {

// GF(2^8) with polynomial 0x11d, bit by bit: shares nothing with ISA-L.
unsigned slow_multiply(unsigned a, unsigned b) {
  unsigned product = 0;
  for (; b != 0; b >>= 1) {
    product ^= (b & 1) != 0 ? a : 0;
    a <<= 1;
    a ^= (a & 0x100) != 0 ? 0x11d : 0;
  }
  return product;
}

unsigned slow_inverse(unsigned a) {
  for (unsigned b = 1; b < 256; ++b) {
    if (slow_multiply(a, b) == 1) {
      return b;
    }
  }
  return 0;
}

using Shards = std::vector<std::vector<std::byte>>;

std::vector<const std::byte*> pointers(const Shards& shards, std::size_t from, std::size_t count) {
  std::vector<const std::byte*> out;
  for (std::size_t i = from; i < from + count; ++i) {
    out.push_back(shards[i].data());
  }
  return out;
}

std::vector<std::byte*> pointers(Shards& shards) {
  std::vector<std::byte*> out;
  for (auto& shard : shards) {
    out.push_back(shard.data());
  }
  return out;
}

/// k data shards and what the definition of matrix 1 says their parity is.
Shards reference(unsigned k, unsigned m, std::size_t length, std::mt19937& random) {
  Shards shards(k + m, std::vector<std::byte>(length));
  for (unsigned i = 0; i < k; ++i) {
    std::ranges::generate(shards[i], [&] { return static_cast<std::byte>(random()); });
  }
  for (unsigned row = k; row < k + m; ++row) {
    for (unsigned column = 0; column < k; ++column) {
      const unsigned coefficient = slow_inverse(row ^ column);
      std::array<std::byte, 256> times;
      for (unsigned v = 0; v < 256; ++v) {
        times[v] = static_cast<std::byte>(slow_multiply(v, coefficient));
      }
      for (std::size_t at = 0; at < length; ++at) {
        shards[row][at] ^= times[std::to_integer<unsigned>(shards[column][at])];
      }
    }
  }
  return shards;
}

Codec make(unsigned k, unsigned m) {
  Result<Codec> codec = Codec::make(k, m);
  EXPECT_TRUE(codec.has_value());
  return std::move(*codec);
}

Shards encode(const Codec& codec, const Shards& shards, std::size_t length) {
  Shards parity(codec.m(), std::vector<std::byte>(length));
  codec.encode(pointers(shards, 0, codec.k()), pointers(parity), length);
  return parity;
}

/// Loses `lost`, asks for `wanted`, compares with the originals.
void check_loss(const Codec& codec, const Shards& all, ShardSet lost, ShardSet wanted) {
  const unsigned n = codec.k() + codec.m();
  const std::size_t length = all[0].size();
  std::vector<const std::byte*> in = pointers(all, 0, n);
  for (unsigned i = 0; i < n; ++i) {
    if ((lost >> i & 1) != 0) {
      in[i] = nullptr;
    }
  }
  Shards out(static_cast<std::size_t>(std::popcount(wanted)), std::vector<std::byte>(length));
  const ShardSet present = ((ShardSet{1} << n) - 1) & ~lost;
  ASSERT_TRUE(codec.reconstruct(present, in, wanted, pointers(out), length).has_value());
  std::size_t next = 0;
  for (unsigned i = 0; i < n; ++i) {
    if ((wanted >> i & 1) != 0) {
      ASSERT_EQ(out[next++], all[i]) << "shard " << i << " of " << codec.k() << "+" << codec.m()
                                     << ", lost " << std::hex << lost;
    }
  }
}

TEST(Codec, parity_is_what_the_matrix_says_at_every_length) {
  std::mt19937 random(1);
  for (const auto& [k, m] : std::vector<std::pair<unsigned, unsigned>>{
           {1, 1}, {1, 3}, {2, 1}, {4, 2}, {5, 2}, {8, 3}, {10, 4}, {12, 8}, {16, 4}}) {
    const Codec codec = make(k, m);
    for (std::size_t length = 0; length < 300; length += 1 + random() % 7) {
      const Shards all = reference(k, m, length, random);
      const Shards expected(all.begin() + k, all.end());
      ASSERT_EQ(encode(codec, all, length), expected) << k << "+" << m << " length " << length;
    }
  }
}

TEST(Codec, every_loss_of_up_to_m_shards_comes_back) {
  std::mt19937 random(2);
  for (unsigned k = 1; k <= kDataMax; ++k) {
    for (unsigned m = 0; m <= 4; ++m) {
      const Codec codec = make(k, m);
      const Shards all = reference(k, m, 1 + random() % 130, random);
      ASSERT_EQ(encode(codec, all, all[0].size()), Shards(all.begin() + k, all.end()));
      for (ShardSet lost = 0; lost < ShardSet{1} << (k + m); ++lost) {
        if (static_cast<unsigned>(std::popcount(lost)) <= m) {
          ASSERT_NO_FATAL_FAILURE(check_loss(codec, all, lost, lost));
        }
      }
    }
  }
}

TEST(Codec, random_losses_with_up_to_eight_parities) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    const unsigned k = 1 + random() % kDataMax;
    const unsigned m = random() % (std::min(kParityMax, kShardsMax - k) + 1);
    const Codec codec = make(k, m);
    const Shards all = reference(k, m, 1 + random() % 70, random);
    ShardSet lost = 0;
    for (unsigned i = 0; i < m; ++i) {
      lost |= ShardSet{1} << random() % (k + m);
    }
    // Any shard may be asked for, also one that is present.
    const ShardSet wanted = random() & ((ShardSet{1} << (k + m)) - 1);
    ASSERT_NO_FATAL_FAILURE(check_loss(codec, all, lost, wanted));
  }
}

TEST(Codec, large_and_unaligned_shards) {
  std::mt19937 random(4);
  const Codec codec = make(4, 2);
  for (const std::size_t length : {65536UL, 262144UL, 262143UL, 100001UL}) {
    const Shards all = reference(4, 2, length, random);
    ASSERT_EQ(encode(codec, all, length), Shards(all.begin() + 4, all.end()));
    ASSERT_NO_FATAL_FAILURE(check_loss(codec, all, 0b000101, 0b000101));
    // The same bytes, every buffer starting at an odd address.
    std::vector<const std::byte*> data = pointers(all, 0, 4);
    std::ranges::transform(data, data.begin(), [](const std::byte* p) { return p + 1; });
    Shards shifted(2, std::vector<std::byte>(length - 1));
    codec.encode(data, pointers(shifted), length - 1);
    ASSERT_TRUE(std::ranges::equal(shifted[1], std::span(all[5]).subspan(1)));
  }
}

/// The code is MDS exactly when every square submatrix of the parity rows is invertible: computed
/// with slow arithmetic over all pairs and triples of the largest geometry, and all of 4+4.
unsigned determinant(std::vector<std::vector<unsigned>> a) {
  unsigned det = 1;
  for (std::size_t c = 0; c < a.size(); ++c) {
    std::size_t pivot = c;
    while (pivot < a.size() && a[pivot][c] == 0) {
      ++pivot;
    }
    if (pivot == a.size()) {
      return 0;
    }
    std::swap(a[c], a[pivot]);
    det = slow_multiply(det, a[c][c]);
    const unsigned inverse = slow_inverse(a[c][c]);
    for (std::size_t r = c + 1; r < a.size(); ++r) {
      const unsigned factor = slow_multiply(a[r][c], inverse);
      for (std::size_t x = c; x < a.size(); ++x) {
        a[r][x] ^= slow_multiply(factor, a[c][x]);
      }
    }
  }
  return det;
}

TEST(Codec, the_matrix_is_mds) {
  for (const auto& [k, m] : std::vector<std::pair<unsigned, unsigned>>{{16, 4}, {8, 4}, {6, 8}}) {
    for (unsigned rows = 1; rows < 1U << m; ++rows) {
      const int size = std::popcount(rows);
      for (unsigned columns = 1; size <= 3 && columns < 1U << k; ++columns) {
        if (std::popcount(columns) != size) {
          continue;
        }
        std::vector<std::vector<unsigned>> sub;
        for (unsigned r = 0; r < m; ++r) {
          if ((rows >> r & 1) != 0) {
            sub.emplace_back();
            for (unsigned c = 0; c < k; ++c) {
              if ((columns >> c & 1) != 0) {
                sub.back().push_back(slow_inverse((k + r) ^ c));
              }
            }
          }
        }
        ASSERT_NE(determinant(std::move(sub)), 0U)
            << k << "+" << m << " " << rows << " " << columns;
      }
    }
  }
}

TEST(Codec, too_few_shards_is_an_error_not_garbage) {
  std::mt19937 random(5);
  const Codec codec = make(4, 2);
  const Shards all = reference(4, 2, 100, random);
  Shards out(1, std::vector<std::byte>(100));
  const auto in = pointers(all, 0, 6);
  const auto result = codec.reconstruct(0b111000, in, 0b000001, pointers(out), 100);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), Errc::unavailable);
  // Bits beyond the geometry do not count as shards.
  EXPECT_FALSE(codec.reconstruct(0xfffc0038, in, 0b000001, pointers(out), 100).has_value());
}

TEST(Codec, refuses_geometry_out_of_range) {
  for (const auto& [k, m] : std::vector<std::pair<unsigned, unsigned>>{
           {0, 2}, {17, 1}, {4, 9}, {16, 5}, {~0U, 1}, {1, ~0U}}) {
    EXPECT_FALSE(Codec::make(k, m).has_value()) << k << "+" << m;
  }
  EXPECT_TRUE(Codec::make(12, 8).has_value());
  EXPECT_TRUE(Codec::make(16, 4).has_value());
}

TEST(Codec, shared_between_threads) {
  const Codec codec = make(8, 3);
  std::mt19937 random(6);
  const Shards all = reference(8, 3, 333, random);
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 mine(t);
      for (int i = 0; i < 2000; ++i) {
        const ShardSet lost =
            ShardSet{1} << mine() % 11 | ShardSet{1} << mine() % 11 | ShardSet{1} << mine() % 11;
        check_loss(codec, all, lost, lost);
      }
    });
  }
}

}  // namespace
}  // namespace outcrop::ec
