#include "storage/drives/identity.h"

#include <algorithm>
#include <map>

#include "storage/base/log.h"
#include "storage/drives/format.h"

namespace outcrop::drives {
namespace {

template <class Decode>
auto read_slots(io::Disk& disk, std::string_view file, Decode decode)
    -> Result<std::vector<typename std::invoke_result_t<Decode, ConstBytes>::value_type>> {
  using T = typename std::invoke_result_t<Decode, ConstBytes>::value_type;
  TRY(const auto handle, disk.open(file, io::Access::read, io::Cache::buffered));
  std::vector<T> good;
  for (unsigned slot = 0; slot < 2; ++slot) {
    SlotBytes bytes{};
    TRY(const std::size_t n, handle->read_sync(slot * kSlotBytes, bytes));
    auto value = decode(ConstBytes(bytes).first(n));
    if (value) {
      good.push_back(*std::move(value));
    } else if (value.error().code() == Errc::not_implemented) {
      return fail(Errc::config, quoted(disk) + ": " + std::string(value.error().detail()) +
                                    " is newer than this outcropd: upgrade it");
    }
  }
  return good;
}

}  // namespace

Result<Found> read_identity(io::Disk& disk) {
  TRY(const bool has_superblock, disk.exists(kSuperblockFile));
  if (!has_superblock) {
    TRY(const bool has_epoch, disk.exists(kEpochFile));
    TRY(const bool blank, is_blank(disk));
    if (has_epoch) {
      return fail(Errc::config, quoted(disk) +
                                    " is half formatted: --init did not finish; empty all drives "
                                    "of the list and --init again");
    }
    return fail(Errc::corrupt,
                quoted(disk) + (blank ? " is blank: is its filesystem mounted? A new cluster is "
                                        "made with --init on blank drives only"
                                      : " holds other files and no Outcrop superblock: not used"));
  }
  TRY(const auto superblocks, read_slots(disk, kSuperblockFile, decode_superblock));
  if (superblocks.empty()) {
    return fail(Errc::corrupt,
                quoted(disk) + ": both superblock copies are damaged: replace the drive");
  }
  auto records = read_slots(disk, kEpochFile, decode_epoch);
  if (!records && records.error().code() == Errc::config) {
    return fail(records.error());
  }
  if (!records || records->empty()) {
    return fail(Errc::corrupt,
                quoted(disk) + ": the epoch record is missing or damaged: replace the drive");
  }
  Found found{superblocks.front(), *std::move(records)};
  std::ranges::sort(found.records, std::greater{}, &EpochRecord::epoch);
  if (found.records.front().cluster != found.superblock.cluster) {
    return fail(Errc::config, quoted(disk) + ": superblock and epoch record name two clusters");
  }
  return found;
}

std::string quoted(const io::Disk& disk) { return "drive \"" + std::string(disk.name()) + "\""; }

Result<bool> is_blank(io::Disk& disk) {
  TRY(const auto names, disk.list(""));
  return std::ranges::all_of(names, [](const std::string& n) {
    return n == "lost+found" || n == "lock" || n == kNewSuperblockFile;
  });
}

namespace {

/// Blank, or no further than the superblock and epoch file of a join that was cut off.
Result<bool> is_unused(io::Disk& disk) {
  TRY(const auto names, disk.list(""));
  return std::ranges::all_of(names, [](const std::string& n) {
    return n == "lost+found" || n == "lock" || n == kNewSuperblockFile || n == kSuperblockFile ||
           n == kEpochFile;
  });
}

}  // namespace

Result<std::optional<Superblock>> look_at_newcomer(io::Disk& disk) {
  TRY(const bool blank, is_blank(disk));
  if (blank) {
    return std::optional<Superblock>();
  }
  TRY(const bool has_superblock, disk.exists(kSuperblockFile));
  if (!has_superblock) {
    return fail(Errc::invalid_argument,
                quoted(disk) + " holds other files: only an empty drive can be added");
  }
  TRY(const auto superblocks, read_slots(disk, kSuperblockFile, decode_superblock));
  if (superblocks.empty()) {
    return fail(Errc::invalid_argument,
                quoted(disk) + ": its superblock is damaged: empty the drive, then add it");
  }
  return std::optional<Superblock>(superblocks.front());
}

Result<std::vector<Found>> read_identities(std::vector<std::unique_ptr<io::Disk>>& disks,
                                           std::vector<std::unique_ptr<io::Disk>>& blank) {
  std::vector<Found> found;
  std::vector<std::unique_ptr<io::Disk>> good;
  std::map<Uuid, std::size_t> seen;
  std::optional<Error> refused;
  for (auto& disk : disks) {
    const auto locked = disk->lock();
    if (!locked && locked.error().code() == Errc::already_exists) {
      return fail(Errc::config, quoted(*disk) + " is in use by another process");
    }
    // A drive that cannot even be locked is like one that is missing.
    auto one = locked ? read_identity(*disk)
                      : Result<Found>(fail(locked.error().code(),
                                           quoted(*disk) + ": " + locked.error().describe()));
    if (!one) {
      if (one.error().code() == Errc::config) {
        return fail(one.error());
      }
      refused = refused ? refused : one.error();
      if (auto unused = locked ? is_unused(*disk) : Result<bool>(false); unused && *unused) {
        blank.push_back(std::move(disk));
      } else {
        log::error("a drive is not used", {{"why", one.error().describe()}});
      }
      continue;
    }
    if (!found.empty() && one->superblock.cluster != found.front().superblock.cluster) {
      return fail(Errc::config, quoted(*disk) + " belongs to another cluster (" +
                                    one->superblock.cluster.to_string() + ") than " +
                                    quoted(*good[0]) + ": remove it from storage.drives");
    }
    if (const auto [at, fresh] = seen.emplace(one->superblock.drive, good.size()); !fresh) {
      return fail(Errc::config, quoted(*disk) + " is a copy of " + quoted(*good[at->second]) +
                                    " (same identity): remove one of them");
    }
    found.push_back(*std::move(one));
    good.push_back(std::move(disk));
  }
  if (found.empty()) {
    return fail(Errc::config, refused ? std::string(refused->detail()) : "no drive is there");
  }
  disks = std::move(good);
  return found;
}

std::uint64_t newest_epoch(const std::vector<Found>& found) {
  return std::ranges::max(found, {}, &Found::epoch).epoch();
}

bool is_member(const EpochRecord& record, const Superblock& superblock) {
  return superblock.slot < record.members.size() &&
         record.members[superblock.slot].uuid == superblock.drive;
}

const EpochRecord* newest_complete(const std::vector<Found>& found) {
  std::vector<const EpochRecord*> records;
  for (const Found& f : found) {
    for (const EpochRecord& r : f.records) {
      records.push_back(&r);
    }
  }
  std::ranges::sort(records, std::greater{}, [](const EpochRecord* r) { return r->epoch; });
  for (const EpochRecord* r : records) {
    const bool complete = std::ranges::all_of(found, [r](const Found& f) {
      const bool called_live = is_member(*r, f.superblock) && r->members[f.superblock.slot].live;
      return !called_live || f.epoch() > r->epoch ||
             std::ranges::find(f.records, *r) != f.records.end();
    });
    if (complete) {
      return r;
    }
  }
  return nullptr;
}

std::optional<EpochRecord> read_witness(io::Disk& state_dir) {
  const auto records = read_slots(state_dir, kWitnessFile, decode_epoch);
  if (!records || records->empty()) {
    return std::nullopt;
  }
  return std::ranges::max(*records, {}, &EpochRecord::epoch);
}

Result<void> check_quorum(const EpochRecord& record,
                          std::size_t present_live,
                          const std::optional<EpochRecord>& witness,
                          bool allow_reduced_redundancy) {
  const auto live = static_cast<std::size_t>(
      std::ranges::count_if(record.members, [](const Member& m) { return m.live; }));
  const bool knows = witness && witness->cluster == record.cluster;
  if (knows && witness->epoch > record.epoch && present_live < live) {
    return fail(Errc::config,
                "these drives were away when the others went on without them (epoch " +
                    std::to_string(record.epoch) + ", state_dir knows " +
                    std::to_string(witness->epoch) + "): put the others back, then start again");
  }
  const std::size_t all_but_m = live - std::min<std::size_t>(live, record.parity);
  const std::size_t majority = live / 2 + 1;
  const bool half_is_enough = knows && *witness == record && !allow_reduced_redundancy;
  const std::size_t need =
      half_is_enough ? std::max<std::size_t>(all_but_m, 1) : std::max(all_but_m, majority);
  if (present_live >= need) {
    return ok();
  }
  return fail(Errc::config, "only " + std::to_string(present_live) + " of " + std::to_string(live) +
                                " drives of the cluster are here and at least " +
                                std::to_string(need) +
                                " are needed: check cables, mounts, storage.drives and state_dir, "
                                "then start again");
}

}  // namespace outcrop::drives
