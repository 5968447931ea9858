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

Result<Slot> DriveSet::take_back(std::unique_ptr<io::Disk> disk, const TakeStock& take_stock) {
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
    x_disks.push_back(std::move(disk));
  }
  Result<void> done =
      take_stock(slot, [this, slot, here] { x_disk[slot].store(here, std::memory_order_release); });
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

Result<void> DriveSet::would_start(std::span<io::Disk* const> others) const {
  const std::lock_guard lock(x_mutex);  // nobody writes an epoch meanwhile
  std::vector<io::Disk*> disks(others.begin(), others.end());
  for (const Slot slot : live_slots()) {
    disks.push_back(x_disk[slot].load());
  }
  std::vector<Found> found;
  for (io::Disk* const disk : disks) {
    if (auto one = read_identity(*disk); one && one->superblock.cluster == x_cluster) {
      found.push_back(*std::move(one));
    }
  }
  const EpochRecord* const base = newest_complete(found);
  if (base == nullptr) {
    return fail(Errc::unavailable, "the drives that are here do not agree on any epoch");
  }
  std::vector<bool> here(base->members.size());
  for (const Found& f : found) {
    if (is_member(*base, f.superblock)) {
      here[f.superblock.slot] = true;
    }
  }
  std::size_t present = 0, current = 0, missed = 0, mirrors = 0;
  for (std::size_t slot = 0; slot < here.size(); ++slot) {
    const Member& member = base->members[slot];
    present += here[slot] ? 1 : 0;
    current += here[slot] && member.live ? 1 : 0;
    missed += member.missed || (member.live && !here[slot]) ? 1 : 0;
  }
  for (const Slot slot : base->mirrors) {
    mirrors += here[slot] && base->members[slot].live ? 1 : 0;
  }
  const auto known = x_options.witness ? read_witness(*x_options.witness) : std::nullopt;
  TRYV(check_quorum(*base, current, known, x_options.allow_reduced_redundancy));
  const std::size_t least = x_options.allow_reduced_redundancy ? 1 : base->parity + 1;
  if (present < least || missed > base->parity || mirrors == 0) {
    return fail(Errc::unavailable, "only " + std::to_string(current) +
                                       " drives of the last epoch "
                                       "are here");
  }
  return ok();
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
