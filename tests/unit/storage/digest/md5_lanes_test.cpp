// Every MD5 kernel against OpenSSL, with any number of lanes of any lengths.
#include "storage/digest/md5_lanes.h"

#include <openssl/evp.h>

#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

Md5Value evp_md5(ConstBytes data) {
  Md5Value out;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             EVP_md5(), nullptr);
  return out;
}

class Md5Lanes : public ::testing::TestWithParam<Md5Kernel> {
 protected:
  void SetUp() override {
    if (!md5_kernel_supported(GetParam())) {
      GTEST_SKIP() << "this processor lacks it";
    }
  }
};

TEST_P(Md5Lanes, any_number_of_lanes_of_one_length) {
  std::mt19937_64 random(1);
  for (std::size_t lanes = 1; lanes <= 70; ++lanes) {
    const std::size_t size = 64 * (random() % 20);
    std::vector<ByteVector> data;
    std::vector<Md5State> states(lanes);
    std::vector<Md5Lane> work;
    for (std::size_t i = 0; i < lanes; ++i) {
      data.push_back(random_bytes(size, random));
      work.push_back({&states[i], data.back()});
    }
    md5_update_lanes(work, GetParam());
    for (std::size_t i = 0; i < lanes; ++i) {
      ASSERT_EQ(md5_value(states[i]), evp_md5(data[i])) << lanes << " lanes, lane " << i;
    }
  }
}

TEST_P(Md5Lanes, random_streams_in_random_pieces) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 40; ++round) {
    const std::size_t lanes = 1 + random() % 40;
    std::vector<ByteVector> data;
    std::vector<ConstBytes> left;
    std::vector<Md5State> states(lanes);
    for (std::size_t i = 0; i < lanes; ++i) {
      data.push_back(random_bytes(random() % (round % 8 == 0 ? 300'000 : 3000), random));
      left.emplace_back(data.back());
    }
    // std::vector of vectors keeps the bytes where they are when it grows.
    while (std::ranges::any_of(left, [](ConstBytes l) { return !l.empty(); })) {
      std::vector<Md5Lane> work;
      for (std::size_t i = 0; i < lanes; ++i) {
        const std::size_t n =
            std::min<std::size_t>(left[i].size(), random() % 100'000 >> random() % 12);
        work.push_back({&states[i], left[i].first(n)});
        left[i] = left[i].subspan(n);
      }
      md5_update_lanes(work, GetParam());
    }
    for (std::size_t i = 0; i < lanes; ++i) {
      ASSERT_EQ(states[i].length, data[i].size());
      ASSERT_EQ(md5_value(states[i]), evp_md5(data[i])) << "lane " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels,
                         Md5Lanes,
                         ::testing::Values(Md5Kernel::scalar,
                                           Md5Kernel::interleaved,
                                           Md5Kernel::avx2,
                                           Md5Kernel::avx512));

TEST(Md5, scalar_at_every_length) {
  std::mt19937_64 random(3);
  const ByteVector data = random_bytes(400, random);
  for (std::size_t size = 0; size <= data.size(); ++size) {
    const ConstBytes all = ConstBytes(data).first(size);
    Md5State state;
    const std::size_t cut = size == 0 ? 0 : random() % size;
    md5_update(state, all.first(cut));
    md5_update(state, all.subspan(cut));
    ASSERT_EQ(md5_value(state), evp_md5(all)) << size;
  }
}

TEST(Md5, lengths_beyond_32_bits_of_bits) {
  // 2^29 bytes are 2^32 bits: the upper half of the length comes into play.
  Md5State state;
  const ByteVector zeros((std::size_t{1} << 20) + 1);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr);
  for (int i = 0; i < 513; ++i) {
    md5_update(state, zeros);
    EVP_DigestUpdate(context.get(), zeros.data(), zeros.size());
  }
  Md5Value expected;
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(expected.data()), nullptr);
  EXPECT_EQ(md5_value(state), expected);
}

}  // namespace
}  // namespace outcrop::digest
