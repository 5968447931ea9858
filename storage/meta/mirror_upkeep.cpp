// What keeps a set of mirrors whole: failed ones go, with their drives, new ones are built.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/meta/mirror_set.h"

namespace outcrop::meta {

void MirrorSet::verify() {
  for (const auto& mirror : all()) {
    if (x_stopping.load() || mirror->failed()) {
      continue;
    }
    if (auto good = mirror->index().verify(); !good && mirror->mark_failed(good.error())) {
      x_alert();
    }
  }
}

void MirrorSet::maintain() {
  if (!x_started.load() || x_stopping.load()) {
    return;
  }
  remove_failed();
  while (!x_stopping.load() && rebuild_one()) {
  }
  leave_unwanted();
  bury();
}

// Mirrors that may stay where they are.
std::size_t MirrorSet::settled_mirrors() const {
  return static_cast<std::size_t>(std::ranges::count_if(all(), [this](const auto& mirror) {
    return !mirror->failed() && !unwanted(mirror->slot());
  }));
}

bool MirrorSet::crowd(const std::vector<drives::Slot>& slots) {
  static_assert(drives::kMaxDrives <= 64);
  std::uint64_t crowded = 0;
  for (const drives::Slot slot : slots) {
    crowded |= std::uint64_t{1} << slot;
  }
  return x_crowded.exchange(crowded) != crowded && crowded != 0;
}

bool MirrorSet::unwanted(drives::Slot slot) const {
  return x_drives.draining(slot) || ((x_crowded.load() >> slot) & 1) != 0;
}

// They go when there are enough others.
void MirrorSet::leave_unwanted() {
  if (settled_mirrors() <= x_drives.parity()) {
    return;
  }
  bool any = false;
  for (const auto& mirror : all()) {
    if (unwanted(mirror->slot())) {
      any = mirror->mark_failed(Error(Errc::cancelled, "it moved to another drive")) || any;
    }
  }
  if (any) {
    remove_failed();
  }
}

// A drive that fails under RocksDB is as bad for payload. The mirror may be out already: whoever
// noticed first, a flush or a read, has dropped it.
void MirrorSet::remove_failed() {
  for (const auto& mirror : all()) {
    if (!x_drives.live(mirror->slot())) {
      mirror->mark_failed(Error(Errc::io_error, "its drive was ejected"));
    }
  }
  eject_failed();
  const std::lock_guard control(x_control);
  auto settled = promote();
  if (settled) {
    settled = publish_locked();
  }
  if (!settled) {
    log::error("metadata mirrors", {{"error", settled.error().describe()}});
  }
}

void MirrorSet::eject_failed() {
  std::vector<std::shared_ptr<Mirror>> mirrors = all();
  {
    const std::lock_guard lock(x_mutex);
    mirrors.insert(mirrors.end(), x_dead.begin(), x_dead.end());
  }
  for (const auto& mirror : mirrors) {
    if (mirror->failed() && mirror->why().code() == Errc::io_error &&
        x_drives.live(mirror->slot())) {
      if (auto out = x_drives.eject(mirror->slot(), mirror->why()); !out) {
        log::error("a drive could not be ejected", {{"error", out.error().describe()}});
      }
    }
  }
}

// Closes failed mirrors that nobody uses any more and removes their files.
void MirrorSet::bury() {
  std::vector<std::shared_ptr<Mirror>> gone;
  {
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_dead, [&gone](std::shared_ptr<Mirror>& m) {
      if (m.use_count() > 1) {
        return false;
      }
      gone.push_back(std::move(m));
      return true;
    });
  }
  for (auto& mirror : gone) {
    const drives::Slot slot = mirror->slot();
    const std::string dir = mirror->dir();
    mirror.reset();
    if (x_drives.live(slot)) {
      if (auto removed = x_drives.disk(slot)->remove_tree(dir); !removed) {
        log::warn("old metadata is left on a drive", {{"error", removed.error().describe()}});
      }
    }
  }
}

}  // namespace outcrop::meta
