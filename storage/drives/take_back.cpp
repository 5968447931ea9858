// A drive that was away is taken back while the set is open.
#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_files.h"
#include "storage/drives/identity.h"

namespace outcrop::drives {

std::optional<Slot> DriveSet::whose(io::Disk& disk) const {
  const auto seen = look_at_newcomer(disk);
  if (!seen || !*seen || (*seen)->cluster != x_cluster || !is_member(record(), **seen)) {
    return std::nullopt;
  }
  return (*seen)->slot;
}

// x_mutex is held.
Result<Slot> DriveSet::may_return(const Found& found, const io::Disk& disk) const {
  const Superblock& id = found.superblock;
  if (id.cluster != x_cluster) {
    return fail(Errc::invalid_argument,
                quoted(disk) + " belongs to another cluster (" + id.cluster.to_string() + ")");
  }
  if (!is_member(x_record, id)) {
    return fail(Errc::invalid_argument, quoted(disk) + " is no member of this cluster any more");
  }
  const Slot slot = id.slot;
  const io::Disk* const before = x_disk[slot].load();
  if (live(slot)) {
    return fail(Errc::invalid_argument, quoted(disk) + " is a copy of " + quoted(*before) +
                                            " (same identity): remove one of them");
  }
  if (found.epoch() > x_record.epoch) {
    return fail(Errc::invalid_argument, quoted(disk) + " has gone on without the others (epoch " +
                                            std::to_string(found.epoch()) + ", here it is " +
                                            std::to_string(x_record.epoch) +
                                            "): was it used in another box?");
  }
  if (!write_parity(live_slots().size())) {
    return fail(no_writes());
  }
  if (x_record.members[slot].live || x_record.members[slot].missed) {
    return fail(Errc::unavailable, "what it had of the metadata is not on the others yet");
  }
  if (before != nullptr && !before->released()) {
    return fail(Errc::unavailable, "something of it is in use from before it left");
  }
  return slot;
}

Result<Slot> DriveSet::take_back(std::unique_ptr<io::Disk> disk,
                                 const std::function<Result<void>(Slot)>& take_stock) {
  if (auto locked = disk->lock(); !locked) {
    return fail(
        locked.error().code() == Errc::already_exists ? Errc::unavailable : locked.error().code(),
        quoted(*disk) + ": " + locked.error().describe());
  }
  TRY(const Found found, read_identity(*disk));
  const auto check = [&]() -> Result<Slot> {
    const std::lock_guard lock(x_mutex);
    return may_return(found, *disk);
  };
  TRYV(check());
  TRYV(forget_metadata(*disk));  // also shows that it takes writes
  Slot slot = 0;
  io::Disk* const here = disk.get();
  {
    const std::lock_guard lock(x_mutex);
    TRY(slot, may_return(found, *disk));
    x_disk[slot].store(here, std::memory_order_release);
    x_disks.push_back(std::move(disk));
  }
  Result<void> done = take_stock(slot);
  if (done) {
    done = publish_return(slot, found.superblock.drive);
    tell();
  }
  if (!done) {
    here->retire();
    return fail(done.error());
  }
  log::info("a drive that was away is back: it serves payload, and what it missed is filled in",
            {{"drive", here->name()}, {"slot", static_cast<unsigned>(slot)}});
  return slot;
}

// It is live for others only when all have the epoch.
Result<void> DriveSet::publish_return(Slot slot, const Uuid& drive) {
  const std::lock_guard lock(x_mutex);
  EpochRecord next = next_record();
  if (slot >= next.members.size() || next.members[slot].uuid != drive) {
    return fail(Errc::invalid_argument, "it was removed meanwhile");
  }
  if (!write_parity(live_slots().size())) {
    return fail(no_writes());
  }
  next.members[slot].live = next.members[slot].returning = true;
  if (auto published = publish(std::move(next)); !published) {
    if (x_record.members[slot].live) {  // it is in force, and state_dir does not know it
      [[maybe_unused]] const auto out = publish(next_record());
    }
    return published;
  }
  if (!x_record.members[slot].live) {
    return fail(Errc::io_error, "the drive failed while it was taken back");
  }
  x_live[slot].store(true, std::memory_order_release);
  x_untold.push_back(slot);
  return ok();
}

}  // namespace outcrop::drives
