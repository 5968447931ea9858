// One index on a drive that is full, or fails.
#include "storage/meta/rocks_index.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "storage/io/sim_disk.h"

namespace outcrop::meta {
namespace {

class FullDrive : public ::testing::Test {
 protected:
  FullDrive() {
    index =
        RocksIndex::open(*disk, "index", {.cache = cache, .on_background_error = {}}, true).value();
    world.add_error({.path_part = ".sst", .error = Errc::no_space});
    EXPECT_TRUE(put("a"));
    EXPECT_EQ(code(index->flush()), Errc::no_space);
    world.clear_errors();
    // That RocksDB does not begin by itself has no event.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // time is the input: silence
  }
  Result<bool> put(const std::string& key) {
    IndexBatch batch;
    batch.put(key, "value");
    return index->apply(std::move(batch).take(), true);
  }
  template <class T>
  static Errc code(const Result<T>& result) {
    return result ? Errc::internal : result.error().code();
  }

  io::SimWorld world{1};
  const std::unique_ptr<io::Disk> disk = std::move(*world.open_disk(0));
  const std::shared_ptr<IndexCache> cache = std::make_shared<IndexCache>(1 << 20);
  std::unique_ptr<RocksIndex> index;
};

TEST_F(FullDrive, IsWrittenToAgainWhenItIsAskedFor) {
  EXPECT_EQ(code(put("b")), Errc::no_space) << "nobody has asked";
  EXPECT_TRUE(index->resume());
  EXPECT_TRUE(put("b"));
  EXPECT_TRUE(index->flush());
  for (const char* key : {"a", "b"}) {
    std::optional<std::string> found;
    EXPECT_TRUE(index->get(key, Tier::drive, nullptr, found).value());
    EXPECT_EQ(found, "value");
  }
}

TEST_F(FullDrive, ThatFailsThenCanBeClosed) {
  world.add_error({.path_part = ".sst", .error = Errc::io_error});
  EXPECT_FALSE(index->resume());
  index.reset();
}

}  // namespace
}  // namespace outcrop::meta
