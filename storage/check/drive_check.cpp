#include "storage/check/drive_check.h"

#include <algorithm>

#include "storage/drives/identity.h"

namespace outcrop::check {
namespace {

using drives::EpochRecord;
using drives::Superblock;

/// The two copies of a control file.
template <class T>
struct Copies {
  std::vector<T> good;
  unsigned damaged = 0;  ///< neither good nor never written
};

template <class T, class Decode>
Result<Copies<T>> read_copies(io::Disk& disk, std::string_view file, Decode decode) {
  Copies<T> out;
  auto handle = disk.open(file, io::Access::read, io::Cache::buffered);
  if (!handle) {
    return fail(handle.error());
  }
  for (unsigned slot = 0; slot < 2; ++slot) {
    drives::SlotBytes bytes{};
    const auto n = (*handle)->read_sync(slot * drives::kSlotBytes, bytes);
    auto value = n ? decode(ConstBytes(bytes).first(*n)) : Result<T>(fail(n.error()));
    const bool blank = n && std::ranges::all_of(ConstBytes(bytes).first(*n),
                                                [](std::byte b) { return b == std::byte{}; });
    if (value) {
      out.good.push_back(*std::move(value));
    } else if (!blank) {
      ++out.damaged;
    }
  }
  return out;
}

/// What to do about a drive that cannot be used as it is.
constexpr const char* kReplace =
    "mount the right drive there; if its data is gone, empty it (or put an empty one in its place) "
    "and start the server: it joins, and what it held is rebuilt from the others";

class DriveLook {
 public:
  DriveLook(const LastPath& last_path, Report& report) : x_last_path(last_path), x_report(report) {}

  Result<void> add(const DriveInput& input) {
    if (!input.disk) {
      return ok();  // missing: its member shows without it
    }
    if (auto locked = input.disk->lock(); !locked) {
      const bool used = locked.error().code() == Errc::already_exists;
      return fail(
          locked.error().code(),
          used ? "drive " + quoted(input.path) + " is in use: a server runs on it; stop it first"
               : "drive " + quoted(input.path) + ": " + locked.error().describe());
    }
    const auto supers =
        read_copies<Superblock>(*input.disk, drives::kSuperblockFile, drives::decode_superblock);
    const auto epochs =
        read_copies<EpochRecord>(*input.disk, drives::kEpochFile, drives::decode_epoch);
    if (!supers || supers->good.empty() || !epochs || epochs->good.empty()) {
      return unusable(input, supers && !supers->good.empty());
    }
    if (supers->damaged > 0) {
      x_report.findings.problem(
          "superblock-copy", "drive " + quoted(input.path) + ": one of two superblocks is damaged",
          "the other one serves; the drive loses data, so replace it: outcrop drive drain, then "
          "remove it and add an empty one");
    }
    if (epochs->damaged > 0) {
      x_report.findings.note(
          "epoch-copy", "drive " + quoted(input.path) + ": one of two epoch records is damaged",
          "nothing: it may be one that a crash cut off, the other one counts and the next epoch "
          "is written over it");
    }
    drives::Found found{supers->good.front(), epochs->good};
    std::ranges::sort(found.records, std::greater{}, &EpochRecord::epoch);
    x_found.push_back(std::move(found));
    x_paths.push_back(input.path);
    return ok();
  }

  void judge() {
    const EpochRecord* const record = x_found.empty() ? nullptr : drives::newest_complete(x_found);
    if (record == nullptr) {
      return;
    }
    x_report.cluster = record->cluster.to_string();
    x_report.epoch = drives::newest_epoch(x_found);
    x_report.parity = record->parity;
    std::vector<bool> here(record->members.size());
    for (std::size_t i = 0; i < x_found.size(); ++i) {
      judge_found(*record, x_found[i], x_paths[i], here);
    }
    for (std::size_t slot = 0; slot < here.size(); ++slot) {
      if (!here[slot] && !record->members[slot].uuid.is_nil()) {
        missing(*record, static_cast<unsigned>(slot));
      }
    }
    std::ranges::sort(x_report.drives, {}, [](const DriveView& d) { return d.slot.value_or(999); });
  }

