// Sealed secrets open with their key under their name only.
#include "auth/identity/seal.h"

#include <gtest/gtest.h>

namespace outcrop::identity {
namespace {

SealKey key(std::uint8_t first) {
  SealKey out{};
  out[0] = first;
  return out;
}

TEST(Seal, OpensWithItsKeyUnderItsName) {
  SeededRandom random(1);
  for (const std::string& secret : {std::string(), std::string("s"), std::string(200, 'x')}) {
    const std::string sealed = seal(key(1), "AKIA1", secret, random);
    EXPECT_EQ(sealed.find("xxxx"), std::string::npos);
    EXPECT_EQ(unseal(key(1), "AKIA1", sealed).value(), secret);
    EXPECT_EQ(unseal(key(2), "AKIA1", sealed).error().code(), Errc::corrupt);
    EXPECT_EQ(unseal(key(1), "AKIA2", sealed).error().code(), Errc::corrupt);
  }
}

TEST(Seal, EveryBitCounts) {
  SeededRandom random(2);
  const std::string sealed = seal(key(1), "n", "secret", random);
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(unseal(key(1), "n", changed)) << i;
    EXPECT_FALSE(unseal(key(1), "n", sealed.substr(0, i))) << i;
  }
}

TEST(Seal, TheSameSecretLooksDifferentEachTime) {
  SeededRandom random(3);
  EXPECT_NE(seal(key(1), "n", "secret", random), seal(key(1), "n", "secret", random));
}

}  // namespace
}  // namespace outcrop::identity
