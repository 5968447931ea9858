#include "storage/base/size_text.h"

#include <gtest/gtest.h>

namespace outcrop {
namespace {

TEST(SizeText, IsInTheUnitThatGivesTheFewestDigits) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(std::uint64_t{3} << 40), "3.0 TiB");
  EXPECT_EQ(size_text(UINT64_MAX), "16384.0 PiB") << "there is no larger unit";
}

}  // namespace
}  // namespace outcrop
