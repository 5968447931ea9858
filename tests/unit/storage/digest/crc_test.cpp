// CRCs: published check values, every kernel against a bit-by-bit reference, splits and combine.
#include "storage/digest/crc.h"

#include "storage/digest/cpu_features.h"
#include "storage/digest/crc64_kernels.h"
#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

template <class U>
U slow_crc(U poly, ConstBytes data) {
  U crc = ~U{0};
  for (const std::byte b : data) {
    crc ^= static_cast<U>(b);
    for (int i = 0; i < 8; ++i) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ poly : crc >> 1;
    }
  }
  return ~crc;
}

const ConstBytes kCheck = as_bytes("123456789");

TEST(Crc, check_values) {
  EXPECT_EQ(crc32(0, kCheck), 0xcbf43926U);
  EXPECT_EQ(crc32c(0, kCheck), 0xe3069283U);
  EXPECT_EQ(crc64nvme(0, kCheck), 0xae8b14860a799888ULL);
  EXPECT_EQ(crc32(0, {}), 0U);
  EXPECT_EQ(crc32c(0, {}), 0U);
  EXPECT_EQ(crc64nvme(0, {}), 0U);
}

TEST(Crc, against_the_bitwise_definition_in_random_pieces) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 60; ++round) {
    const ByteVector data = random_bytes(random() % (round < 40 ? 2000 : 300'000), random);
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint64_t c = 0;
    random_pieces(data, random, [&](ConstBytes piece) {
      a = crc32(a, piece);
      b = crc32c(b, piece);
      c = crc64nvme(c, piece);
    });
    ASSERT_EQ(a, slow_crc<std::uint32_t>(0xEDB88320, data));
    ASSERT_EQ(b, slow_crc<std::uint32_t>(0x82F63B78, data));
    ASSERT_EQ(c, slow_crc<std::uint64_t>(kCrc64Poly, data));
  }
}

TEST(Crc, every_crc64_kernel_at_every_length_and_alignment) {
  std::mt19937_64 random(2);
  const ByteVector data = random_bytes(4096, random);
  std::vector<Crc64Kernel> kernels{crc64_portable};
#if defined(__x86_64__)
  if (cpu_features().pclmul) {
    kernels.push_back(crc64_pclmul);
  }
  if (cpu_features().vpclmul) {
    kernels.push_back(crc64_vpclmul);
  }
#endif
  for (std::size_t length = 0; length < 1500; ++length) {
    const ConstBytes part = ConstBytes(data).subspan(random() % 65, length);
    const std::uint64_t expected = slow_crc<std::uint64_t>(kCrc64Poly, part);
    for (const Crc64Kernel kernel : kernels) {
      ASSERT_EQ(~kernel(~std::uint64_t{0}, part.data(), part.size()), expected) << length;
    }
  }
}

TEST(Crc, combine_is_the_crc_of_the_concatenation) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const ByteVector data = random_bytes(random() % 5000, random);
    const std::size_t cut = data.empty() ? 0 : random() % (data.size() + 1);
    const ConstBytes a = ConstBytes(data).first(cut);
    const ConstBytes b = ConstBytes(data).subspan(cut);
    ASSERT_EQ(crc32_combine(crc32(0, a), crc32(0, b), b.size()), crc32(0, data));
    ASSERT_EQ(crc32c_combine(crc32c(0, a), crc32c(0, b), b.size()), crc32c(0, data));
    ASSERT_EQ(crc64nvme_combine(crc64nvme(0, a), crc64nvme(0, b), b.size()), crc64nvme(0, data));
  }
}

TEST(Crc, combine_over_lengths_beyond_memory) {
  // Associative: (a b) c == a (b c), also for parts of terabytes.
  constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
  const std::uint64_t a = 0x0123456789abcdef;
  const std::uint64_t b = 0xfedcba9876543210;
  const std::uint64_t c = 0x5555aaaa5555aaaa;
  EXPECT_EQ(crc64nvme_combine(crc64nvme_combine(a, b, 5 * kTiB), c, kTiB + 1),
            crc64nvme_combine(a, crc64nvme_combine(b, c, kTiB + 1), 6 * kTiB + 1));
  EXPECT_EQ(crc32_combine(crc32_combine(1, 2, 5 * kTiB), 3, kTiB + 1),
            crc32_combine(1, crc32_combine(2, 3, kTiB + 1), 6 * kTiB + 1));
}

}  // namespace
}  // namespace outcrop::digest
