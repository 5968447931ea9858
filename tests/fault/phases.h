// What a store does in its life, cut into phases whose calls on drives are known: faults are put
// into each call of each phase.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/fault/fault_rig.h"

namespace outcrop::test {

/// Drives 0 .. kDrives-1 are formatted with this parity; a phase may bring more.
inline constexpr unsigned kDrives = 5, kParity = 2;

struct Phase {
  std::string name;
  /// Changes the stopped box before it.
  std::function<void(io::SimWorld&)> prepare{};
  std::function<void(Client&)> run{};
  bool from_start = false;    ///< faults begin before the engine is opened
  bool closed_before = true;  ///< the process before it ended; else it was killed
  bool stops = false;         ///< the engine is closed in it
  /// Faults are put on one drive at a time; one that is away in this phase is none of them.
  unsigned already_lost = kDrives;
};

const std::vector<Phase>& phases();

/// A populated box as the phase finds it, and what is in it.
struct Start {
  io::SimWorld world;
  Expected expected;
};
Start start_of(const Phase& phase);

struct Played {
  std::string problem;         ///< empty, or what went wrong while it ran
  std::set<unsigned> ejected;  ///< drives that were out at its end; not known of one that stops
};
/// Runs the phase with a plan, reads everything, writes something, and kills the process. The plan
/// is on while the phase lasts. A drive that must go, if it was struck, is given time for that:
/// what fails on a thread of RocksDB is heard of later.
Played play(const Phase& phase,
            io::SimWorld& world,
            Expected& expected,
            const std::shared_ptr<io::FaultPlan>& plan,
            std::uint64_t seed,
            std::optional<unsigned> must_go = {});

}  // namespace outcrop::test
