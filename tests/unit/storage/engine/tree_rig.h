// A namespace on a store of five drives of which two may be lost, without an engine that works on
// it by itself; everything stored is there in the end, whichever drive is missing.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "storage/ns/make_namespace.h"
#include "tests/support/hand_clock.h"
#include "tests/support/sim_engine.h"
#include "tests/unit/storage/segment/repair_rig.h"

namespace outcrop::engine {

/// Drives of 128 MiB: 48 shard files of 2 MiB, less what metadata takes.
class TreeRig : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kDrive = 128 << 20;

  void SetUp() override {
    ASSERT_TRUE(p.run(tree->open()));
    ASSERT_TRUE(p.run(tree->create_bucket("b", "", false)));
    for (unsigned drive = 0; drive < world.drives(); ++drive) {
      world.set_size(drive, kDrive);
    }
  }
  void TearDown() override {
    expect_all("in the end");
    tree.reset();
    EXPECT_TRUE(p.close());
    for (unsigned drive = 0; drive < world.drives(); ++drive) {
      io::SimWorld less = world.clone(drive);
      less.reboot(drive);
      less.remove_drive(drive);
      segment::Process found(less);
      EXPECT_EQ(found.store->survey().unreadable, 0U) << "without drive " << drive;
    }
  }
  Result<void> put(const std::string& key, std::size_t size) {
    const std::uint64_t seed = std::hash<std::string>()(key);
    TRY(auto writer, p.run(test::filled_writer(*tree, "b", key, test::pattern(seed, size))));
    TRYV(p.run(tree->put("b", key, std::move(writer), {})));
    sizes[key] = size;
    return ok();
  }
  void expect_all(std::string_view where) {
    for (const auto& [key, size] : sizes) {
      const auto found = p.run(test::read_all(*tree, "b", key));
      ASSERT_TRUE(found) << where << ", " << key << ": " << found.error().describe();
      ASSERT_EQ(*found, test::pattern(std::hash<std::string>()(key), size)) << where << ", " << key;
    }
  }
  void settle() {
    p.settle();
    repair(p);
    p.collect();
  }
  /// What is open is sealed behind it.
  void fill_some(const std::string& prefix, std::size_t size, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      ASSERT_TRUE(put(prefix + std::to_string(i), size));
    }
    p.seal();
    settle();
  }
  segment::Balance balance() { return p.must(p.store->balance({})); }
  /// Whole segments by their shards; 0: of small records.
  std::map<unsigned, unsigned> widths() {
    std::map<unsigned, unsigned> out;
    for (const segment::BalanceSegment& s : balance().segments) {
      ++out[s.small ? 0 : s.k + s.m];
    }
    return out;
  }

  io::SimWorld world = segment::formatted_world(5, 2);
  segment::Process p{world};
  test::HandClock clock{1};
  SeededRandom random{3};
  std::unique_ptr<ns::TreeNamespace> tree = ns::make_namespace(*p.meta, *p.store, clock, random);
  std::map<std::string, std::size_t> sizes;
};

}  // namespace outcrop::engine
