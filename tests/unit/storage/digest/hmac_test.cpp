// HMAC-SHA-256 against RFC 4231 and OpenSSL.
#include "storage/digest/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "storage/digest/text.h"
#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

TEST(Hmac, rfc4231) {
  const std::string key1(20, '\x0b');
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(key1), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string key6(131, '\xaa');
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(key6),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, agrees_with_openssl_for_random_keys_and_messages) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    const ByteVector key = random_bytes(random() % 150, random);
    const ByteVector message = random_bytes(random() % 700, random);
    Sha256Value expected;
    unsigned size = 0;
    // OpenSSL takes a null key as "the previous one".
    const void* const key_data = key.empty() ? static_cast<const void*>("") : key.data();
    HMAC(EVP_sha256(), key_data, static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
         reinterpret_cast<unsigned char*>(expected.data()), &size);
    const HmacKey prepared(key);
    ASSERT_EQ(prepared.sign(message), expected);
    const std::size_t cut = message.size() / 3;
    const ConstBytes all(message);
    ASSERT_EQ(prepared.sign({all.first(cut), all.subspan(cut)}), expected);
  }
}

TEST(Hmac, sha256_of_parts) {
  EXPECT_EQ(to_hex(sha256(ConstBytes{})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256({as_bytes("ab"), as_bytes("c")}), sha256(as_bytes("abc")));
}

TEST(Hmac, constant_time_equality) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("same"), as_bytes("same")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("samf")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sam")));
}

}  // namespace
}  // namespace outcrop::digest
