// Envelopes: what goes in comes out, under the right key only, and what is altered does not open.
#include "auth/keys/envelope.h"

#include <gtest/gtest.h>

#include "storage/digest/text.h"

namespace outcrop::keys {
namespace {

identity::SealKey key(std::uint8_t first) {
  identity::SealKey out{};
  out[0] = first;
  return out;
}

const std::vector<EnvelopeHead>& heads() {
  static const std::vector<EnvelopeHead> all{
      {.mode = Mode::managed},
      {.mode = Mode::kms, .key_id = "testkey-1"},
      {.mode = Mode::kms,
       .key_id = std::string(kMaxKeyId, 'k'),
       .by_arn = true,
       .bucket_key = true,
       .context = std::string(kMaxContextBytes, 'c')},
      {.mode = Mode::customer, .key_md5 = std::string(kKeyMd5Bytes, '\x7f')},
  };
  return all;
}

class EnvelopeTest : public ::testing::Test {
 protected:
  SeededRandom random{1};
  const ns::DataKey data_key = ns::DataKey::make(random);
};

TEST_F(EnvelopeTest, OpensWithItsKeyAlone) {
  for (const EnvelopeHead& head : heads()) {
    const std::string text = make_envelope(head, key(1), data_key, random);
    const auto decoded = decode_envelope(text);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->head, head);
    EXPECT_EQ(open_envelope(*decoded, key(1)).value(), data_key);
    EXPECT_EQ(open_envelope(*decoded, key(2)).error().code(), Errc::corrupt);
    EXPECT_EQ(text.find(as_text(data_key.bytes())), text.npos);
  }
}

TEST_F(EnvelopeTest, EveryByteIsAuthenticatedOrRefused) {
  for (const EnvelopeHead& head : heads()) {
    const std::string text = make_envelope(head, key(1), data_key, random);
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string altered = text;
      altered[i] = static_cast<char>(altered[i] ^ 1);
      const auto decoded = decode_envelope(altered);
      EXPECT_FALSE(decoded && open_envelope(*decoded, key(1))) << i;
    }
    for (const std::string& wrong : {text + "x", text.substr(0, text.size() - 1), std::string()}) {
      EXPECT_EQ(decode_envelope(wrong).error().code(), Errc::corrupt);
    }
  }
}

TEST_F(EnvelopeTest, LimitsAreThoseOfTheRecord) {
  // A head that make_envelope() would not take, in the bytes that it would have had.
  const auto kms = [](std::size_t id, std::size_t context) {
    std::string text{1, 2, 0};
    for (const std::size_t n : {id, context}) {
      text.push_back(static_cast<char>((n & 0x7f) | 0x80));
      text.push_back(static_cast<char>(n >> 7));
      text.append(n, 'k');
    }
    return text + std::string(61, '\x01');
  };
  EXPECT_TRUE(decode_envelope(kms(kMaxKeyId, kMaxContextBytes)));
  EXPECT_FALSE(decode_envelope(kms(kMaxKeyId + 1, kMaxContextBytes)));
  EXPECT_FALSE(decode_envelope(kms(kMaxKeyId, kMaxContextBytes + 1)));
  for (const std::uint8_t mode : {0, 4, 255}) {
    std::string text = make_envelope({.mode = Mode::managed}, key(1), data_key, random);
    text[1] = static_cast<char>(mode);
    EXPECT_FALSE(decode_envelope(text));
  }
}

TEST_F(EnvelopeTest, HiddenMd5) {
  const ns::DataKey other = ns::DataKey::make(random);
  const std::string md5 = "9e107d9d372bb6826bd81d3542a419d6";
  const std::string hidden = hidden_md5(data_key, md5);
  EXPECT_EQ(hidden.size(), md5.size());
  EXPECT_EQ(hidden.find_first_not_of("0123456789abcdef"), hidden.npos);
  EXPECT_NE(hidden, md5);
  EXPECT_EQ(hidden, hidden_md5(data_key, md5));
  EXPECT_NE(hidden, hidden_md5(other, md5));
  EXPECT_NE(hidden, hidden_md5(data_key, std::string(32, '0')));
}

TEST(KeyId, IsANameOrUuid) {
  for (const char* good : {"testkey-1", "0f8fad5b-d9cb-469f-a165-70867728950e", "a/b_c-D", "k"}) {
    EXPECT_TRUE(is_key_id(good)) << good;
  }
  EXPECT_TRUE(is_key_id(std::string(kMaxKeyId, 'k')));
  EXPECT_FALSE(is_key_id(std::string(kMaxKeyId + 1, 'k')));
  for (const char* bad : {"", "a b", "a:b", "alias/aws/s3", "k\n", "k\xc3\xa4"}) {
    EXPECT_FALSE(is_key_id(bad)) << bad;
  }
}

/// The value is OpenSSL's: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt info:x
/// -kdfopt hexkey:0b0b...(32 bytes) HKDF.
TEST(DeriveKey, IsHkdf) {
  identity::SealKey input;
  input.fill(0x0b);
  const identity::SealKey out = derive_key(input, "x");
  EXPECT_EQ(digest::to_hex(std::as_bytes(std::span(out))),
            "a9248a82a9dd2200d81e142d2a6a68bdb11371077ea0d6b78c98e457053f2662");
  EXPECT_NE(derive_key(input, "x"), derive_key(input, "y"));
}

}  // namespace
}  // namespace outcrop::keys
