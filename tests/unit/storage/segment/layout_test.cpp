// The layout of a segment when several change it at once, and drives that return while it is
// closed.
#include "storage/segment/repair.h"
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::segment {
namespace {

/// Calls something in the middle of each open().
class Interrupted final : public io::Disk {
 public:
  Interrupted(std::unique_ptr<io::Disk> inner, std::function<void()>& what)
      : x_inner(std::move(inner)), x_what(what) {}
  std::string_view name() const override { return x_inner->name(); }
  io::DiskStats& stats() override { return x_inner->stats(); }
  Result<std::unique_ptr<io::File>> open(std::string_view path,
                                         io::Access access,
                                         io::Cache cache) override {
    auto file = x_inner->open(path, access, cache);
    if (x_what) {
      x_what();
    }
    return file;
  }
  Result<void> prewrite(std::string_view path, std::uint64_t size) override {
    return x_inner->prewrite(path, size);
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    return x_inner->rename(from, to);
  }
  Result<void> remove(std::string_view path) override { return x_inner->remove(path); }
  Result<void> make_dir(std::string_view path) override { return x_inner->make_dir(path); }
  Result<void> remove_tree(std::string_view path) override { return x_inner->remove_tree(path); }
  Result<void> sync_dir(std::string_view path) override { return x_inner->sync_dir(path); }
  Result<std::vector<std::string>> list(std::string_view path) override {
    return x_inner->list(path);
  }
  Result<bool> exists(std::string_view path) override { return x_inner->exists(path); }
  Result<io::Space> space() override { return x_inner->space(); }
  Result<void> lock() override { return x_inner->lock(); }
  bool present() override { return x_inner->present(); }
  std::string native_path(std::string_view path) const override {
    return x_inner->native_path(path);
  }
  std::uint64_t filesystem_id() const override { return x_inner->filesystem_id(); }

 private:
  std::unique_ptr<io::Disk> x_inner;
  std::function<void()>& x_what;
};

SegmentRecord two_copies(SegmentId id) {
  SegmentRecord record;
  record.id = id;
  record.k = 1;
  record.m = 1;
  record.small = true;
  record.chunk_bytes = chunk_bytes_for(1);
  record.shard_bytes = kTestShardBytes;
  record.slots = {0, 1};
  return record;
}

// A reader opens the files on a thread of the pool while the segment is closed, or a shard moves.
TEST(Layout, OpeningTheShardsDoesNotUndoWhatChangesMeanwhile) {
  io::SimWorld world = formatted_world(3, 1);
  std::function<void()> meanwhile;
  std::vector<std::unique_ptr<io::Disk>> disks;
  for (auto& disk : world.open_disks()) {
    disks.push_back(std::make_unique<Interrupted>(std::move(disk), meanwhile));
  }
  const auto drives = *drives::DriveSet::open(std::move(disks));
  for (const drives::Slot slot : {0, 1}) {
    ASSERT_TRUE(drives->disk(slot)->prewrite(shard_path(9, slot), kTestShardBytes));
  }
  ASSERT_TRUE(drives->disk(2)->prewrite(shard_path(9, 1), kTestShardBytes));
  const std::shared_ptr<io::File> moved =
      *drives->disk(2)->open(shard_path(9, 1), io::Access::read_write, io::Cache::direct);

  Segment segment(two_copies(9), false);
  meanwhile = [&] {
    segment.update_layout([&moved](Layout& layout) {
      layout.holes = 0b01;
      layout.slots[1] = 2;
      layout.files[1] = moved;
    });
  };
  ASSERT_TRUE(segment.open_shards(*drives));
  const LayoutPtr layout = segment.layout();
  EXPECT_EQ(layout->holes, 0b01U);
  EXPECT_EQ(layout->slots, (std::vector<drives::Slot>{0, 2}));
  EXPECT_TRUE(layout->files[0]);
  EXPECT_EQ(layout->files[1], moved);
}

// Garbage collection looks at a segment when the others are closed.
TEST(Layout, ADriveStaysReturningUntilAllThatItMissedIsOnRecord) {
  io::SimWorld world = formatted_world(3, 1);
  world.remove_drive(1);
  {
    Process p(world);
    ASSERT_TRUE(p.close());
  }
  world.reboot(2);
  world.restore_drive(1);
  Process p(world, {}, Process::Start::metadata);
  const auto returning = [&p] { return p.drives->record().members[1].returning; };
  ASSERT_TRUE(returning());

  SeededRandom random(1);
  BlockingPool pool(0);
  Context context(*p.drives, pool, random, {&p.io}, {&p.gate}, kTestShardBytes);
  context.meta = p.meta.get();
  Catalogue catalogue;
  const auto mine = std::make_shared<Segment>(two_copies(501), false);
  const auto other = std::make_shared<Segment>(two_copies(502), false);
  catalogue.add(mine);
  catalogue.add(other);
  SparePool spares(context);
  Repairer repairer(context, catalogue, spares);
  ASSERT_TRUE(mine->try_claim());
  ASSERT_TRUE(p.run(repairer.close_segments(5)));
  ASSERT_TRUE(p.run(repairer.settle_returning()));
  EXPECT_TRUE(other->closed.load());
  EXPECT_EQ(p.record(502).holes, 0b10U);
  EXPECT_TRUE(returning()) << "one is not closed yet";

  mine->release_claim();
  ASSERT_TRUE(p.run(repairer.close_segments(6)));
  ASSERT_TRUE(p.run(repairer.settle_returning()));
  EXPECT_EQ(p.record(501).holes, 0b10U);
  EXPECT_EQ(mine->layout()->holes, 0b10U);
  EXPECT_FALSE(returning());
}

}  // namespace
}  // namespace outcrop::segment
