// Drives that were away and are there again: docs/adr/0013-drives-that-return.md.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/engine/store.h"

namespace outcrop::engine {
namespace {

/// Looks in a row, a second apart, that found enough for a start: what was plugged in is settled.
constexpr unsigned kGoodLooks = 5;
/// Taken for a spare of the wrong size, and removed, at the next start.
constexpr std::string_view kProbeFile = "spare/probe";

}  // namespace

std::vector<drives::Slot> Store::note_who_is_away(const drives::EpochRecord& record,
                                                  std::int64_t now) {
  std::vector<drives::Slot> away;
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    const Uuid& drive = record.members[i].uuid;
    if (drive.is_nil()) {
      continue;
    }
    if (x_drives->live(slot)) {
      x_returns.here(drive);
    } else {
      x_returns.away(drive, now);
      away.push_back(slot);
    }
  }
  return away;
}

void Store::tell_absence(const drives::EpochRecord& record, std::int64_t now) {
  std::map<drives::Slot, std::string> told;
  for (std::size_t i = 0; i < record.members.size(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    if (!record.members[i].uuid.is_nil() && !x_drives->live(slot)) {
      told[slot] = x_returns.tell(record.members[i].uuid, now);
    }
  }
  const std::lock_guard lock(x_space_mutex);
  x_absence = std::move(told);
}

Task<> Store::look_for_drives() {
  const drives::EpochRecord record = x_drives->record();
  const std::int64_t now = x_runtime.clock.steady_ns();
  std::vector<drives::Slot> away = note_who_is_away(record, now);
  const bool too_few = !x_drives->write_parity(x_drives->live_slots().size());
  if (!x_runtime.look || x_closing || x_read_only) {
    co_return ok();
  }
  Result<void> done;
  if (too_few || x_meta->stats().stuck) {
    done = co_await look_for_start();
  } else {
    x_good_looks = 0;
    std::erase_if(
        away, [&](drives::Slot slot) { return !x_returns.due(record.members[slot].uuid, now); });
    if (!away.empty()) {
      done = co_await take_back_due(record, std::move(away));
    }
  }
  tell_absence(record, x_runtime.clock.steady_ns());
  co_return done;
}

// Drives by names, that are not to be looked at: they are in use, or one that looked still waits.
std::vector<std::string> Store::names_in_use(bool unreleased) {
  std::erase_if(x_stuck, [](const auto& disk) { return disk->released(); });
  std::vector<std::string> names;
  for (const auto& disk : x_stuck) {
    names.emplace_back(disk->name());
  }
  for (std::size_t i = 0; i < x_drives->slots(); ++i) {
    const auto slot = static_cast<drives::Slot>(i);
    const io::Disk* const disk = x_drives->disk(slot);
    if (disk != nullptr && (x_drives->live(slot) || (unreleased && !disk->released()))) {
      names.emplace_back(disk->name());
    }
  }
  return names;
}

// Blocking, one at a time. Two that say that they are the same drive are both left alone, and so is
// a copy of one that is in use.
std::vector<Store::Sighting> Store::sight(const std::vector<std::string>& in_use) {
  std::vector<Sighting> seen;
  for (std::unique_ptr<io::Disk>& disk : x_runtime.look(in_use)) {
    const std::optional<drives::Slot> slot = x_drives->whose(*disk);
    if (disk->health()->given_up()) {
      disk->retire();
      x_stuck.push_back(std::move(disk));
    } else if (slot) {
      seen.push_back({*slot, std::move(disk)});
    }
  }
  const auto is_copy = [&](const Sighting& one) {
    const auto same = std::ranges::count(seen, one.slot, &Sighting::slot);
    return same > 1 || x_drives->live(one.slot);
  };
  std::vector<Sighting> out;
  std::set<std::string> copies;
  for (const Sighting& one : seen) {
    const std::string name(one.disk->name());
    if (is_copy(one) && copies.insert(name).second && !x_copies.contains(name)) {
      log::error("a drive is not used: there is another one of the same identity",
                 {{"drive", name}, {"slot", static_cast<unsigned>(one.slot)}});
    }
  }
  x_copies = std::move(copies);
  for (Sighting& one : seen) {
    if (!x_copies.contains(std::string(one.disk->name()))) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

// True if nothing of the drive's earlier life is in use any more. What is open is closed once
// nobody is at it; a call or a transfer that hangs ends when the drive answers.
Task<bool> Store::let_go(drives::Slot slot) {
  io::Disk* const disk = x_drives->disk(slot);
  if (disk == nullptr) {
    co_return true;  // it was never here
  }
  CO_TRYV(co_await x_runtime.pool.run([disk] {
    disk->retire();
    return ok();
  }));
  if (!disk->released() || x_drives->record().members[slot].missed) {
    CO_TRYV(co_await x_segments.let_go(slot, now_seconds()));
    CO_TRYV(co_await x_meta->needs(slot));
  }
  co_return disk->released();
}

Task<> Store::take_back_due(const drives::EpochRecord& record, std::vector<drives::Slot> away) {
  for (const drives::Slot slot : std::vector(away)) {
    const Uuid& drive = record.members[slot].uuid;
    const auto gone = co_await let_go(slot);
    if (!gone || !*gone) {
      x_returns.waits(drive, x_runtime.clock.steady_ns(),
                      gone ? "something of it is in use from before it left"
                           : std::string(gone.error().describe()));
      std::erase(away, slot);
    }
  }
  if (away.empty()) {
    co_return ok();
  }
  const std::vector<std::string> in_use = names_in_use(true);
  CO_TRY(auto seen,
         co_await x_runtime.pool.run([&] { return Result<std::vector<Sighting>>(sight(in_use)); }));
  for (Sighting& one : seen) {
    if (std::ranges::find(away, one.slot) != away.end()) {
      CO_TRYV(co_await take_back(std::move(one), record.members[one.slot].uuid));
    }
  }
  co_return ok();
}

Task<> Store::take_back(Sighting seen, const Uuid& drive) {
  const std::string path(seen.disk->name());
  const auto stock = [this](drives::Slot slot, const std::function<void()>& show) {
    return x_segments.take_back(slot, show);
  };
  const auto back =
      co_await x_runtime.pool.run([&] { return x_drives->take_back(std::move(seen.disk), stock); });
  const std::int64_t now = x_runtime.clock.steady_ns();
  if (!back &&
      (back.error().code() == Errc::unavailable || back.error().code() == Errc::read_only)) {
    x_returns.waits(drive, now, back.error().describe());
    co_return ok();
  }
  if (!back) {
    x_returns.failed(drive, now, back.error().describe());
    log::error(
        "a drive is there again, and is not taken back",
        {{"drive", path}, {"why", back.error().describe()}, {"then", x_returns.tell(drive, now)}});
    co_return ok();
  }
  x_returns.returned(drive, now);
  x_retry_ns = 0;  // repair has somewhere to go
  CO_TRYV(co_await x_segments.settle_returning());
  if (x_runtime.returned) {
    CO_TRYV(co_await x_runtime.pool.run([&] {
      x_runtime.returned(path, drive.to_string());
      return ok();
    }));
  }
  co_return ok();
}

// Nothing is taken back into a store that takes no writes: what the drives agree on is found by a
// start, which is asked for when it would find enough of them, and they take writes.
Task<> Store::look_for_start() {
  const std::vector<std::string> in_use = names_in_use(false);
  const auto verdict = co_await x_runtime.pool.run([&]() -> Result<void> {
    std::vector<Sighting> seen = sight(in_use);
    std::vector<io::Disk*> others;
    for (const Sighting& one : seen) {
      if (one.disk->prewrite(kProbeFile, kIoAlign) && one.disk->remove(kProbeFile)) {
        others.push_back(one.disk.get());
      }
    }
    return x_drives->would_start(others);
  });
  x_good_looks = verdict ? x_good_looks + 1 : 0;
  const std::int64_t uptime = x_runtime.clock.steady_ns() - x_opened_ns;
  const bool early = x_config.background && uptime < x_config.least_uptime_ns;
  if (x_good_looks < kGoodLooks || early || !x_runtime.restart) {
    co_return ok();
  }
  if (!std::exchange(x_restart_asked, true)) {
    log::error("enough drives are there again: a new start will take writes", {});
    x_runtime.restart("the drives are there again");
  }
  co_return ok();
}

}  // namespace outcrop::engine
