#include <algorithm>
#include <cerrno>

#include "storage/io/sim_state.h"

namespace outcrop::io {

void SimWorld::State::leave_torn(unsigned drive,
                                 SimBirth born,
                                 sim::Ino ino,
                                 std::uint64_t offset,
                                 ConstBytes data,
                                 bool durable) {
  const std::lock_guard lock(mutex);
  if (!x_dead || x_crash_mode != CrashMode::torn || !current(drive, born)) {
    return;
  }
  if (sim::FileData* file = x_drives[drive].file(ino); file != nullptr) {
    file->write(offset, data, durable, coin());
  }
}

std::optional<Error> SimWorld::State::planned_error(const SimStepInfo& info) {
  for (auto rule = x_rules.begin(); rule != x_rules.end(); ++rule) {
    const bool matches = (!rule->drive || *rule->drive == info.drive) &&
                         (!rule->step || *rule->step == info.step) &&
                         info.path.find(rule->path_part) != std::string_view::npos;
    if (!matches) {
      continue;
    }
    if (rule->skip > 0) {
      --rule->skip;
      continue;
    }
    const Error error(rule->error, rule->error == Errc::no_space ? ENOSPC : EIO);
    if (rule->once) {
      x_rules.erase(rule);
    }
    return error;
  }
  return std::nullopt;
}

SimWorld::State::Gate SimWorld::State::enter(const SimStepInfo& info, SimBirth born) {
  if (x_dead || !current(info.drive, born)) {
    return {.error = Error(Errc::io_error, EIO)};
  }
  if (x_drives[info.drive].removed) {
    return {.error = Error(Errc::io_error, ENXIO)};
  }
  if (x_drives[info.drive].hung) {
    return {.error = Error(Errc::io_error, ETIMEDOUT)};
  }
  if (auto error = planned_error(info)) {
    return {.error = std::move(error)};
  }
  Gate gate{.apply = true};
  const bool syncs = info.step == SimStep::sync || info.step == SimStep::sync_dir || info.durable;
  gate.verdict.hushed = syncs && x_skip_sync && x_skip_sync(info);
  if (info.step == SimStep::read) {
    return gate;
  }
  ++x_count;
  if (x_crash_in == 0 || --x_crash_in > 0) {
    return gate;
  }
  x_dead = true;
  gate.error = Error(Errc::io_error, EIO);
  gate.apply = x_crash_mode != CrashMode::before;
  gate.verdict.torn = x_crash_mode == CrashMode::torn;
  return gate;
}

SimWorld::SimWorld(unsigned drives, std::uint64_t seed)
    : SimWorld(std::make_shared<State>(drives, seed)) {}
SimWorld::SimWorld(std::shared_ptr<State> state) : x_state(std::move(state)) {}
SimWorld::~SimWorld() = default;
SimWorld::SimWorld(SimWorld&&) noexcept = default;
SimWorld& SimWorld::operator=(SimWorld&&) noexcept = default;

SimWorld SimWorld::clone(std::uint64_t seed) const {
  const std::lock_guard lock(x_state->mutex);
  auto copy = std::make_shared<State>(*x_state, seed);
  for (sim::Drive& drive : copy->x_drives) {
    drive.lock_holder = nullptr;
    drive.collect();
  }
  return SimWorld(std::move(copy));
}

unsigned SimWorld::drives() const {
  const std::lock_guard lock(x_state->mutex);
  return static_cast<unsigned>(x_state->x_drives.size());
}

unsigned SimWorld::add_drive() {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.emplace_back();
  return static_cast<unsigned>(x_state->x_drives.size() - 1);
}

Result<std::unique_ptr<Disk>> SimWorld::open_disk(unsigned drive) {
  const std::lock_guard lock(x_state->mutex);
  if (drive >= x_state->x_drives.size() || x_state->x_drives[drive].removed) {
    return fail(Errc::not_found, ENOENT);
  }
  return open_sim_disk(x_state, drive, {x_state->x_generation, x_state->x_drives[drive].plugged});
}

std::vector<std::unique_ptr<Disk>> SimWorld::open_disks() {
  std::vector<std::unique_ptr<Disk>> disks;
  for (unsigned i = 0; i < drives(); ++i) {
    if (auto disk = open_disk(i)) {
      disks.push_back(std::move(*disk));
    }
  }
  return disks;
}

std::unique_ptr<IoBackend> SimWorld::make_backend(asio::io_context& io) {
  return make_sim_backend(x_state, io);
}

std::uint64_t SimWorld::io_count() const {
  const std::lock_guard lock(x_state->mutex);
  return x_state->x_count;
}

void SimWorld::crash_at(std::uint64_t n, CrashMode mode) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_crash_in = n;
  x_state->x_crash_mode = mode;
}

void SimWorld::crash_now() {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_dead = true;
  x_state->x_crash_mode = CrashMode::before;
}

bool SimWorld::crashed() const {
  const std::lock_guard lock(x_state->mutex);
  return x_state->x_dead;
}

void SimWorld::reboot(std::uint64_t seed) {
  const std::lock_guard lock(x_state->mutex);
  SeededRandom random(seed);
  for (sim::Drive& drive : x_state->x_drives) {
    drive.power_cut(random);
    drive.hung = false;
  }
  ++x_state->x_generation;
  x_state->x_dead = false;
  x_state->x_crash_in = 0;
}

void SimWorld::skip_sync(std::function<bool(const SimStepInfo&)> skip) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_skip_sync = std::move(skip);
}

void SimWorld::add_error(SimErrorRule rule) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_rules.push_back(std::move(rule));
}

void SimWorld::clear_errors() {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_rules.clear();
}

void SimWorld::remove_drive(unsigned drive) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).removed = true;
}

void SimWorld::restore_drive(unsigned drive) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).removed = false;
}

void SimWorld::replug_drive(unsigned drive, std::uint64_t seed) {
  const std::lock_guard lock(x_state->mutex);
  SeededRandom random(seed);
  sim::Drive& target = x_state->x_drives.at(drive);
  const void* const holder = target.lock_holder;
  target.power_cut(random);
  target.lock_holder = holder;  // of a process that goes on
  target.removed = target.hung = false;
  ++target.plugged;
}

void SimWorld::wake_drive(unsigned drive) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).hung = false;
}

void SimWorld::hang_drive(unsigned drive) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).hung = true;
}

void SimWorld::set_space(unsigned drive, Space space) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).space = space;
}

void SimWorld::set_size(unsigned drive, std::uint64_t bytes) {
  const std::lock_guard lock(x_state->mutex);
  x_state->x_drives.at(drive).size = bytes;
}

bool SimWorld::corrupt(unsigned drive,
                       std::string_view path,
                       std::uint64_t offset,
                       std::uint64_t length) {
  const std::lock_guard lock(x_state->mutex);
  sim::Drive& target = x_state->x_drives.at(drive);
  const auto ino = target.lookup(path);
  return ino && !target.is_directory(*ino) && target.file(*ino)->flip(offset, length);
}

bool SimWorld::make_unreadable(
    unsigned drive, std::string_view path, std::uint64_t offset, std::uint64_t length, bool heals) {
  const std::lock_guard lock(x_state->mutex);
  sim::Drive& target = x_state->x_drives.at(drive);
  const auto ino = target.lookup(path);
  if (!ino || target.is_directory(*ino)) {
    return false;
  }
  target.file(*ino)->make_unreadable(offset, length, heals);
  return true;
}

}  // namespace outcrop::io
