#include "storage/drives/drive_set.h"

#include <algorithm>

#include "storage/base/log.h"
#include "storage/drives/identity.h"

namespace outcrop::drives {
namespace {

template <class T>
Result<void> write_slots(io::Disk& disk,
                         std::string_view file,
                         const T& value,
                         std::span<const unsigned> slots,
                         io::Access access) {
  TRY(const auto handle, disk.open(file, access, io::Cache::buffered));
  const SlotBytes bytes = encode(value);
  for (const unsigned slot : slots) {
    TRYV(handle->write_sync(slot * kSlotBytes, bytes));
  }
  return handle->sync();
}

/// Both slots of a file; a slot that is not there or does not verify is left out.
}  // namespace

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
  auto new_uuid = [&random] {
    Uuid id;
    random.fill(std::as_writable_bytes(std::span(id.bytes)));
    return id;
  };
  EpochRecord record{
      .cluster = new_uuid(), .epoch = 1, .parity = parity, .members = {}, .mirrors = {}};
  for (std::size_t i = 0; i < disks.size(); ++i) {
    record.members.push_back({new_uuid(), true});
    if (i <= parity) {
      record.mirrors.push_back(static_cast<Slot>(i));
    }
  }
  // Superblocks come last: a drive with an epoch record and no superblock is half formatted.
  for (const auto& disk : disks) {
    for (const std::string_view dir : {"segments", "spare", "journal", "meta"}) {
      TRYV(disk->make_dir(dir));
    }
    constexpr std::array<unsigned, 1> kFirst{1};
    TRYV(write_slots(*disk, kEpochFile, record, kFirst, io::Access::create));
    TRYV(disk->sync_dir(""));
  }
  for (std::size_t i = 0; i < disks.size(); ++i) {
    constexpr std::array<unsigned, 2> kBoth{0, 1};
    const Superblock superblock{record.cluster, record.members[i].uuid, static_cast<Slot>(i)};
    TRYV(write_slots(*disks[i], kSuperblockFile, superblock, kBoth, io::Access::create));
    TRYV(disks[i]->sync_dir(""));
  }
  return ok();
}

namespace {

/// What a drive that was away says about metadata is out of date and must not be found again.
Result<void> forget_metadata(io::Disk& disk) {
  for (const std::string_view dir : {"journal", "meta"}) {
    TRYV(disk.remove_tree(dir));
    TRYV(disk.make_dir(dir));
  }
  return ok();
}

}  // namespace

Result<std::unique_ptr<DriveSet>> DriveSet::open(std::vector<std::unique_ptr<io::Disk>> disks,
                                                 DriveOptions options) {
  if (disks.empty()) {
    return fail(Errc::config, "storage.drives: no drive is there");
  }
  TRY(const std::vector<Found> found, read_identities(disks));
  const EpochRecord* const base = newest_complete(found);
  if (base == nullptr) {
    return fail(Errc::config, "the drives do not agree on any epoch of the cluster");
  }
  std::unique_ptr<DriveSet> set(new DriveSet);
  set->x_record = *base;
  set->x_options = options;
  TRYV(set->take_members(std::move(disks), found));
  EpochRecord next = set->x_record;
  for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
    next.members[slot].live = set->live(static_cast<Slot>(slot));
    if (!next.members[slot].live) {
      log::warn("a drive is missing; its data is read from the others",
                {{"slot", slot}, {"uuid", next.members[slot].uuid.to_string()}});
    }
  }
  std::erase_if(next.mirrors,
                [&](Slot s) { return !std::ranges::binary_search(set->x_current_at_open, s); });
  const bool unchanged = next == set->x_record && base->epoch == newest_epoch(found);
  set->x_record.epoch = newest_epoch(found);
  if (unchanged) {
    set->x_epoch.store(base->epoch);
    return set;
  }
  TRYV(set->publish(std::move(next)));
  return set;
}

