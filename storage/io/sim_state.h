// The state behind a SimWorld: its drives, the step counter and the fault plan. Internal.
#pragma once
#include <deque>
#include <mutex>

#include "storage/io/sim_disk.h"
#include "storage/io/sim_drive.h"

namespace outcrop::io {

/// When a handle was opened: by boot of the machine, and by plug of the drive.
struct SimBirth {
  std::uint64_t boot = 0, plug = 0;
};

class SimWorld::State {
 public:
  State(unsigned drives, std::uint64_t seed) : x_random(seed), x_drives(drives) {}
  State(const State& other, std::uint64_t seed) : x_random(seed), x_drives(other.x_drives) {}

  /// What is to happen to a step that was let in.
  struct Verdict {
    bool torn = false;    // apply a random part of it
    bool hushed = false;  // a sync that only claims to be one
  };
  /// Counts the step, decides over it and runs `apply(drive, verdict)` unless it has no effect.
  /// Handles of an earlier boot, or of before the drive was plugged in again, are dead.
  template <class Apply>
  Result<void> step(const SimStepInfo& info, SimBirth born, Apply apply) {
    const std::lock_guard lock(mutex);
    Gate gate = enter(info, born);
    if (gate.apply) {
      Result<void> applied = apply(x_drives[info.drive], gate.verdict);
      return gate.error ? fail(*gate.error) : applied;
    }
    return fail(*gate.error);
  }

  /// A write that was in flight when the power went with CrashMode::torn leaves some sectors.
  void leave_torn(unsigned drive,
                  SimBirth born,
                  sim::Ino ino,
                  std::uint64_t offset,
                  ConstBytes data,
                  bool durable);
  /// A coin per sector; valid while the mutex is held.
  sim::SectorChoice coin() {
    return [this] { return x_random.next() % 2 == 0; };
  }
  /// Whether a step that is one thing, not many sectors, happens.
  bool happens(const Verdict& verdict) { return !verdict.torn || x_random.next() % 2 == 0; }
  std::uint64_t pick(std::uint64_t below) {
    const std::lock_guard lock(mutex);
    return x_random.next() % below;
  }
  bool alive(unsigned drive, SimBirth born) {
    const std::lock_guard lock(mutex);
    return !x_dead && current(drive, born);
  }

  /// Both with the mutex held.
  void release_lock(unsigned drive, const void* holder) {
    if (x_drives[drive].lock_holder == holder) {
      x_drives[drive].lock_holder = nullptr;
    }
  }
  bool present(unsigned drive) const { return !x_drives[drive].removed; }

  bool hung(unsigned drive) {
    const std::lock_guard lock(mutex);
    return x_drives[drive].hung;
  }

  mutable std::mutex mutex;  // guards everything below

 private:
  friend class SimWorld;
  struct Gate {
    bool apply = false;
    Verdict verdict{};
    std::optional<Error> error{};
  };
  bool current(unsigned drive, SimBirth born) const {
    return born.boot == x_generation && born.plug == x_drives[drive].plugged;
  }
  Gate enter(const SimStepInfo& info, SimBirth born);
  std::optional<Error> planned_error(const SimStepInfo& info);

  SeededRandom x_random;
  std::deque<sim::Drive> x_drives;
  std::uint64_t x_generation = 1;
  std::uint64_t x_count = 0;
  std::uint64_t x_crash_in = 0;  // steps left; 0: no crash planned
  CrashMode x_crash_mode = CrashMode::before;
  bool x_dead = false;
  std::function<bool(const SimStepInfo&)> x_skip_sync;
  std::vector<SimErrorRule> x_rules;
};

/// The handles; defined beside their implementation.
std::unique_ptr<Disk> open_sim_disk(std::shared_ptr<SimWorld::State> state,
                                    unsigned drive,
                                    SimBirth born);
std::unique_ptr<IoBackend> make_sim_backend(std::shared_ptr<SimWorld::State> state,
                                            asio::io_context& io);

}  // namespace outcrop::io
