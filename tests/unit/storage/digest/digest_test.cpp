// Digest against OpenSSL's EVP, and the names of algorithms.
#include "storage/digest/digest.h"

#include <openssl/evp.h>

#include "storage/digest/text.h"
#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

constexpr std::array kAll{Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme,
                          Algorithm::sha1,  Algorithm::sha256, Algorithm::md5};

std::string evp(const EVP_MD* type, ConstBytes data) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out.data()), &size, type,
             nullptr);
  out.resize(size);
  return out;
}

TEST(Digest, hashes_agree_with_evp_in_random_pieces) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    const ByteVector data = random_bytes(random() % (round < 150 ? 300 : 300'000), random);
    Digest sha1(Algorithm::sha1);
    Digest sha256(Algorithm::sha256);
    Digest md5(Algorithm::md5);
    random_pieces(data, random, [&](ConstBytes piece) {
      sha1.update(piece);
      sha256.update(piece);
      md5.update(piece);
    });
    ASSERT_EQ(sha1.value(), evp(EVP_sha1(), data));
    ASSERT_EQ(sha256.value(), evp(EVP_sha256(), data));
    ASSERT_EQ(md5.value(), evp(EVP_md5(), data));
  }
}

TEST(Digest, crc_values_are_big_endian) {
  const ConstBytes check = as_bytes("123456789");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc32, check))), "cbf43926");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc32c, check))), "e3069283");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc64nvme, check))), "ae8b14860a799888");
  EXPECT_EQ(Digest::of(Algorithm::none, check), "");
}

TEST(Digest, value_does_not_end_the_stream_and_copies_fork_it) {
  for (const Algorithm algorithm : kAll) {
    Digest digest(algorithm);
    digest.update(as_bytes("one "));
    Digest fork = digest;
    EXPECT_EQ(digest.value(), Digest::of(algorithm, as_bytes("one ")));
    digest.update(as_bytes("two"));
    fork.update(as_bytes("three"));
    EXPECT_EQ(digest.value(), Digest::of(algorithm, as_bytes("one two")));
    EXPECT_EQ(fork.value(), Digest::of(algorithm, as_bytes("one three")));
    EXPECT_EQ(digest.value().size(), size_of(algorithm));
  }
}

TEST(Digest, combine_crcs_and_refuse_the_rest) {
  for (const Algorithm algorithm : {Algorithm::crc32, Algorithm::crc32c, Algorithm::crc64nvme}) {
    const auto both = combine(algorithm, Digest::of(algorithm, as_bytes("hello ")),
                              Digest::of(algorithm, as_bytes("world")), 5);
    ASSERT_TRUE(both.has_value());
    EXPECT_EQ(*both, Digest::of(algorithm, as_bytes("hello world")));
    EXPECT_FALSE(combine(algorithm, "abc", "abcd", 1).has_value());
  }
  const std::string sha = Digest::of(Algorithm::sha256, {});
  EXPECT_FALSE(combine(Algorithm::sha256, sha, sha, 1).has_value());
}

TEST(Digest, names_parse_back_in_any_case) {
  for (const Algorithm algorithm : kAll) {
    EXPECT_EQ(parse_name(name(algorithm)), algorithm);
    EXPECT_EQ(parse_header_name(header_name(algorithm)), algorithm);
  }
  EXPECT_EQ(name(Algorithm::crc64nvme), "CRC64NVME");
  EXPECT_EQ(header_name(Algorithm::sha256), "x-amz-checksum-sha256");
  EXPECT_EQ(parse_name("crc32c"), Algorithm::crc32c);
  EXPECT_EQ(parse_header_name("X-Amz-Checksum-Crc32"), Algorithm::crc32);
  EXPECT_EQ(parse_name(""), std::nullopt);
  EXPECT_EQ(parse_name("SHA512"), std::nullopt);
  EXPECT_EQ(parse_header_name("x-amz-checksum-type"), std::nullopt);
}

}  // namespace
}  // namespace outcrop::digest
