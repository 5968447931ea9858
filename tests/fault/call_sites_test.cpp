// Every call that the store makes on a drive, found by watching each phase of its life, is made to
// fail in every way that it can: the store goes on with the drives that are left, starts again, and
// has every object that it acknowledged, also without the drive in question and one more.
#include <cstdio>

#include "tests/fault/faults.h"
#include "tests/fault/phases.h"

namespace outcrop::test {
namespace {

using io::FaultKind;
using io::FaultSite;
using io::PathClass;
using io::SimStep;

struct Case {
  FaultSite site;
  Fault fault;
  std::uint64_t nth = 1;
};

std::string describe(const Phase& phase, const Case& c) {
  return phase.name + ", " + c.fault.name + " at " + std::to_string(c.nth) + ". " +
         io::describe(c.site);
}

/// RocksDB's own threads decide when they call: a call of theirs that came in one run of a phase
/// may not come in the next. Over all phases each kind of call is struck.
class Coverage final : public ::testing::Environment {
 public:
  using Kind = std::tuple<SimStep, PathClass, bool>;
  static bool by_threads(const FaultSite& site) {
    return site.where == PathClass::table || site.where == PathClass::manifest ||
           site.where == PathClass::options || site.where == PathClass::mirror;
  }
  void saw(const FaultSite& site) { x_seen.insert({site.step, site.where, site.transfer}); }
  void struck(const FaultSite& site) { x_struck.insert({site.step, site.where, site.transfer}); }
  void TearDown() override {
    for (const Kind& kind : x_seen) {
      const FaultSite site{0, std::get<0>(kind), std::get<1>(kind), std::get<2>(kind)};
      EXPECT_TRUE(x_struck.contains(kind)) << io::describe(site) << ": never hit";
    }
  }

 private:
  std::set<Kind> x_seen, x_struck;
};
// GoogleTest owns it, and wants it before main().
Coverage* const kCoverage =
    static_cast<Coverage*>(::testing::AddGlobalTestEnvironment(new Coverage));

struct Tally {
  std::uint64_t cases = 0, censuses = 0, ejected = 0;
  std::map<std::string, std::uint64_t> by_fault;
};

class PhaseRun {
 public:
  explicit PhaseRun(const Phase& phase) : x_phase(phase), x_start(start_of(phase)) {}

  /// The calls by site, without a fault.
  std::map<FaultSite, std::uint64_t> watch() {
    const auto plan = std::make_shared<io::FaultPlan>();
    io::SimWorld world = x_start.world.clone(1);
    Expected expected = x_start.expected;
    EXPECT_EQ(play(x_phase, world, expected, plan, 1).problem, "") << x_phase.name;
    EXPECT_EQ(judge_without(world, {}, expected, 1), "") << x_phase.name;
    auto sites = plan->sites();
    std::erase_if(sites, [&](const auto& s) { return s.first.drive == x_phase.already_lost; });
    return sites;
  }

  /// Again if the call does not come (Coverage).
  void strike(const Case& c, std::uint64_t seed, Tally& tally) {
    constexpr unsigned kTries = 8;
    unsigned tries = 1;
    while (!strike_once(c, seed, tally) && tries < kTries) {
      ++tries;
    }
    EXPECT_TRUE(tries < kTries || c.nth > 1 || Coverage::by_threads(c.site))
        << describe(x_phase, c) << ": not hit";
  }

 private:
  bool strike_once(const Case& c, std::uint64_t seed, Tally& tally) {
    const auto plan = std::make_shared<io::FaultPlan>(seed);
    plan->add(rule_for(c.fault, c.site, c.nth));
    io::SimWorld world = x_start.world.clone(1);
    Expected expected = x_start.expected;
    const std::string what = describe(x_phase, c);
    const Played played = play(x_phase, world, expected, plan, 1);
    EXPECT_EQ(played.problem, "") << what;
    if (plan->strikes() == 0) {
      return false;
    }
    kCoverage->struck(c.site);
    const bool full_disk = c.fault.kind == FaultKind::error && c.fault.error_number == ENOSPC;
    // A drive that cannot take the epoch cannot stay in it: its file has its blocks for that.
    EXPECT_FALSE(full_disk && c.site.drive < kDrives && c.site.where != io::PathClass::epoch &&
                 played.ejected.contains(c.site.drive))
        << what << ": a full drive is not a failed one";
    census(world, expected, c, played.ejected, seed, tally, what);
    ++tally.cases;
    ++tally.by_fault[c.fault.name];
    tally.ejected += played.ejected.contains(c.site.drive);
    return true;
  }

