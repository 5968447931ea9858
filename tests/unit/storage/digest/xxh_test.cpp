// XXH3: published values, and one answer from every implementation for every cut of the input.
#include "storage/digest/xxh.h"

#include "storage/digest/cpu_features.h"
#include "storage/digest/xxh_kernels.h"
#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

TEST(Xxh, published_values) {
  EXPECT_EQ(xxh3_64(ConstBytes{}), 0x2d06800538d394c2ULL);
  EXPECT_EQ(xxh3_64(as_bytes("a")), 0xe6c632b61e964e1fULL);
  EXPECT_EQ(xxh3_64(as_bytes("abc")), 0x78af5f94892f3950ULL);
}

TEST(Xxh, parts_hash_like_their_concatenation) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 400; ++round) {
    const ByteVector data = random_bytes(random() % (round < 300 ? 600 : 100'000), random);
    const std::uint64_t seed = round % 3 == 0 ? 0 : random();
    std::vector<ConstBytes> parts;
    random_pieces(data, random, [&](ConstBytes piece) { parts.push_back(piece); });
    const std::uint64_t expected = xxh3_64(data, seed);
    ASSERT_EQ(xxh3_64(parts, seed), expected) << data.size();
    const ConstBytes all(data);
    const std::size_t cut = data.size() / 2;
    ASSERT_EQ(xxh3_64({all.first(cut), all.subspan(cut)}, seed), expected);
    ASSERT_EQ(kXxhBaseline.one(data.data(), data.size(), seed), expected);
#if defined(__x86_64__)
    if (cpu_features().avx2) {
      ASSERT_EQ(kXxhAvx2.one(data.data(), data.size(), seed), expected);
    }
#endif
  }
}

std::string streamed(const XxhKernel& kernel, ConstBytes data, std::size_t cut) {
  Xxh3State state;
  kernel.reset(state);
  kernel.update(state, data.data(), cut);
  kernel.update(state, data.data() + cut, data.size() - cut);
  unsigned char out[16];
  kernel.value128(state, out);
  return std::to_string(kernel.value(state)) + " " +
         std::string(reinterpret_cast<const char*>(out), sizeof(out));
}

TEST(Xxh, streams_of_all_kernels_agree) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    const ByteVector data = random_bytes(1 + random() % (round < 150 ? 600 : 100'000), random);
    const std::size_t cut = random() % data.size();
    const std::string expected = streamed(kXxhBaseline, data, cut);
    ASSERT_TRUE(expected.starts_with(std::to_string(xxh3_64(data)) + " "));
    ASSERT_EQ(streamed(xxh_kernel(), data, 0), expected);
#if defined(__x86_64__)
    if (cpu_features().avx2) {
      ASSERT_EQ(streamed(kXxhAvx2, data, cut), expected);
    }
#endif
  }
}

TEST(Xxh, seed_and_order_matter) {
  EXPECT_NE(xxh3_64(as_bytes("a"), 1), xxh3_64(as_bytes("a"), 2));
  EXPECT_NE(xxh3_64({as_bytes("a"), as_bytes("b")}), xxh3_64({as_bytes("b"), as_bytes("a")}));
  EXPECT_EQ(xxh3_64(std::span<const ConstBytes>{}, 7), xxh3_64(ConstBytes{}, 7));
}

}  // namespace
}  // namespace outcrop::digest