// Every drive that is here becomes a live member; those that were away start without metadata.
Result<void> DriveSet::take_members(std::vector<std::unique_ptr<io::Disk>> disks,
                                    const std::vector<Found>& found) {
  const std::size_t slots = x_record.members.size();
  x_disks.resize(slots);
  x_live = std::vector<std::atomic<bool>>(slots);
  x_cluster = x_record.cluster;
  x_parity = x_record.parity;
  std::vector<Slot> away;
  for (std::size_t i = 0; i < disks.size(); ++i) {
    const Superblock& id = found[i].superblock;
    if (id.slot >= slots || x_record.members[id.slot].uuid != id.drive) {
      return fail(Errc::config, quoted(*disks[i]) +
                                    " was replaced in this cluster and is no longer "
                                    "a member: remove it from storage.drives");
    }
    (x_record.members[id.slot].live ? x_current_at_open : away).push_back(id.slot);
    x_live[id.slot].store(true);
    x_disks[id.slot] = std::move(disks[i]);
  }
  std::ranges::sort(x_current_at_open);
  TRYV(check_quorum(x_record, x_current_at_open.size()));
  for (const Slot slot : away) {
    log::warn("a drive that was away is back: it serves payload, its metadata is stale",
              {{"drive", x_disks[slot]->name()}});
    TRYV(forget_metadata(*x_disks[slot]));
  }
  return ok();
}

std::vector<Slot> DriveSet::live_slots() const {
  std::vector<Slot> out;
  for (std::size_t slot = 0; slot < x_live.size(); ++slot) {
    if (live(static_cast<Slot>(slot))) {
      out.push_back(static_cast<Slot>(slot));
    }
  }
  return out;
}

std::optional<unsigned> DriveSet::write_parity(std::size_t live) const {
  if (live > x_parity) {
    return x_parity;
  }
  if (live > 0 && x_options.allow_reduced_redundancy) {
    return static_cast<unsigned>(live - 1);
  }
  return std::nullopt;
}

EpochRecord DriveSet::record() const {
  const std::lock_guard lock(x_mutex);
  return x_record;
}

void DriveSet::on_eject(std::function<void(Slot)> listener) {
  x_listeners.push_back(std::move(listener));
}

// Writes the record to every live drive; one that fails is out, and the next epoch says so.
Result<void> DriveSet::publish(EpochRecord next) {
  for (;;) {
    next.epoch = x_record.epoch + 1;
    for (std::size_t slot = 0; slot < next.members.size(); ++slot) {
      next.members[slot].live = live(static_cast<Slot>(slot));
    }
    std::erase_if(next.mirrors, [&](Slot s) { return !live(s); });
    const std::array<unsigned, 1> half{static_cast<unsigned>(next.epoch % 2)};
    bool complete = true;
    for (const Slot slot : live_slots()) {
      if (const auto r =
              write_slots(*x_disks[slot], kEpochFile, next, half, io::Access::read_write);
          !r) {
        log::error("a drive failed while the epoch was written",
                   {{"drive", x_disks[slot]->name()}, {"error", r.error().describe()}});
        x_live[slot].store(false);
        complete = false;
      }
    }
    x_record = next;
    if (complete) {
      x_epoch.store(next.epoch, std::memory_order_release);
      log::info("epoch", {{"epoch", next.epoch}, {"live", live_slots().size()}});
      return live_slots().empty() ? fail(Errc::io_error, "no drive is left") : ok();
    }
  }
}

Result<void> DriveSet::eject(Slot slot, const Error& why) {
  {
    const std::lock_guard lock(x_mutex);
    if (!live(slot)) {
      return ok();
    }
    x_live[slot].store(false, std::memory_order_release);
    log::error("drive ejected", {{"drive", x_disks[slot]->name()}, {"error", why.describe()}});
    if (!write_parity(live_slots().size())) {
      return fail(Errc::read_only, "fewer than m+1 drives are left");
    }
    TRYV(publish(x_record));
  }
  for (const auto& listener : x_listeners) {
    listener(slot);
  }
  return ok();
}

Result<void> DriveSet::set_mirrors(std::vector<Slot> mirrors) {
  const std::lock_guard lock(x_mutex);
  EpochRecord next = x_record;
  next.mirrors = std::move(mirrors);
  return publish(std::move(next));
}

}  // namespace outcrop::drives
