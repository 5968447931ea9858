// How much of a drive is kept for metadata.
#include <gtest/gtest.h>

#include "storage/segment/spare_pool.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kMib = 1 << 20, kGib = 1 << 30;

TEST(MetadataShare, ByTheSizeOfTheDrive) {
  EXPECT_EQ(metadata_share(56 * kMib), 14 * kMib);
  EXPECT_EQ(metadata_share(1 * kGib), 256 * kMib);
  EXPECT_EQ(metadata_share(64 * kGib), 2 * kGib);
  EXPECT_EQ(metadata_share(1024 * kGib), 8 * kGib);
}

// Else nothing that was deleted is ever won back: the index cannot be written anew.
TEST(MetadataShare, ASmallDriveKeepsRoomForAnotherCopyOfItsIndex) {
  for (std::uint64_t index = 0; index < 30 * kMib; index += kMib) {
    EXPECT_GT(metadata_least_free(56 * kMib, index), index);
    EXPECT_GE(metadata_least_free(56 * kMib, index), metadata_share(56 * kMib) / 2);
  }
  EXPECT_EQ(metadata_least_free(64 * kGib, 5 * kGib), 1 * kGib) << "the share bounds it";
}

}  // namespace
}  // namespace outcrop::segment
