// Digest against OpenSSL's EVP, and the names of algorithms.
#include "storage/digest/digest.h"

#include <openssl/evp.h>

#include "storage/digest/text.h"
#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

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
    Digest sha512(Algorithm::sha512);
    Digest md5(Algorithm::md5);
    random_pieces(data, random, [&](ConstBytes piece) {
      sha1.update(piece);
      sha256.update(piece);
      sha512.update(piece);
      md5.update(piece);
    });
    ASSERT_EQ(sha1.value(), evp(EVP_sha1(), data));
    ASSERT_EQ(sha256.value(), evp(EVP_sha256(), data));
    ASSERT_EQ(sha512.value(), evp(EVP_sha512(), data));
    ASSERT_EQ(md5.value(), evp(EVP_md5(), data));
  }
}

// bytes(i * 7 % 251 for i in range(size)) of Python.
ByteVector pattern(std::size_t size) {
  ByteVector out(size);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<std::byte>(i * 7 % 251);
  }
  return out;
}

struct Vector {
  std::size_t size;
  std::string_view xxhash64, xxhash3, xxhash128;
};
// From the package xxhash of Python: xxh64, xxh3_64, xxh3_128, hexdigest() of each.
constexpr std::array kVectors{
    Vector{0, "ef46db3751d8e999", "2d06800538d394c2", "99aa06d3014798d86001c324468d497f"},
    Vector{1000, "023fd2ed1ff957d5", "d1eb8367bf3294e7", "5ed35fc6b4f0ef20d1eb8367bf3294e7"},
    Vector{100'000, "38257cc2053a1729", "17a701075a95b432", "70227b16fd5f74ef17a701075a95b432"}};

TEST(Digest, xxhash_values_are_big_endian_and_do_not_depend_on_the_pieces) {
  std::mt19937_64 random(1);
  for (const Vector& vector : kVectors) {
    const ByteVector data = pattern(vector.size);
    for (int round = 0; round < 20; ++round) {
      Digest xxhash64(Algorithm::xxhash64);
      Digest xxhash3(Algorithm::xxhash3);
      Digest xxhash128(Algorithm::xxhash128);
      random_pieces(data, random, [&](ConstBytes piece) {
        xxhash64.update(piece);
        xxhash3.update(piece);
        xxhash128.update(piece);
      });
      ASSERT_EQ(to_hex(as_bytes(xxhash64.value())), vector.xxhash64);
      ASSERT_EQ(to_hex(as_bytes(xxhash3.value())), vector.xxhash3);
      ASSERT_EQ(to_hex(as_bytes(xxhash128.value())), vector.xxhash128);
    }
  }
}

TEST(Digest, sha512_of_the_check_string) {
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::sha512, as_bytes("123456789")))),
            "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a"
            "d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85");
}

TEST(Digest, crc_values_are_big_endian) {
  const ConstBytes check = as_bytes("123456789");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc32, check))), "cbf43926");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc32c, check))), "e3069283");
  EXPECT_EQ(to_hex(as_bytes(Digest::of(Algorithm::crc64nvme, check))), "ae8b14860a799888");
  EXPECT_EQ(Digest::of(Algorithm::none, check), "");
}

TEST(Digest, value_does_not_end_the_stream_and_copies_fork_it) {
  for (const Algorithm algorithm : kAlgorithms) {
    Digest digest(algorithm);
    digest.update(as_bytes("one "));
    Digest fork = digest;
    EXPECT_EQ(digest.value(), Digest::of(algorithm, as_bytes("one ")));
    digest.update(as_bytes("two"));
    fork.update(as_bytes("three"));
    EXPECT_EQ(digest.value(), Digest::of(algorithm, as_bytes("one two")));
    EXPECT_EQ(fork.value(), Digest::of(algorithm, as_bytes("one three")));
    EXPECT_EQ(digest.value().size(), size_of(algorithm));
    fork = digest;
    const Digest moved = std::move(digest);
    EXPECT_EQ(moved.value(), fork.value());
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
  for (const Algorithm algorithm :
       {Algorithm::sha1, Algorithm::sha256, Algorithm::sha512, Algorithm::md5, Algorithm::xxhash64,
        Algorithm::xxhash3, Algorithm::xxhash128}) {
    const std::string sum = Digest::of(algorithm, {});
    EXPECT_FALSE(combine(algorithm, sum, sum, 1).has_value());
  }
}

TEST(Digest, names_parse_back_in_any_case) {
  for (const Algorithm algorithm : kAlgorithms) {
    EXPECT_EQ(parse_name(name(algorithm)), algorithm);
    EXPECT_EQ(parse_header_name(header_name(algorithm)), algorithm);
  }
  EXPECT_EQ(name(Algorithm::crc64nvme), "CRC64NVME");
  EXPECT_EQ(header_name(Algorithm::sha256), "x-amz-checksum-sha256");
  EXPECT_EQ(parse_name("crc32c"), Algorithm::crc32c);
  EXPECT_EQ(parse_header_name("X-Amz-Checksum-Crc32"), Algorithm::crc32);
  EXPECT_EQ(parse_name(""), std::nullopt);
  EXPECT_EQ(parse_name("SHA384"), std::nullopt);
  EXPECT_EQ(parse_header_name("x-amz-checksum-type"), std::nullopt);
}

}  // namespace
}  // namespace outcrop::digest
