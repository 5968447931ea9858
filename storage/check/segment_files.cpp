#include "storage/check/segment_files.h"

#include <algorithm>
#include <bit>

#include "storage/check/mirror_check.h"
#include "storage/meta/tables.h"

namespace outcrop::check {
namespace {

using drives::Slot;

constexpr const char* kRebuilt =
    "start the server: repair makes the shard anew from the others (outcrop drive status shows it)";

class FileCheck {
 public:
  FileCheck(meta::MetaStore& meta, const drives::DriveSet& drives, Report& report)
      : x_meta(meta), x_drives(drives), x_record(drives.record()), x_report(report) {}

  Task<Segments> run() {
    CO_TRY(const auto counter,
           co_await x_meta.get(meta::table_key(meta::Table::system, "next_segment"), {}));
    Reader r(counter ? std::string_view(*counter) : std::string_view());
    const std::uint64_t next = r.varint();
    CO_TRYV(co_await load(r.done() ? next : 0));
    for (const Slot slot : x_drives.live_slots()) {
      CO_TRYV(look(slot));
    }
    missing_files();
    x_report.segments = x_segments.size();
    co_return std::move(x_segments);
  }

 private:
  Task<> load(SegmentId next) {
    meta::ScanRequest request{.lower = meta::table_key(meta::Table::segment),
                              .upper = meta::prefix_end(meta::table_key(meta::Table::segment))};
    for (bool more = true; more;) {
      CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request, {}));
      for (const auto& [key, value] : page.entries) {
        add(key, value, next);
      }
      more = page.more && !page.entries.empty();
      if (more) {
        request.lower = page.entries.back().key + '\0';
      }
    }
    co_return ok();
  }

  void add(const std::string& key, const std::string& value, SegmentId next) {
    auto record = segment::decode_segment(value);
    if (!record || key != meta::segment_key(record->id)) {
      x_report.findings.problem("segment-record",
                                "the catalogue record of a segment makes no sense",
                                "the server does not start with it: restore the other mirror, see "
                                "the findings about mirrors");
      return;
    }
    if (record->id >= next) {
      x_report.findings.problem(
          "segment-number", "segment " + hex16(record->id) + " is beyond the counter of segments",
          "do not start the server: a new segment could take its files; report this");
    }
    SegmentState state{.record = *std::move(record), .present = 0, .holes = 0, .used = false};
    state.holes = state.record.holes;
    for (unsigned i = 0; i < state.record.slots.size(); ++i) {
      const Slot slot = state.record.slots[i];
      const bool member = slot < x_record.members.size() && !x_record.members[slot].uuid.is_nil();
      if (!member) {
        x_report.findings.problem("segment-slot",
                                  "segment " + hex16(state.record.id) + " has a shard in slot " +
                                      std::to_string(slot) + ", which no drive has",
                                  kRebuilt);
      }
      // As the server will settle it: what was open while a drive was away may lack data there.
      const bool away = !member || !x_record.members[slot].live || x_record.members[slot].returning;
      state.holes |= !state.record.closed && away ? 1U << i : 0;
    }
    x_segments.emplace(state.record.id, std::move(state));
  }

  Result<void> look(Slot slot) {
    io::Disk& disk = *x_drives.disk(slot);
    const auto names = disk.list("segments");
    if (!names) {
      x_report.findings.problem("segments-unreadable",
                                drive_name(x_drives, slot) +
                                    ": its segments cannot be listed: " + names.error().describe(),
                                "replace the drive: all that is on it is rebuilt from the others");
      return ok();
    }
    std::uint64_t unknown = 0;
    std::string first;
    for (const std::string& name : *names) {
      if (!known(slot, disk, name)) {
        first = unknown++ == 0 ? name : first;
      }
    }
    if (unknown > 0) {
      x_report.findings.note("files-of-no-segment",
                             drive_name(x_drives, slot) + ": " + count_of(unknown, "file") +
                                 " in segments belong to no segment (" + quoted(first) +
                                 "): a crash or a drive that was away leaves them",
                             "nothing: the next start takes their space back");
    }
    return ok();
  }

  bool known(Slot slot, io::Disk& disk, const std::string& name) {
    const auto shard = segment::parse_shard_name(name);
    const auto at = shard ? x_segments.find(shard->first) : x_segments.end();
    if (at == x_segments.end() || shard->second >= at->second.record.slots.size() ||
        at->second.record.slots[shard->second] != slot) {
      return false;
    }
    SegmentState& state = at->second;
    const auto size = size_of(disk, "segments/" + name);
    if (!size || *size != state.record.shard_bytes) {
      x_report.findings.problem(
          "shard-size",
          drive_name(x_drives, slot) + ": shard " + std::to_string(shard->second) + " of segment " +
              hex16(state.record.id) +
              (size ? " has " + count_of(*size, "byte") + " and should have " +
                          std::to_string(state.record.shard_bytes)
                    : " cannot be opened: " + size.error().describe()),
          "what is left of it is used; start the server: what is missing is read from the other "
          "shards and written anew; if it happens again, replace the drive");
    }
    if (size) {
      state.present |= 1U << shard->second;
    }
    return true;
  }

  static Result<std::uint64_t> size_of(io::Disk& disk, const std::string& path) {
    TRY(const auto file, disk.open(path, io::Access::read, io::Cache::buffered));
    return file->size();
  }

  // One finding for each drive that lacks files, and one for each that is not there at all.
  void missing_files() {
    std::map<Slot, std::uint64_t> lacking, away;
    std::map<Slot, std::string> first;
    for (const auto& [id, state] : x_segments) {
      for (unsigned i = 0; i < state.record.slots.size(); ++i) {
        const Slot slot = state.record.slots[i];
        const bool live = slot < x_drives.slots() && x_drives.live(slot);
        if (live && (state.present & (1U << i)) == 0 && (state.holes & (1U << i)) == 0) {
          ++lacking[slot];
          first.emplace(slot, segment::shard_path(id, i));
        }
        away[slot] += live ? 0 : 1;
      }
    }
    for (const auto& [slot, n] : lacking) {
      x_report.findings.problem("shard-missing",
                                drive_name(x_drives, slot) + ": " + count_of(n, "shard file") +
                                    " that should be there are missing (" + first[slot] + ")",
                                kRebuilt);
    }
    for (const auto& [slot, n] : away) {
      if (n > 0) {
        x_report.findings.problem(
            "segments-degraded",
            count_of(n, "segment") + " lack the shard on " + drive_name(x_drives, slot) +
                ", which is not here",
            "put the drive back or add an empty one: the server rebuilds what it held");
      }
    }
  }

  meta::MetaStore& x_meta;
  const drives::DriveSet& x_drives;
  const drives::EpochRecord x_record;
  Report& x_report;
  Segments x_segments;
};

}  // namespace

Task<Segments> check_segment_files(meta::MetaStore& meta,
                                   const drives::DriveSet& drives,
                                   Report& report) {
  FileCheck check(meta, drives, report);
  co_return co_await check.run();
}

}  // namespace outcrop::check
