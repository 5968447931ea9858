// Changes that an operator asks for: a drive joins, drains, leaves for good.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_files.h"
#include "storage/drives/identity.h"

namespace outcrop::drives {
namespace {

/// A drive whose mount failed is a directory on the filesystem of its parent. Where other drives
/// are mounts of their own, one that is not is a mistake; so is a second one on a filesystem.
Result<void> check_place(const io::Disk& disk, std::span<io::Disk* const> others) {
  const auto is_mount = [](const io::Disk& d) {
    return d.filesystem_id() != d.parent_filesystem_id();
  };
  for (const io::Disk* const other : others) {
    if (is_mount(*other) && !is_mount(disk)) {
      return fail(Errc::invalid_argument, quoted(disk) + " is no mount point, unlike " +
                                              quoted(*other) + ": mount it first");
    }
    if (is_mount(*other) && other->filesystem_id() == disk.filesystem_id()) {
      return fail(Errc::invalid_argument,
                  quoted(disk) + " is on the filesystem of " + quoted(*other));
    }
  }
  return ok();
}

Result<void> wipe(io::Disk& disk) {
  // The superblock goes last: until then the drive can be added again.
  for (const std::string_view dir : {"segments", "spare", "journal", "meta"}) {
    TRYV(disk.remove_tree(dir));
  }
  for (const std::string_view file : {kEpochFile, kSuperblockFile}) {
    if (auto removed = disk.remove(file); !removed && removed.error().code() != Errc::not_found) {
      return removed;
    }
  }
  return ok();
}

}  // namespace

// A slot is used again after a restart at the earliest: nothing in this run may take the new drive
// for the old one.
Result<Slot> DriveSet::free_slot() const {
  const auto& members = x_record.members;
  for (std::size_t slot = 0; slot < members.size(); ++slot) {
    if (members[slot].uuid.is_nil() && x_disk[slot].load() == nullptr) {
      return static_cast<Slot>(slot);
    }
  }
  if (members.size() == kMaxDrives) {
    return fail(Errc::invalid_argument,
                "no more than " + std::to_string(kMaxDrives) + " drives: remove one, then restart");
  }
  return static_cast<Slot>(members.size());
}

Result<Slot> DriveSet::join(std::unique_ptr<io::Disk> disk,
                            Random& random,
                            std::optional<Slot> replaces) {
  Result<Slot> joined = fail(Errc::internal);
  {
    const std::lock_guard lock(x_mutex);
    joined = join_locked(std::move(disk), random, replaces);
  }
  tell();
  return joined;
}

// Superblock first: a drive that has one and is no member is left out at the next start, whatever
// else is on it, and may be added again.
Result<Slot> DriveSet::join_locked(std::unique_ptr<io::Disk> disk,
                                   Random& random,
                                   std::optional<Slot> replaces) {
  if (replaces &&
      (*replaces >= x_record.members.size() || x_record.members[*replaces].uuid.is_nil())) {
    return fail(Errc::not_found, "there is no drive in slot " + std::to_string(*replaces));
  }
  if (auto locked = disk->lock(); !locked) {
    return fail(Errc::invalid_argument, locked.error().code() == Errc::already_exists
                                            ? quoted(*disk) + " is in use"
                                            : quoted(*disk) + ": " + locked.error().describe());
  }
  std::vector<io::Disk*> others;
  for (const Slot slot : live_slots()) {
    others.push_back(x_disk[slot].load());
  }
  TRYV(check_place(*disk, others));
  TRY(const std::optional<Superblock> old, look_at_newcomer(*disk));
  if (old && old->cluster != x_cluster) {
    return fail(Errc::invalid_argument, quoted(*disk) + " belongs to another cluster (" +
                                            old->cluster.to_string() +
                                            "): empty it, if its data is not needed");
  }
  if (old && is_member(x_record, *old)) {
    return fail(Errc::invalid_argument,
                quoted(*disk) +
                    " is a drive of this cluster that was away: it is taken back by itself, with "
                    "its data, where outcropd looks for it (storage.drives)");
  }
  if (old) {
    TRYV(wipe(*disk));
  }
  TRY(const Slot slot, free_slot());
  const Superblock superblock{x_cluster, new_uuid(random), slot};
  EpochRecord next = next_record();
  next.members.resize(std::max<std::size_t>(next.members.size(), slot + 1U),
                      {.uuid = {}, .live = false});
  next.members[slot] = {.uuid = superblock.drive};
  if (replaces) {
    next.members[*replaces].draining = true;
  }
  ++next.epoch;
  // It has the record before any other drive: none counts that it has not.
  TRYV(write_superblock(*disk, superblock));
  TRYV(create_epoch_file(*disk, next));
  TRYV(make_dirs(*disk));
  x_disk[slot].store(disk.get());
  x_disks.push_back(std::move(disk));
  TRYV(publish(std::move(next)));
  if (!x_record.members[slot].live) {
    return fail(Errc::io_error, "the drive failed while it was added");
  }
  x_live[slot].store(true, std::memory_order_release);
  x_untold.push_back(slot);
  if (replaces) {
    x_untold.push_back(*replaces);
  }
  log::info("a drive was added",
            {{"drive", x_disk[slot].load()->name()}, {"slot", static_cast<unsigned>(slot)}});
  return slot;
}

Result<void> DriveSet::set_draining(Slot slot, bool draining) {
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    if (slot >= x_record.members.size() || x_record.members[slot].uuid.is_nil()) {
      return fail(Errc::not_found, "there is no drive in slot " + std::to_string(slot));
    }
    if (x_record.members[slot].draining == draining) {
      return ok();
    }
    EpochRecord next = next_record();
    next.members[slot].draining = draining;
    x_untold.push_back(slot);
    published = publish(std::move(next));
  }
  tell();
  return published;
}

Result<void> DriveSet::remove(Slot slot) {
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    if (slot >= x_record.members.size() || x_record.members[slot].uuid.is_nil()) {
      return fail(Errc::not_found, "there is no drive in slot " + std::to_string(slot));
    }
    x_live[slot].store(false, std::memory_order_release);
    EpochRecord next = next_record();
    next.members[slot] = {.uuid = {}, .live = false};
    x_untold.push_back(slot);
    published = publish(std::move(next));
  }
  tell();
  return published;
}

Result<void> DriveSet::settle_metadata(const EpochRecord& seen) {
  if (std::ranges::none_of(seen.members, &Member::missed)) {
    return ok();
  }
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    EpochRecord next = next_record();
    bool changed = false;
    for (std::size_t slot = 0; slot < seen.members.size(); ++slot) {
      const Member& then = seen.members[slot];
      Member& now = next.members[slot];
      // One that was taken back and left again since has other metadata, and `seen` is too old.
      const bool settled =
          now.missed && then.missed && then.uuid == now.uuid && seen.epoch >= x_left[slot];
      now.missed = now.missed && !settled;
      changed = changed || settled;
    }
    if (!changed) {
      return ok();
    }
    published = publish(std::move(next));
  }
  tell();
  return published;
}

Result<void> DriveSet::settle_returning() {
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    EpochRecord next = next_record();
    if (std::ranges::none_of(next.members, &Member::returning)) {
      return ok();
    }
    for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
      if (std::exchange(next.members[slot].returning, false)) {
        x_untold.push_back(static_cast<Slot>(slot));
      }
    }
    published = publish(std::move(next));
  }
  tell();
  return published;
}

}  // namespace outcrop::drives
