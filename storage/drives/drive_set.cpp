#include "storage/drives/drive_set.h"

#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/drive_files.h"
#include "storage/drives/identity.h"

namespace outcrop::drives {

unsigned default_parity(std::size_t drives) {
  if (drives <= 1) {
    return 0;
  }
  if (drives <= 3) {
    return 1;
  }
  return drives <= 11 ? 2 : 3;
}

Result<void> DriveSet::format(std::span<const std::unique_ptr<io::Disk>> disks,
                              unsigned parity,
                              Random& random) {
  if (disks.empty() || disks.size() > kMaxDrives) {
    return fail(Errc::config, "storage.drives: 1 to " + std::to_string(kMaxDrives) + " drives");
  }
  if (parity >= disks.size()) {
    return fail(Errc::config, "storage.parity: must be less than the number of drives (" +
                                  std::to_string(disks.size()) + ")");
  }
  for (const auto& disk : disks) {
    TRYV(disk->lock());  // also refuses the same directory listed twice
    TRY(const bool blank, is_blank(*disk));
    if (!blank) {
      return fail(Errc::config, quoted(*disk) + " is not empty: --init uses blank drives only");
    }
  }
  EpochRecord record{
      .cluster = new_uuid(random), .epoch = 1, .parity = parity, .members = {}, .mirrors = {}};
  for (std::size_t i = 0; i < disks.size(); ++i) {
    record.members.push_back({.uuid = new_uuid(random)});
    if (i <= parity) {
      record.mirrors.push_back(static_cast<Slot>(i));
    }
  }
  // Superblocks come last: a drive with an epoch record and no superblock is half formatted.
  for (const auto& disk : disks) {
    TRYV(make_dirs(*disk));
    TRYV(create_epoch_file(*disk, record));
  }
  for (std::size_t i = 0; i < disks.size(); ++i) {
    TRYV(write_superblock(*disks[i],
                          {record.cluster, record.members[i].uuid, static_cast<Slot>(i)}));
  }
  return ok();
}

Result<std::unique_ptr<DriveSet>> DriveSet::open(std::vector<std::unique_ptr<io::Disk>> disks,
                                                 DriveOptions options) {
  if (disks.empty()) {
    return fail(Errc::config, "storage.drives: no drive is there");
  }
  std::unique_ptr<DriveSet> set(new DriveSet);
  TRY(const std::vector<Found> found, read_identities(disks, set->x_blank));
  const EpochRecord* const base = newest_complete(found);
  if (base == nullptr) {
    return fail(Errc::config, "the drives do not agree on any epoch of the cluster");
  }
  set->x_record = *base;
  set->x_options = options;
  TRYV(set->take_members(std::move(disks), found));
  const EpochRecord next = set->next_record();
  for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
    if (!next.members[slot].live && !next.members[slot].uuid.is_nil()) {
      log::warn("a drive is missing; its data is read from the others",
                {{"slot", slot}, {"uuid", next.members[slot].uuid.to_string()}});
    }
  }
  const bool unchanged = next == set->x_record && base->epoch == newest_epoch(found);
  set->x_record.epoch = newest_epoch(found);
  if (unchanged) {
    set->x_epoch.store(base->epoch);
    set->show();
    TRYV(set->tell_witness(set->x_record));
    return set;
  }
  TRYV(set->publish(next));
  set->x_untold.clear();
  return set;
}

// The record as it is now, with what has become of its drives since; the epoch is not counted up.
EpochRecord DriveSet::next_record() const {
  EpochRecord next = x_record;
  for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
    Member& member = next.members[slot];
    const bool is_live = live(static_cast<Slot>(slot));
    member.missed = member.missed || (member.live && !is_live);
    member.returning = is_live && (member.returning || !member.live);
    member.live = is_live;
  }
  std::erase_if(next.mirrors, [&](Slot s) { return !next.members[s].live; });
  return next;
}

void DriveSet::show() {
  const std::lock_guard lock(x_shown_mutex);
  x_shown = x_record;
}

void DriveSet::take_flags() {
  for (std::size_t slot = 0; slot < x_record.members.size(); ++slot) {
    x_draining[slot].store(x_record.members[slot].draining, std::memory_order_release);
  }
  x_slots.store(x_record.members.size(), std::memory_order_release);
}

