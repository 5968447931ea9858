// Drives that fail one after the other while the store starts, as when the power goes then. A start
// that cannot ask enough of them decides nothing for good: the next one, with all drives, has
// everything that was acknowledged.
#include <cstdio>

#include "tests/fault/fault_rig.h"

namespace outcrop::test {
namespace {

constexpr unsigned kDrives = 5, kParity = 2;

/// A box whose power went when all of this was acknowledged and nothing of it was flushed.
struct Cut {
  io::SimWorld world = world_with_bucket(kDrives, kParity, 1);
  Expected expected;
};

Cut cut_after_writes() {
  Cut out;
  {
    SimEngine engine(out.world, 1);
    EXPECT_TRUE(engine.open());
    Client client(engine, out.expected);
    client.put("large", pattern(1, 300'000));  // the small ones go to other drives than the mirrors
    for (unsigned i = 0; i < 4; ++i) {
      client.put("small" + std::to_string(i), pattern(10 + i, 2'000 + i * 5'000));
    }
    client.remove("small0");
    client.put("small1", pattern(20, 3'000));
    out.world.crash_now();
  }
  out.world.reboot(1);
  return out;
}

/// A start during which these drives fail for good, each at its nth call. True if one of them did.
bool start_that_fails(io::SimWorld& world, unsigned failing, unsigned nth) {
  for (unsigned drive = 0; drive < kDrives; ++drive) {
    if (((failing >> drive) & 1) != 0) {
      world.add_error({.drive = drive, .skip = nth});
    }
  }
  SimEngine engine(world, nth + 2);
  const bool opened = engine.open().has_value();
  const auto live = opened ? engine.engine().stats().drives : std::vector<engine::DriveStatus>();
  const bool all = opened && std::ranges::all_of(live, &engine::DriveStatus::live);
  world.crash_now();
  return !all;
}

TEST(FailingStart, DecidesNothingForGood) {
  const Cut cut = cut_after_writes();
  unsigned starts = 0;
  for (unsigned failing = 1; failing < 1U << kDrives; ++failing) {
    if (std::popcount(failing) <= static_cast<int>(kParity)) {
      continue;
    }
    const auto stride = static_cast<unsigned>(fault_stride(3));
    unsigned unhurt = 0;  // in a row: the rest of the calls come after the start
    for (unsigned nth = failing % stride; unhurt < 3; nth += stride) {
      io::SimWorld world = cut.world.clone(nth + 1);
      unhurt = start_that_fails(world, failing, nth) ? 0 : unhurt + 1;
      world.clear_errors();
      world.reboot(nth + 3);
      ASSERT_EQ(judge_world(world, cut.expected, nth), "")
          << "drives " << failing << " failed from call " << nth << " on";
      ++starts;
    }
  }
  EXPECT_GT(starts, 100U);
  std::printf("failing starts: %u cases\n", starts);
}

}  // namespace
}  // namespace outcrop::test
