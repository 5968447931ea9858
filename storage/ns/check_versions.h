// The part of check_tree about Table::version: its records and the dirents side by side, in the
// order of directories and names that both tables have. Memory is bounded by one name. Internal.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "storage/ns/check_facts.h"
#include "storage/ns/keys.h"
#include "storage/ns/version_record.h"

namespace outcrop::ns {

class VersionWalk {
 public:
  VersionWalk(meta::MetaStore& meta,
              meta::SnapshotPtr at,
              Pulse& pulse,
              io::ExternalSort& facts,
              TreeReport& report)
      : x_facts(facts),
        x_report(report),
        x_cursor(meta, std::move(at), meta::Table::version, pulse) {}

  /// Before the first dirent.
  Task<> begin();
  /// Nothing is left to be compared with dirents.
  bool done() const { return !x_next && !x_key; }
  /// For each dirent of a file, in the order of the table: what is current at that key.
  Task<> current(InodeId directory, std::string_view name, VersionStamp stamp);
  /// After the last dirent.
  Task<> finish();

 private:
  /// What the table says of one key.
  struct KeyState {
    InodeId directory;
    std::string name;
    std::uint64_t newest = 0;
    bool any = false;  ///< a version or marker was read; `newest` is of the first
    bool newest_marker = false, current = false;
    std::optional<std::uint64_t> null = {}, null_pointer = {};
  };

  Task<> read_next();
  Task<> read_key();
  Result<void> take();
  Result<void> take_version(KeyState& state);
  Result<void> note_inode(InodeId ino, std::string_view value);
  void finish_key();
  Result<void> finish_directory();

  io::ExternalSort& x_facts;
  TreeReport& x_report;
  TableCursor x_cursor;
  std::optional<VersionKey> x_next;  ///< of the record that the cursor is at
  std::optional<KeyState> x_key;     ///< the last that was read
  InodeId x_directory = 0;           ///< whose records are being read
  std::uint64_t x_records = 0;
};

}  // namespace outcrop::ns
