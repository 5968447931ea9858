// Every call of the making of a cluster fails in every way: either that is said, or there is a
// cluster that starts, also without the drive in question.
#include <cstdio>

#include "tests/fault/fault_rig.h"
#include "tests/fault/faults.h"

namespace outcrop::test {
namespace {

constexpr unsigned kDrives = 3, kParity = 1;

Result<void> format(io::SimWorld& world, const std::shared_ptr<io::FaultPlan>& plan) {
  std::vector<std::unique_ptr<io::Disk>> disks;
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    disks.push_back(io::make_faulty(std::move(*world.open_disk(drive)), drive, plan));
  }
  SeededRandom random(1);
  return engine::Engine::format(std::move(disks), kParity, random);
}

void expect_usable(io::SimWorld world, const std::string& what) {
  SimEngine engine(world, 1);
  const auto opened = engine.open();
  ASSERT_TRUE(opened) << what << ": " << opened.error().describe();
  EXPECT_TRUE(engine.run(engine.ns().create_bucket(SimEngine::kBucket, ""))) << what;
  EXPECT_TRUE(engine.put("a", "x")) << what;
  EXPECT_TRUE(engine.close()) << what;
}

TEST(Format, AFaultIsSaidOrHarmless) {
  const auto watched = std::make_shared<io::FaultPlan>();
  io::SimWorld blank(kDrives, 1);
  ASSERT_TRUE(format(blank, watched));
  unsigned faults = 0, refused = 0;
  for (const auto& [site, calls] : watched->sites()) {
    for (const Fault& fault : kFaults) {
      for (std::uint64_t nth = 1; can_happen(fault, site) && nth <= calls; ++nth) {
        const std::string what =
            std::string(fault.name) + " at " + std::to_string(nth) + ". " + io::describe(site);
        const auto plan = std::make_shared<io::FaultPlan>(nth);
        plan->add(rule_for(fault, site, nth));
        io::SimWorld world(kDrives, 1);
        const auto formatted = format(world, plan);
        EXPECT_EQ(plan->strikes(), 1U) << what;
        ++faults;
        if (!formatted) {
          ++refused;
          continue;
        }
        world.reboot(nth);
        expect_usable(world.clone(1), what);
        world.remove_drive(site.drive);
        expect_usable(std::move(world), what + ", without it");
      }
    }
  }
  std::printf("format: %zu call sites, %u faults, %u of them refused\n", watched->sites().size(),
              faults, refused);
}

}  // namespace
}  // namespace outcrop::test