  /// After a power cut: with all drives; without the one that was struck, and one more; and if it
  /// is still trusted although it said that something failed, without two others.
  void census(io::SimWorld& world,
              const Expected& expected,
              const Case& c,
              const std::set<unsigned>& ejected,
              std::uint64_t seed,
              Tally& tally,
              const std::string& what) {
    std::vector<unsigned> others;
    for (unsigned drive = 0; drive < world.drives(); ++drive) {
      if (drive != c.site.drive && drive != x_phase.already_lost && !ejected.contains(drive)) {
        others.push_back(drive);
      }
    }
    std::vector<std::set<unsigned>> losses{{}};
    const unsigned other = others[seed % others.size()];
    losses.push_back(x_phase.already_lost < kDrives ? std::set{c.site.drive}
                                                    : std::set{c.site.drive, other});
    // What was ejected in the very last moment is not known here.
    if (!x_phase.stops && !io::silent(c.fault.kind) && !ejected.contains(c.site.drive) &&
        x_phase.already_lost == kDrives) {
      losses.push_back({other, others[(seed + 1) % others.size()]});
    }
    for (const std::set<unsigned>& lost : losses) {
      EXPECT_EQ(judge_without(world, lost, expected, seed), "") << what;
      ++tally.censuses;
    }
  }

  const Phase& x_phase;
  Start x_start;
};

/// The cases of a site: every kind at the first, a middle and the last call in the full run; else
/// one kind in turn, so that each site is struck.
std::vector<Case> cases_of(const FaultSite& site, std::uint64_t calls, std::uint64_t turn) {
  std::vector<Case> all;
  for (const Fault& fault : kFaults) {
    if (can_happen(fault, site)) {
      all.push_back({site, fault});
    }
  }
  const std::uint64_t stride = fault_stride(8);
  if (stride > 1) {
    Case one = all[turn % all.size()];
    one.nth = turn % 3 == 0 ? 1 + turn % calls : 1;
    return {one};
  }
  std::vector<Case> out;
  for (const std::uint64_t nth : std::set<std::uint64_t>{1, 1 + calls / 2, calls}) {
    for (Case c : all) {
      c.nth = nth;
      out.push_back(c);
    }
  }
  return out;
}

class CallSites : public ::testing::TestWithParam<std::size_t> {};

TEST_P(CallSites, EachMayFailInAnyWay) {
  const Phase& phase = phases()[GetParam()];
  PhaseRun run(phase);
  const auto sites = run.watch();
  ASSERT_FALSE(sites.empty());
  Tally tally;
  std::uint64_t turn = 0;
  const std::uint64_t offset = number_in("OUTCROP_FAULT_SEED", 0);
  for (const auto& [site, calls] : sites) {
    kCoverage->saw(site);
    for (const Case& c : cases_of(site, calls, offset + turn)) {
      run.strike(c, offset + turn, tally);
    }
    ++turn;
  }
  std::printf("%s: %zu call sites, %llu faults, %llu censuses, %llu drives ejected;",
              phase.name.c_str(), sites.size(), static_cast<unsigned long long>(tally.cases),
              static_cast<unsigned long long>(tally.censuses),
              static_cast<unsigned long long>(tally.ejected));
  for (const auto& [name, count] : tally.by_fault) {
    std::printf(" %s %llu", name.c_str(), static_cast<unsigned long long>(count));
  }
  std::printf("\n");
}

INSTANTIATE_TEST_SUITE_P(,
                         CallSites,
                         ::testing::Range(std::size_t{0}, phases().size()),
                         [](const auto& i) {
                           std::string name = phases()[i.param].name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace outcrop::test
