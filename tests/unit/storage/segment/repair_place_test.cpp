// Where repair puts shards when drives are full.
#include "storage/segment/allocator.h"
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

constexpr std::uint64_t kTotal = 64 << 20;

/// A closed segment over drives 0 to 2, and drive 3 for what drains from 0.
class RepairPlace : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string content = pattern(1, 700'000);
    x_all.push_back({*x_p->put_large(content, 1, content.size()), content});
    x_p->seal();
    repair(*x_p);
    ASSERT_EQ(join_new(*x_p, x_world), 3U);
    ASSERT_TRUE(x_p->drives->set_draining(0, true));
  }
  /// This many shard files fit on drive 3, with those that are there as spares.
  void set_room(std::uint64_t files) {
    x_world.set_space(
        3, {.total_bytes = kTotal, .free_bytes = metadata_share(kTotal) + files * kTestShardBytes});
  }
  std::size_t count(std::string_view dir) { return x_p->drives->disk(3)->list(dir)->size(); }
  void expect_moved() {
    EXPECT_EQ(repair(*x_p).whole, 1U);
    EXPECT_EQ(x_p->store->survey().slots.at(3).shards, 1U);
    ASSERT_TRUE(x_p->close());
    x_p.reset();
    expect_any_drive_may_go(x_world, x_all);
  }

  io::SimWorld x_world = formatted_world(3, 1);
  std::unique_ptr<Process> x_p = std::make_unique<Process>(x_world);
  std::vector<Stored> x_all;
};

// A drive that has no room for what compaction moves can never win room again.
TEST_F(RepairPlace, WhatIsKeptForCompactionIsLeftAlone) {
  set_room(kKeptShards);
  EXPECT_EQ(repair(*x_p).blocked, 1U);
  EXPECT_EQ(count("segments"), 0U);
  EXPECT_FALSE(x_p->store->survey().slots.contains(3));
  set_room(kKeptShards + 1);
  expect_moved();
}

TEST_F(RepairPlace, AFileThatCannotBeOpenedIsASpareAgain) {
  set_room(kKeptShards + 1);
  x_world.add_error({.drive = 3,
                     .step = io::SimStep::read,
                     .path_part = "segments/",
                     .error = Errc::no_space});  // out of descriptors
  EXPECT_EQ(repair(*x_p).blocked, 1U);
  EXPECT_EQ(count("segments"), 0U);
  EXPECT_EQ(count("spare"), 1U);
  x_world.clear_errors();
  expect_moved();
}

}  // namespace
}  // namespace outcrop::segment