// Every drive that is here becomes a live member; those that were away start without metadata.
Result<void> DriveSet::take_members(std::vector<std::unique_ptr<io::Disk>> disks,
                                    const std::vector<Found>& found) {
  take_flags();
  x_cluster = x_record.cluster;
  x_parity = x_record.parity;
  std::vector<Slot> away;
  for (std::size_t i = 0; i < disks.size(); ++i) {
    const Superblock& id = found[i].superblock;
    if (!is_member(x_record, id) && found[i].epoch() > x_record.epoch) {
      x_blank.push_back(std::move(disks[i]));  // its join was cut off: nothing was put on it
      continue;
    }
    if (!is_member(x_record, id)) {
      log::warn("a drive is no member of this cluster any more and is not used",
                {{"drive", disks[i]->name()}, {"uuid", id.drive.to_string()}});
      continue;
    }
    (x_record.members[id.slot].live ? x_current_at_open : away).push_back(id.slot);
    x_disk[id.slot].store(disks[i].get());
    x_live[id.slot].store(true);
    x_disks.push_back(std::move(disks[i]));
  }
  std::ranges::sort(x_current_at_open);
  const auto known = x_options.witness ? read_witness(*x_options.witness) : std::nullopt;
  TRYV(check_quorum(x_record, x_current_at_open.size(), known, x_options.allow_reduced_redundancy));
  for (const Slot slot : away) {
    log::warn("a drive that was away is back: it serves payload, its metadata is stale",
              {{"drive", disk(slot)->name()}});
    std::erase(x_record.mirrors, slot);
    if (const auto forgotten = forget_metadata(*disk(slot)); !forgotten) {
      log::error("it fails, and stays away",
                 {{"drive", disk(slot)->name()}, {"error", forgotten.error().describe()}});
      x_live[slot].store(false);
      disk(slot)->health()->give_up();
    }
  }
  return ok();
}

std::vector<Slot> DriveSet::live_slots() const {
  std::vector<Slot> out;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (live(static_cast<Slot>(slot))) {
      out.push_back(static_cast<Slot>(slot));
    }
  }
  return out;
}

std::vector<Slot> DriveSet::placement_slots() const {
  std::vector<Slot> out = live_slots();
  std::erase_if(out, [this](Slot slot) { return draining(slot); });
  return out;
}

std::optional<unsigned> DriveSet::write_parity(std::size_t live) const {
  if (x_beyond.load(std::memory_order_acquire)) {
    return std::nullopt;
  }
  if (live > x_parity) {
    return x_parity;
  }
  if (live > 0 && x_options.allow_reduced_redundancy) {
    return static_cast<unsigned>(live - 1);
  }
  return std::nullopt;
}

Error DriveSet::no_writes() const {
  return Error(Errc::read_only,
               x_beyond.load(std::memory_order_acquire)
                   ? "more than m drives left before the others had all metadata: put them back, "
                     "then start again"
                   : "fewer than m+1 drives are live");
}

EpochRecord DriveSet::record() const {
  const std::lock_guard lock(x_shown_mutex);
  return x_shown;
}

void DriveSet::on_change(std::function<void(Slot)> listener) {
  const std::lock_guard lock(x_mutex);
  x_listeners.push_back(std::move(listener));
}

void DriveSet::tell() {
  std::vector<Slot> changed;
  std::vector<std::function<void(Slot)>> listeners;
  {
    const std::lock_guard lock(x_mutex);
    changed = std::exchange(x_untold, {});
    if (changed.empty()) {
      return;
    }
    listeners = x_listeners;
  }
  for (const Slot slot : changed) {
    for (const auto& listener : listeners) {
      listener(slot);
    }
  }
}

namespace {

bool was_live(const EpochRecord& record, const Uuid& drive) {
  return std::ranges::any_of(record.members,
                             [&](const Member& m) { return m.live && m.uuid == drive; });
}

}  // namespace

