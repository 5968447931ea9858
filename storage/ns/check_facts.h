// The first pass of check_tree: reads all tables but inodes and references, and notes what each
// record says about which inode, so that all of it can be judged in the order of inodes. Internal.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "storage/io/external_sort.h"
#include "storage/meta/tables.h"
#include "storage/ns/check.h"
#include "storage/ns/record_codec.h"
#include "storage/ns/upload_record.h"

namespace outcrop::ns {

/// What the facts are about.
enum class About : char { inode = 'i', cookie = 'k', upload = 'u' };

enum class Fact : char {
  // Of an inode, in the order in which they are read.
  bucket = 'B',    ///< rest: the bucket's name
  children = 'C',  ///< value: varint count, varint of it explicit
  history = 'H',   ///< value: varint count of the directory's records in Table::version
  name = 'N',  ///< rest: BE64 parent, name; value: 'd' and a dirent record, 'l' and a link record
  orphan = 'O',
  upload = 'U',   ///< rest: the object key; it should be a bucket's root
  version = 'V',  ///< rest: BE64 directory, name; value: 'f' and a dirent record, or 'd'
  xattr = 'X',    ///< value: varint bytes
  // Of a cookie; the value is BE64 inode, BE64 parent, name.
  link_says = 'L',
  cookie_says = 'M',
  // Of an upload.
  exists = 'P',  ///< value: kPlainKind, kSealedKind
  part = 'Q',    ///< the same, as its sizes say, or kUnknownKind
};

inline constexpr std::string_view kPlainKind = "p", kSealedKind = "s", kUnknownKind = "?";

std::string fact_key(About about, std::uint64_t number, Fact fact, std::string_view rest = {});

/// The facts, sorted, one at a time.
class FactReader {
 public:
  explicit FactReader(io::ExternalSort& sorted) : x_sorted(sorted) {}
  /// Before the first look, and to the next one.
  Result<void> advance() {
    TRY(x_any, x_sorted.next());
    return ok();
  }
  bool any(About about) const {
    return x_any && x_sorted.key().front() == static_cast<char>(about);
  }
  std::uint64_t number() const;
  Fact fact() const { return static_cast<Fact>(x_sorted.key()[9]); }
  std::string_view rest() const { return x_sorted.key().substr(10); }
  std::string_view value() const { return x_sorted.value(); }

 private:
  io::ExternalSort& x_sorted;
  bool x_any = false;
};

/// Counts records for CheckOptions::progress.
class Pulse {
 public:
  explicit Pulse(const CheckOptions& options) : x_options(options) {}
  Result<void> beat();

 private:
  const CheckOptions& x_options;
  std::uint64_t x_records = 0;
};

/// All records of a table, one at a time, their keys without the table's byte.
class TableCursor {
 public:
  TableCursor(meta::MetaStore& meta, meta::SnapshotPtr at, meta::Table table, Pulse& pulse);
  /// Null: no more. Holds until the next call.
  Task<const meta::KeyValue*> next();
  std::string_view key() const { return std::string_view(x_page.entries[x_at].key).substr(1); }
  std::string_view value() const { return x_page.entries[x_at].value; }

 private:
  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_snapshot;
  Pulse& x_pulse;
  meta::ScanRequest x_request;
  meta::ScanPage x_page;
  std::size_t x_at = 0;
  bool x_began = false;
};

/// Notes which extents the pieces of one record use.
Result<void> note_uses(io::ExternalSort& uses,
                       InodeId owner,
                       const std::vector<Piece>& pieces,
                       std::uint64_t& payload);

class FactCollector {
 public:
  FactCollector(meta::MetaStore& meta,
                meta::SnapshotPtr at,
                InodeId next_inode,
                Pulse& pulse,
                io::ExternalSort& facts,
                io::ExternalSort& uses,
                TreeReport& report)
      : x_meta(meta),
        x_at(std::move(at)),
        x_next_inode(next_inode),
        x_pulse(pulse),
        x_facts(facts),
        x_uses(uses),
        x_report(report) {}
  Task<> run();

 private:
  using Handler = Result<void> (FactCollector::*)(std::string_view key, std::string_view value);
  Task<> each(meta::Table table, Handler handler);
  Result<void> bucket(std::string_view key, std::string_view value);
  Task<> dirents();
  Result<std::optional<VersionStamp>> dirent(std::string_view key, std::string_view value);
  Result<void> finish_directory();
  Result<void> link(std::string_view key, std::string_view value);
  Result<void> left_name(std::string_view key, std::string_view value);
  Result<void> orphan(std::string_view key, std::string_view value);
  Result<void> xattr(std::string_view key, std::string_view value);
  Result<void> finish_xattrs();
  Result<void> upload(std::string_view key, std::string_view value);
  Result<void> part(std::string_view key, std::string_view value);
  Result<void> finish_part();

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  const InodeId x_next_inode;
  Pulse& x_pulse;
  io::ExternalSort& x_facts;
  io::ExternalSort& x_uses;
  TreeReport& x_report;
  InodeId x_directory = 0;  ///< whose entries are being read
  std::uint64_t x_children = 0, x_explicit = 0;
  InodeId x_attributed = 0;  ///< whose extended attributes are being read
  std::uint64_t x_xattr_bytes = 0;
  std::optional<PartRecord> x_part;  ///< the one whose continuation records are being read
  std::string x_part_key;
  std::uint32_t x_part_tails = 0;
  std::uint64_t x_part_payload = 0;
};

}  // namespace outcrop::ns
