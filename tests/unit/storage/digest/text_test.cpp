// Hex and base64: round trips, RFC 4648 vectors, and everything a strict decoder refuses.
#include "storage/digest/text.h"

#include "tests/unit/storage/digest/random_bytes.h"

namespace outcrop::digest {
namespace {

TEST(Text, base64_vectors) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    const auto back = from_base64(coded);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, plain);
  }
}

TEST(Text, base64_refuses_what_it_would_not_write) {
  for (const std::string_view bad : {"Z",      "Zg",   "Zg=",      "Zg===",   "=",
                                     "==",     "====", "Zh==",     "Zm9=",    "Zm9v=",
                                     "Zm9vZg", "Z m=", "Zm8=\n",   " Zm8=",   "Zm8-",
                                     "Zm8_",   "Z===", "Zg==Zg==", "Zm\x80v", "Z=g="}) {
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
  }
  EXPECT_FALSE(from_base64(std::string_view("Zm\0v", 4)).has_value());
}

TEST(Text, random_round_trips) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    const ByteVector data = random_bytes(random() % 100, random);
    const auto base64 = from_base64(to_base64(data));
    ASSERT_TRUE(base64.has_value());
    EXPECT_EQ(*base64, as_text(data));
    const auto hex = from_hex(to_hex(data));
    ASSERT_TRUE(hex.has_value());
    EXPECT_EQ(*hex, as_text(data));
  }
}

TEST(Text, hex) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xab\xff")), "01abff");
  EXPECT_EQ(from_hex("01aBFf").value(), "\x01\xab\xff");
  EXPECT_FALSE(from_hex("0").has_value());
  EXPECT_FALSE(from_hex("0g").has_value());
  EXPECT_FALSE(from_hex("0x").has_value());
}

}  // namespace
}  // namespace outcrop::digest