// A record that calls drives live makes the others' metadata worthless, so it is written only if
// those that it names are sure to have all of it: a mirror, and, with no more than m drives lost
// since the last checkpoint, a copy of every journal block that is not in the mirrors yet. Where
// drives fail one after the other within milliseconds, as when the power goes, the record must stay
// the one that all of them have.
Result<void> DriveSet::check_losses(const EpochRecord& before, const EpochRecord& next) {
  const auto missed =
      static_cast<std::size_t>(std::ranges::count_if(next.members, &Member::missed));
  if (missed <= next.parity && (before.mirrors.empty() || !next.mirrors.empty())) {
    return ok();
  }
  x_beyond.store(true, std::memory_order_release);
  log::error("drives left before the others had all metadata", {{"drives", missed}});
  return fail(no_writes());
}

// Writes the record to every drive that it calls live; one that fails is out, and the next epoch
// says so. What a refused one has written is not complete, so it does not count at the next start.
Result<void> DriveSet::publish(EpochRecord next) {
  const EpochRecord before = x_record;
  for (bool complete = false; !complete;) {
    if (auto few = check_losses(before, next); !few) {
      const std::uint64_t tried = x_record.epoch;
      x_record = before;
      x_record.epoch =
          tried;  // some drives have records of these numbers: none of others may follow
      return few;
    }
    next.epoch = x_record.epoch + 1;
    const std::array<unsigned, 1> half{static_cast<unsigned>(next.epoch % 2)};
    complete = true;
    const EpochRecord attempt = next;  // the same on all, or it could be complete on some of them
    for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
      Member& member = next.members[slot];
      if (!member.live) {
        continue;
      }
      io::Disk& disk = *x_disk[slot].load();
      if (const auto r = write_slots(disk, kEpochFile, attempt, half, io::Access::read_write); !r) {
        log::error("a drive failed while the epoch was written",
                   {{"drive", disk.name()}, {"error", r.error().describe()}});
        x_live[slot].store(false);
        disk.health()->give_up();
        x_untold.push_back(static_cast<Slot>(slot));
        member.live = member.returning = false;
        member.missed = member.missed || was_live(before, member.uuid);
        std::erase(next.mirrors, static_cast<Slot>(slot));
        complete = false;
      }
    }
    x_record = next;
  }
  for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
    if (!next.members[slot].live && was_live(before, next.members[slot].uuid)) {
      x_left[slot] = next.epoch;
    }
  }
  take_flags();
  show();
  x_epoch.store(next.epoch, std::memory_order_release);
  const auto live = std::ranges::count_if(next.members, &Member::live);
  log::info("epoch", {{"epoch", next.epoch}, {"live", live}});
  return live == 0 ? fail(Errc::io_error, "no drive is left") : tell_witness(before);
}

// Drives that are all but m of the epoch before, and of which none got this one, could pass for the
// newest: unless more than m of that epoch's drives are in this one, the witness has to know.
Result<void> DriveSet::tell_witness(const EpochRecord& before) {
  if (x_options.witness == nullptr) {
    return ok();
  }
  const auto written = write_witness(*x_options.witness, x_record);
  if (written) {
    return ok();
  }
  std::size_t common = 0;
  for (std::size_t slot = 0; slot < before.members.size(); ++slot) {
    const Member& old = before.members[slot];
    common += old.live && x_record.members[slot].live && x_record.members[slot].uuid == old.uuid;
  }
  log::error("state_dir does not take the epoch",
             {{"file", kWitnessFile}, {"error", written.error().describe()}});
  return common > x_parity ? ok()
                           : fail(Errc::read_only,
                                  "state_dir must be writable when so many drives "
                                  "are missing");
}

Result<void> DriveSet::eject(Slot slot, const Error& why) {
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    if (!live(slot)) {
      return ok();
    }
    x_live[slot].store(false, std::memory_order_release);
    disk(slot)->health()->give_up();
    log::error("drive ejected", {{"drive", disk(slot)->name()}, {"error", why.describe()}});
    if (!write_parity(live_slots().size())) {
      return fail(no_writes());
    }
    x_untold.push_back(slot);
    published = publish(next_record());
  }
  tell();
  return published;
}

Result<void> DriveSet::set_mirrors(std::vector<Slot> mirrors) {
  Result<void> published;
  {
    const std::lock_guard lock(x_mutex);
    EpochRecord next = next_record();
    next.mirrors = std::move(mirrors);
    std::erase_if(next.mirrors, [&](Slot s) { return !next.members[s].live; });
    published = publish(std::move(next));
  }
  tell();
  return published;
}

}  // namespace outcrop::drives
