#include "storage/meta/journal_check.h"

#include <algorithm>
#include <set>

namespace outcrop::meta {
namespace {

using Kind = JournalComplaint::Kind;

/// The length most files have: all are made alike, and one that is cut is shorter.
std::uint64_t usual_length(const std::vector<JournalFileSeen>& files) {
  std::map<std::uint64_t, std::size_t> lengths;
  for (const JournalFileSeen& file : files) {
    ++lengths[file.bytes];
  }
  const auto most = std::ranges::max_element(
      lengths, {}, [](const auto& entry) { return std::pair(entry.second, entry.first); });
  return most == lengths.end() ? 0 : most->first;
}

void check_files(const std::vector<JournalFileSeen>& files, JournalReport& report) {
  const std::uint64_t usual = usual_length(files);
  for (const JournalFileSeen& file : files) {
    if (file.unreadable) {
      report.complaints.push_back(
          {Kind::unreadable, file.slot, file.path, 0, file.unreadable->describe()});
    } else if (file.blocks > 0 && file.bytes < usual) {
      // A crash leaves short ones, too, but before there is anything in them.
      report.complaints.push_back({Kind::cut, file.slot, file.path, usual - file.bytes});
    }
  }
}

/// The drives that have any block of a generation, with the file it is in.
using Replicas = std::map<drives::Slot, std::string>;

/// What one worker wrote.
class WorkerCheck {
 public:
  WorkerCheck(const std::map<Sequence, StoredBlock>& blocks,
              const drives::DriveSet& drives,
              std::map<drives::Slot, JournalComplaint>& lacks)
      : x_blocks(blocks), x_drives(drives), x_epoch(drives.record().epoch), x_lacks(lacks) {}

  void run(JournalReport& report) {
    for (const auto& [last, block] : x_blocks) {
      for (const StoredBlock::Copy& copy : block.copies) {
        x_replicas[copy.header.generation].emplace(copy.slot, copy.path);
      }
    }
    JournalComplaint few{Kind::too_few, 0, {}, 0};
    for (const auto& [last, block] : x_blocks) {
      if (last != x_blocks.rbegin()->first && !complete(block)) {
        few.slot = block.copies.front().slot;
        few.path = block.copies.front().path;
        ++few.count;
      }
    }
    if (few.count > 0) {
      report.complaints.push_back(few);
    }
  }

 private:
  // A generation that has every copy is enough: an earlier one may have been given up half done.
  bool complete(const StoredBlock& block) {
    std::map<std::uint64_t, std::set<drives::Slot>> have;
    for (const StoredBlock::Copy& copy : block.copies) {
      have[copy.header.generation].insert(copy.slot);
    }
    const auto& [generation, slots] = *have.rbegin();
    for (const auto& [slot, path] : x_replicas[generation]) {
      if (!slots.contains(slot)) {
        JournalComplaint& complaint = x_lacks[slot];
        complaint.slot = slot;
        complaint.path = path;
        ++complaint.count;
      }
    }
    const bool full = x_replicas[generation].size() > x_drives.parity();
    // Before the newest epoch there may have been other drives, which have gone since.
    const bool comparable = block.header.epoch == x_epoch &&
                            x_drives.current_at_open().size() == x_drives.live_slots().size();
    return full || !comparable || x_drives.live_slots().size() <= x_drives.parity();
  }

  const std::map<Sequence, StoredBlock>& x_blocks;
  const drives::DriveSet& x_drives;
  const std::uint64_t x_epoch;
  std::map<drives::Slot, JournalComplaint>& x_lacks;
  std::map<std::uint64_t, Replicas> x_replicas;  ///< by generation
};

}  // namespace

JournalReport check_journals(drives::DriveSet& drives,
                             const std::function<Sequence(unsigned)>& flushed) {
  JournalReport report;
  JournalReader reader(drives);
  reader.scan(flushed);
  reader.drop_passed_over();
  report.files = reader.files().size();
  check_files(reader.files(), report);
  std::map<drives::Slot, JournalComplaint> lacks;
  for (const auto& [worker, blocks] : reader.blocks()) {
    report.blocks += blocks.size();
    if (!blocks.empty()) {
      WorkerCheck(blocks, drives, lacks).run(report);
    }
  }
  for (auto& [slot, complaint] : lacks) {
    complaint.kind = Kind::lacks;
    report.complaints.push_back(std::move(complaint));
  }
  return report;
}

}  // namespace outcrop::meta
