// A sync that fails once: the kernel may have dropped what it did not write, and says "done" the
// next time. So the drive is out, is not asked again, and nothing that was acknowledged relies on
// it.
#include <cerrno>
#include <cstdio>

#include "tests/fault/phases.h"

namespace outcrop::test {
namespace {

using io::FaultSite;
using io::PathClass;
using io::SimStep;

bool is_sync(SimStep step) { return step == SimStep::sync || step == SimStep::sync_dir; }

/// RocksDB writes OPTIONS files for people, and does not mind when they, or their directory
/// entries, cannot be synced; its directory is also synced for other things, which it does mind.
bool forgiven(const FaultSite& site) {
  return site.where == PathClass::options ||
         (site.where == PathClass::mirror && site.step == SimStep::sync_dir);
}

std::map<FaultSite, std::uint64_t> syncs_of(const Phase& phase) {
  Start start = start_of(phase);
  const auto plan = std::make_shared<io::FaultPlan>();
  EXPECT_EQ(play(phase, start.world, start.expected, plan, 1).problem, "") << phase.name;
  auto sites = plan->sites();
  std::erase_if(sites, [&](const auto& s) {
    return !is_sync(s.first.step) || s.first.drive == phase.already_lost;
  });
  return sites;
}

class FailedSync : public ::testing::TestWithParam<std::size_t> {
 protected:
  /// False if RocksDB's threads did not come to make the call.
  bool strike(const Phase& phase, const Start& start, const FaultSite& site, std::uint64_t nth) {
    const std::string what = phase.name + ", " + std::to_string(nth) + ". " + io::describe(site);
    const auto plan = std::make_shared<io::FaultPlan>(nth);
    plan->add({.drive = site.drive,
               .step = site.step,
               .where = site.where,
               .transfer = site.transfer,
               .nth = nth});
    io::SimWorld world = start.world.clone(1);
    Expected expected = start.expected;
    const bool must_go = !phase.stops && site.drive < kDrives && !forgiven(site);
    const Played played =
        play(phase, world, expected, plan, 1, must_go ? std::optional(site.drive) : std::nullopt);
    if (plan->strikes() == 0) {
      return false;
    }
    EXPECT_EQ(played.problem, "") << what;
    if (must_go) {
      EXPECT_TRUE(played.ejected.contains(site.drive)) << what << ": it is still trusted";
    }
    // A directory is also synced by what cleans up; a file only by who will rely on it.
    if (site.step == SimStep::sync) {
      EXPECT_EQ(plan->retries(), 0U) << what << ": it was asked again";
    }
    EXPECT_EQ(judge_without(world, {site.drive}, expected, nth), "") << what;
    EXPECT_EQ(judge_without(world, {}, expected, nth), "") << what;
    return true;
  }
};

TEST_P(FailedSync, EndsTheDrive) {
  const Phase& phase = phases()[GetParam()];
  const auto sites = syncs_of(phase);
  const Start start = start_of(phase);
  std::uint64_t struck = 0;
  for (const auto& [site, calls] : sites) {
    const std::uint64_t step = fault_stride(1 + calls / 2);
    for (std::uint64_t nth = 1; nth <= calls; nth += step) {
      struck += strike(phase, start, site, nth) ? 1 : 0;
    }
  }
  constexpr std::size_t kSomeOfRocksDb = 3;  // its threads may come in one run and not in another
  EXPECT_TRUE(struck > 0 || sites.size() <= kSomeOfRocksDb);
  std::printf("%s: %zu places that sync, %llu failed syncs\n", phase.name.c_str(), sites.size(),
              static_cast<unsigned long long>(struck));
}

INSTANTIATE_TEST_SUITE_P(,
                         FailedSync,
                         ::testing::Range(std::size_t{0}, phases().size()),
                         [](const auto& i) {
                           std::string name = phases()[i.param].name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace outcrop::test