 private:
  Result<void> unusable(const DriveInput& input, bool superblock) {
    TRY(const bool blank, drives::is_blank(*input.disk));
    x_report.drives.push_back({.slot = {},
                               .path = input.path,
                               .uuid = {},
                               .state = blank ? DriveState::joining : DriveState::unusable,
                               .draining = false,
                               .mirror = false,
                               .epoch = 0});
    if (blank) {
      x_report.findings.problem(
          "drive-blank", "drive " + quoted(input.path) + " is empty",
          "mount its filesystem if it should hold data; else the next start adds it to the store");
    } else {
      x_report.findings.problem(
          "drive-unusable",
          "drive " + quoted(input.path) +
              (superblock ? ": its epoch record is missing or damaged in both copies"
                          : " has no superblock that can be read"),
          kReplace);
    }
    return ok();
  }

  DriveView view(const EpochRecord& record, unsigned slot) const {
    const drives::Member& member = record.members[slot];
    return {
        .slot = slot,
        .path = {},
        .uuid = member.uuid.to_string(),
        .state = member.live ? DriveState::live : DriveState::stale,
        .draining = member.draining,
        .mirror = member.live && std::ranges::find(record.mirrors, slot) != record.mirrors.end(),
        .epoch = record.epoch};
  }

  void judge_found(const EpochRecord& record,
                   const drives::Found& found,
                   const std::string& path,
                   std::vector<bool>& here) {
    const Superblock& id = found.superblock;
    if (!drives::is_member(record, id)) {
      const bool joining = found.epoch() > record.epoch;
      x_report.drives.push_back({.slot = {},
                                 .path = path,
                                 .uuid = id.drive.to_string(),
                                 .state = joining ? DriveState::joining : DriveState::not_a_member,
                                 .draining = false,
                                 .mirror = false,
                                 .epoch = found.epoch()});
      x_report.findings.note("drive-not-a-member",
                             "drive " + quoted(path) + " is no member of the store" +
                                 (joining ? ": a crash cut its joining off" : " any more"),
                             joining
                                 ? "nothing: the next start adds it"
                                 : "take it out of storage.drives, or empty it and add it anew");
      return;
    }
    here[id.slot] = true;
    DriveView drive = view(record, id.slot);
    drive.path = path;
    drive.epoch = found.epoch();
    if (drive.state == DriveState::stale) {
      x_report.findings.problem(
          "drive-stale",
          "drive " + quoted(path) + " (slot " + std::to_string(id.slot) +
              ") was away while the others went on: it has epoch " + std::to_string(drive.epoch) +
              ", they have " + std::to_string(x_report.epoch),
          "nothing: the next start takes it back, reads payload from it that verifies, drops its "
          "metadata, and fills in what it missed");
    }
    x_report.drives.push_back(std::move(drive));
  }

  void missing(const EpochRecord& record, unsigned slot) {
    DriveView drive = view(record, slot);
    const bool was_live = drive.state == DriveState::live;
    drive.state = DriveState::missing;
    drive.path = x_last_path ? x_last_path(drive.uuid) : std::string();
    x_report.findings.problem(
        "drive-missing",
        "the drive in slot " + std::to_string(slot) + " (" + drive.uuid + ", " +
            (drive.path.empty() ? "last path not known" : "last seen at " + quoted(drive.path)) +
            ") is not here" + (was_live ? "" : "; the store has been going on without it"),
        "mount it or put it back and start the server; if it is dead, outcrop drive add an empty "
        "one: what it held is rebuilt from the others");
    x_report.drives.push_back(std::move(drive));
  }

  const LastPath& x_last_path;
  Report& x_report;
  std::vector<drives::Found> x_found;
  std::vector<std::string> x_paths;  ///< of x_found
};

}  // namespace

Result<void> look_at_drives(const std::vector<DriveInput>& drives,
                            const LastPath& last_path,
                            Report& report) {
  DriveLook look(last_path, report);
  for (const DriveInput& input : drives) {
    TRYV(look.add(input));
  }
  look.judge();
  return ok();
}

}  // namespace outcrop::check
