// How soon a server may end for a new start.
#include "server/start_anew.h"

#include <gtest/gtest.h>

#include <fstream>

#include "server/private_file.h"

namespace outcrop::server {
namespace {

using std::chrono::seconds;

TEST(StartAnew, EachOneThatDidNotHelpDoublesTheWait) {
  EXPECT_EQ(least_uptime(std::vector<std::int64_t>{}, 100'000), kLeastUptime);
  EXPECT_EQ(least_uptime({99'000}, 100'000), 2 * kLeastUptime);
  EXPECT_EQ(least_uptime({97'000, 98'000, 99'000}, 100'000), 8 * kLeastUptime);
  EXPECT_EQ(least_uptime(std::vector<std::int64_t>(60, 99'000), 100'000), kMostLeastUptime);
}

TEST(StartAnew, WhatIsLongAgoDoesNotCount) {
  EXPECT_EQ(least_uptime({99'000}, 99'000 + kNewStartsWithin.count()), kLeastUptime);
  EXPECT_EQ(least_uptime({99'000}, 98'000), 2 * kLeastUptime) << "a clock that went back";
  EXPECT_EQ(least_uptime({99'000}, 0), kLeastUptime) << "a clock that lost all";
}

class StartAnewRecord : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "start-anew-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  std::filesystem::path dir;
};

TEST_F(StartAnewRecord, IsKeptAndBounded) {
  EXPECT_EQ(least_uptime(dir, 1000), kLeastUptime);
  note_new_start(dir, 1000);
  note_new_start(dir, 1001);
  EXPECT_EQ(least_uptime(dir, 1002), 4 * kLeastUptime);
  for (int i = 0; i < 100; ++i) {
    note_new_start(dir, 1002 + i);
  }
  EXPECT_LT(std::filesystem::file_size(dir / "new-starts"), 200U);
  EXPECT_EQ(least_uptime(dir, 1102), kMostLeastUptime);
}

TEST_F(StartAnewRecord, DamagedLinesCountForNothing) {
  ASSERT_TRUE(
      write_private_file(dir / "new-starts", "x\n\n1000\n99999999999999999999999\n1001 y\n100"));
  EXPECT_EQ(least_uptime(dir, 1002), 8 * kLeastUptime) << "1000, 1001 and 100";
  ASSERT_TRUE(write_private_file(dir / "new-starts", std::string(100'000, '1')));
  EXPECT_EQ(least_uptime(dir, 1002), kLeastUptime) << "too large to be ours";
}

}  // namespace
}  // namespace outcrop::server
