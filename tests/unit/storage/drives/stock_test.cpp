// Files that are made ahead of need: on which drives, how many, and how long it rests in between.
#include "storage/drives/stock.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/io/sim_disk.h"

namespace outcrop::drives {
namespace {

using std::chrono::milliseconds;

/// Files of two parts.
class Files final : public Stock {
 public:
  std::size_t wanted(const io::Space&) const override { return 3; }
  std::size_t count(Slot slot) const override { return parts[slot] / 2; }
  bool take_missed(Slot slot) override { return missed.erase(slot) != 0; }
  Result<bool> add_part(Slot slot, std::size_t wanted) override {
    ++asked;
    std::this_thread::sleep_for(work);  // time is the input: pauses are as long
    if (failing == slot) {
      return fail(error);
    }
    if (count(slot) >= wanted) {
      return false;
    }
    ++parts[slot];
    return true;
  }
  mutable std::map<Slot, std::size_t> parts;
  std::set<Slot> missed;
  std::optional<Slot> failing;
  std::size_t asked = 0;
  Errc error = Errc::io_error;
  milliseconds work{0};
};

class Filler : public ::testing::Test {
 protected:
  Filler() {
    SeededRandom random(1);
    EXPECT_TRUE(DriveSet::format(world.open_disks(), 1, random));
    set = *DriveSet::open(world.open_disks());
    filler.emplace(io.get_executor(), pool, *set, files);
  }
  void fill() {
    filler->look();
    ASSERT_TRUE(run_on(io, filler->rest()));
  }

  io::SimWorld world{4, 1};
  std::unique_ptr<DriveSet> set;
  asio::io_context io;
  BlockingPool pool{0};
  Files files;
  std::optional<StockFiller> filler;
};

TEST(Pause, IsTheLongerTheMoreIsThere) {
  EXPECT_EQ(pause_after(milliseconds(8), 0, 4), milliseconds(8));
  EXPECT_EQ(pause_after(milliseconds(8), 2, 4), milliseconds(20));
  EXPECT_EQ(pause_after(milliseconds(8), 4, 4), milliseconds(32));
  EXPECT_EQ(pause_after(milliseconds(8), 9, 4), milliseconds(32)) << "not longer still";
  EXPECT_EQ(pause_after(milliseconds(8), 0, 0), milliseconds(8));
  EXPECT_EQ(pause_after(std::chrono::seconds(3), 4, 4), milliseconds(200));
}

TEST_F(Filler, EachDriveGetsWhatItLacks) {
  files.parts[1] = 5;
  fill();
  for (const Slot slot : {0, 1, 2, 3}) {
    EXPECT_EQ(files.count(slot), 3U) << slot;
  }
  files.parts[2] -= 2;
  fill();
  EXPECT_EQ(files.count(2), 3U);
}

TEST_F(Filler, DrivesThatTakeNothingNewGetNothing) {
  ASSERT_TRUE(set->set_draining(3, true));
  ASSERT_TRUE(set->eject(2, Error(Errc::io_error, "pulled")));
  fill();
  EXPECT_EQ(files.count(0), 3U);
  EXPECT_EQ(files.parts[2], 0U);
  EXPECT_EQ(files.parts[3], 0U);
}

TEST_F(Filler, ADriveThatFailsIsOutAndTheOthersGoOn) {
  files.failing = 1;
  fill();
  EXPECT_FALSE(set->live(1));
  EXPECT_EQ(files.count(0), 3U);
  EXPECT_EQ(files.count(3), 3U);
}

TEST_F(Filler, WantOfDescriptorsIsNotTheDrives) {
  files.failing = 1;
  files.error = Errc::no_space;
  fill();
  EXPECT_TRUE(set->live(1));
  files.failing.reset();
  const std::size_t asked = files.asked;
  fill();
  EXPECT_EQ(files.asked, asked) << "not at once";
  std::this_thread::sleep_for(milliseconds(1100));  // time is the input: when it is tried again
  fill();
  EXPECT_EQ(files.count(1), 3U) << "tried again";
}

TEST_F(Filler, TheNextOfWhatWasMissedIsMadeWithoutPauses) {
  for (const Slot slot : {1, 2, 3}) {
    files.parts[slot] = 6;
  }
  files.missed.insert(0);
  files.work = milliseconds(50);
  filler->look();
  io.poll();
  EXPECT_EQ(files.count(0), 1U) << "with the pauses it is not whole yet";
  EXPECT_FALSE(files.missed.contains(0));
  io.restart();
  ASSERT_TRUE(run_on(io, filler->rest()));
  EXPECT_EQ(files.count(0), 3U);
}

TEST_F(Filler, NothingBeginsOnceItIsStopped) {
  ASSERT_TRUE(run_on(io, filler->stop()));
  fill();
  EXPECT_TRUE(files.parts.empty());
}

}  // namespace
}  // namespace outcrop::drives
