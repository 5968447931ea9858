#include "storage/ns/check.h"

#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "storage/meta/extent_ref.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/core.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/transaction.h"
#include "storage/ns/upload_record.h"
#include "storage/ns/version_record.h"

namespace outcrop::ns {
namespace {

using meta::Table;

struct InodeState {
  InodeType type = InodeType::file;
  InodeId parent = 0;
  std::string name;
  DirentRecord expected;  ///< of a file: what its dirent must show
  std::uint32_t names = 0, links = 1, link_records = 0;
  std::uint64_t xattr_bytes = 0, xattrs_seen = 0;
  bool orphan = false, posix = false, back_pointer = false;
  std::uint32_t tails = 0, tails_seen = 0;
  std::uint64_t children = 0, explicit_children = 0;  ///< bare inodes are explicit
  bool implicit = false, root = false;
  bool history = false;
  std::uint64_t version_records = 0;  ///< of a directory: its own in Table::version
  std::uint64_t size = 0, payload = 0;
};

/// What Table::version says of one key.
struct KeyState {
  std::uint64_t newest = 0;
  bool newest_marker = false, current = false;
  std::optional<std::uint64_t> null, null_pointer;
};

class Checker {
 public:
  explicit Checker(meta::MetaStore& meta) : x_meta(meta), x_at(meta.snapshot()) {}

  Task<TreeReport> run() {
    CO_TRYV(co_await counter());
    CO_TRYV(co_await each(Table::inode, &Checker::inode));
    CO_TRYV(co_await each(Table::bucket, &Checker::bucket));
    CO_TRYV(co_await each(Table::version, &Checker::version));
    CO_TRYV(co_await each(Table::dirent, &Checker::dirent));
    CO_TRYV(co_await each(Table::link, &Checker::link));
    CO_TRYV(co_await each(Table::left_name, &Checker::left_name));
    CO_TRYV(co_await each(Table::orphan, &Checker::orphan));
    CO_TRYV(co_await each(Table::xattr, &Checker::xattr));
    CO_TRYV(co_await each(Table::upload, &Checker::upload));
    CO_TRYV(co_await each(Table::upload_part, &Checker::part));
    finish_part();
    finish_inodes();
    finish_versions();
    CO_TRYV(co_await each(Table::extent_ref, &Checker::extent_ref));
    for (const auto& [ino, parent, name] : x_links) {
      problem("name without link record", ino, name);
    }
    if (x_cookies != x_cookie_records) {
      problem("link and cookie records differ", 0);
    }
    for (const auto& [ref, use] : x_used) {
      problem("extent without reference record", std::get<2>(ref),
              std::to_string(std::get<0>(ref)));
    }
    co_return std::move(x_report);
  }

 private:
  using Handler = void (Checker::*)(std::string_view key, std::string_view value);
  using Ref = std::tuple<SegmentId, std::uint64_t, InodeId>;
  using Place = std::tuple<InodeId, InodeId, std::string>;  ///< inode, parent, name

  // Calls the handler with every record of the table, its key without the table's byte.
  Task<> each(Table table, Handler handler) {
    meta::ScanRequest request{.lower = meta::table_key(table),
                              .upper = meta::prefix_end(meta::table_key(table))};
    for (bool more = true; more;) {
      CO_TRY(const meta::ScanPage page, co_await x_meta.scan(request, x_at));
      for (const auto& [key, value] : page.entries) {
        (this->*handler)(std::string_view(key).substr(1), value);
      }
      more = page.more && !page.entries.empty();
      if (more) {
        request.lower = page.entries.back().key + '\0';
      }
    }
    co_return ok();
  }

  Task<> counter() {
    CO_TRY(const auto value, co_await x_meta.get(inode_counter_key(), x_at));
    if (value) {
      CO_TRY(x_next_inode, decode_counter(*value));
    }
    co_return ok();
  }

  void problem(std::string_view what, InodeId ino, std::string_view detail = {}) {
    if (++x_report.problem_count <= kMaxProblems) {
      std::string line(what);
      line.append(": inode ").append(std::to_string(ino));
      if (!detail.empty()) {
        line.append(" (").append(detail).append(")");
      }
      x_report.problems.push_back(std::move(line));
    }
  }

  void use(InodeId owner, const std::vector<Piece>& pieces, std::uint64_t& payload) {
    for (const Piece& piece : pieces) {
      payload += piece.length;
    }
    // A record in several parts uses an extent in each of them.
    for (const ExtentUse& use : extent_uses(pieces)) {
      meta::ExtentRef& ref = x_used[{use.extent.segment, use.extent.offset, owner}];
      ref = {use.extent.length, std::min(use.extent.length, ref.used + use.used)};
    }
  }

  void inode(std::string_view key, std::string_view value) {
    if (key.size() != 8 && key.size() != 12) {
      return problem("inode key malformed", 0);
    }
    const InodeId ino = get_be64(key);
    if (key.size() == 12) {
      return inode_tail(ino, get_be32(key.substr(8)), value);
    }
    if (ino >= x_next_inode) {
      problem("inode number beyond the counter", ino);
    }
    auto record = decode_inode(value);
    if (!record) {
      return problem("inode record corrupt", ino, record.error().detail());
    }
    InodeState& state = x_inodes[ino];
    state.type = record->type;
    state.parent = record->parent;
    state.name = record->name;
    state.tails = record->tails;
    state.size = record->size;
    state.payload = record->inline_data.size();
    state.links = record->links();
    state.history = record->history;
    state.posix = record->posix.has_value();
    state.xattr_bytes = record->posix ? record->posix->xattr_bytes : 0;
    if (record->type == InodeType::file) {
      ++x_report.files;
      state.expected = dirent_of(ino, *record);
    } else if (is_bare(record->type)) {
      ++(record->type == InodeType::symlink ? x_report.symlinks : x_report.special_nodes);
      state.expected = {.ino = ino, .type = record->type};
    } else {
      ++x_report.directories;
    }
    use(ino, record->lists.pieces, state.payload);
  }

  // Follows its main record in key order.
  void inode_tail(InodeId ino, std::uint32_t index, std::string_view value) {
    const auto it = x_inodes.find(ino);
    RecordLists lists;
    if (it == x_inodes.end() || index != it->second.tails_seen) {
      return problem("stray inode continuation record", ino);
    }
    ++it->second.tails_seen;
    if (!append_tail(value, lists)) {
      return problem("inode continuation record corrupt", ino);
    }
    use(ino, lists.pieces, it->second.payload);
  }

  void bucket(std::string_view key, std::string_view value) {
    ++x_report.buckets;
    const auto record = decode_bucket(value);
    if (!record) {
      return problem("bucket record corrupt", 0, key);
    }
    const auto it = x_inodes.find(record->root);
    if (it == x_inodes.end() || it->second.type != InodeType::directory || it->second.name != key) {
      return problem("bucket without root directory", record->root, key);
    }
    ++it->second.names;
    it->second.root = true;
  }

  void dirent(std::string_view key, std::string_view value) {
    if (key.size() < 8) {
      return problem("dirent key malformed", 0);
    }
    const InodeId parent = get_be64(key);
    const std::string_view name = key.substr(8);
    const auto record = decode_dirent(value);
    if (!record) {
      return problem("dirent record corrupt", parent, name);
    }
    const bool directory = record->type == InodeType::directory;
    if (directory != name.ends_with('/') || name.substr(0, name.size() - directory).contains('/')) {
      problem("dirent name does not fit its type", parent, name);
    }
    const auto up = x_inodes.find(parent);
    if (up == x_inodes.end() || up->second.type != InodeType::directory) {
      problem("dirent in what is no directory", parent, name);
    } else {
      ++up->second.children;
      up->second.explicit_children += is_bare(record->type) || (directory && !record->implicit);
    }
    const auto it = x_inodes.find(record->ino);
    if (it == x_inodes.end() || it->second.type != record->type) {
      return problem("dangling dirent", record->ino, name);
    }
    InodeState& state = it->second;
    if (state.history) {
      problem("history in the tree", record->ino, name);
    }
    if (record->type == InodeType::file) {
      current_version(parent, name, record->version);
    }
    ++state.names;
    state.implicit = record->implicit;
    if (state.links > 1) {
      x_links.insert({record->ino, parent, std::string(name)});
    } else if (state.parent != parent || state.name != name) {
      problem("back pointer differs", record->ino, name);
    }
    if (!directory && *record != state.expected) {
      problem("listing summary differs", record->ino, name);
    }
  }

  // Before the dirents.
  void version(std::string_view key, std::string_view value) {
    const auto parsed = parse_version_key(meta::table_key(Table::version, key));
    const auto up = parsed ? x_inodes.find(parsed->directory) : x_inodes.end();
    if (up == x_inodes.end() || up->second.type != InodeType::directory) {
      return problem("version in what is no directory", parsed ? parsed->directory : 0);
    }
    ++up->second.version_records;
    if (parsed->kind == VersionKind::directory) {
      const auto ino = decode_number(value);
      return history_inode(*parsed, ino.value_or(0), InodeType::directory);
    }
    KeyState& state = x_keys[{parsed->directory, parsed->name}];
    if (parsed->kind == VersionKind::null) {
      state.null_pointer = decode_number(value).value_or(UINT64_MAX);
      return;
    }
    const auto record = decode_version(value, parsed->number);
    if (!record) {
      return problem("version record corrupt", parsed->directory, parsed->name);
    }
    if (state.newest == 0 && !state.null) {
      state.newest = parsed->number;
      state.newest_marker = record->marker;
    }
    if (record->stamp.null) {
      if (state.null) {
        problem("two null versions", parsed->directory, parsed->name);
      }
      state.null = parsed->number;
    }
    ++(record->marker ? x_report.delete_markers : x_report.versions);
    if (!record->marker) {
      history_inode(*parsed, record->summary.ino, InodeType::file, &record->summary);
    }
  }

  void history_inode(const VersionKey& key,
                     InodeId ino,
                     InodeType type,
                     const DirentRecord* summary = nullptr) {
    const auto it = x_inodes.find(ino);
    if (it == x_inodes.end() || it->second.type != type || !it->second.history) {
      return problem("dangling version", ino, key.name);
    }
    InodeState& state = it->second;
    ++state.names;
    if (state.parent != key.directory || state.name != key.name || state.links > 1) {
      problem("back pointer of a version differs", ino, key.name);
    }
    if (summary != nullptr && *summary != state.expected) {
      problem("summary of a version differs", ino, key.name);
    }
  }

  void current_version(InodeId parent, std::string_view name, const VersionStamp& stamp) {
    const auto it = x_keys.find({parent, std::string(name)});
    if (it == x_keys.end()) {
      return;
    }
    it->second.current = true;
    if (stamp.number <= it->second.newest || (stamp.null && it->second.null)) {
      problem("current version is not the newest", parent, name);
    }
  }

  void finish_versions() {
    for (const auto& [key, state] : x_keys) {
      if (!state.current && !state.newest_marker) {
        problem("deleted key without marker", key.first, key.second);
      }
      if (state.null != state.null_pointer) {
        problem("pointer to the null version differs", key.first, key.second);
      }
    }
    for (const auto& [ino, state] : x_inodes) {
      if (state.history && state.type == InodeType::directory &&
          (state.version_records == 0 || state.children > 0)) {
        problem("history directory without history", ino, state.name);
      }
    }
  }

  void link(std::string_view key, std::string_view value) {
    if (key.size() < 8) {
      return problem("link key malformed", 0);
    }
    const InodeId number = get_be64(key);
    if (key.size() == 8) {
      return cookie(number, value);
    }
    const auto it = x_inodes.find(number);
    const auto cookie = decode_number(value);
    if (key.size() < 16 || !cookie) {
      return problem("link record malformed", number);
    }
    const Place place{number, get_be64(key.substr(8)), std::string(key.substr(16))};
    if (it == x_inodes.end() || x_links.erase(place) == 0) {
      return problem("stray link record", number, std::get<2>(place));
    }
    ++it->second.link_records;
    it->second.back_pointer |=
        it->second.parent == std::get<1>(place) && it->second.name == std::get<2>(place);
    if (inode_of_cookie(*cookie) != number && !x_cookies.emplace(*cookie, place).second) {
      problem("two links of one cookie", number);
    }
  }

  void cookie(std::uint64_t number, std::string_view value) {
    const auto record = decode_cookie(value);
    x_cookie_records[number] = record ? Place{record->ino, record->parent, record->name} : Place{};
  }

  void left_name(std::string_view key, std::string_view value) {
    if (key.size() != 3 * sizeof(std::uint64_t) || !decode_name(value)) {
      problem("name that left malformed", 0);
    }
  }

  void orphan(std::string_view key, std::string_view value) {
    ++x_report.orphans;
    const auto it = key.size() == 8 ? x_inodes.find(get_be64(key)) : x_inodes.end();
    if (it == x_inodes.end() || it->second.links != 0 || !decode_number(value)) {
      return problem("stray orphan record", key.size() == 8 ? get_be64(key) : 0);
    }
    it->second.orphan = true;
  }

  void xattr(std::string_view key, std::string_view value) {
    const auto it = key.size() > 8 ? x_inodes.find(get_be64(key)) : x_inodes.end();
    if (it == x_inodes.end()) {
      return problem("stray extended attribute", key.size() > 8 ? get_be64(key) : 0);
    }
    it->second.xattrs_seen += key.size() - 8 + value.size();
  }

  void upload(std::string_view key, std::string_view value) {
    ++x_report.uploads;
    const auto parsed = parse_upload_key(meta::table_key(Table::upload, key));
    const auto record = decode_upload(value);
    if (!parsed || !record) {
      return problem("upload record corrupt", 0);
    }
    const auto it = x_inodes.find(parsed->root);
    if (it == x_inodes.end() || !it->second.root) {
      problem("upload without bucket", parsed->root, parsed->key);
    }
    x_uploads.insert(record->ino);
  }

  void part(std::string_view key, std::string_view value) {
    if (key.size() != 12 && key.size() != 16) {
      return problem("part key malformed", 0);
    }
    if (key.size() == 16) {
      RecordLists lists;
      if (!x_part || key.substr(0, 12) != x_part_key || !append_tail(value, lists)) {
        return problem("stray part continuation record", get_be64(key));
      }
      ++x_part_tails;
      return use(x_part->ino, lists.pieces, x_part_payload);
    }
    finish_part();
    ++x_report.parts;
    if (!x_uploads.contains(get_be64(key))) {
      problem("part without upload", get_be64(key));
    }
    auto record = decode_part(value);
    if (!record) {
      return problem("part record corrupt", get_be64(key), record.error().detail());
    }
    x_part_key = key;
    x_part = *std::move(record);
    use(x_part->ino, x_part->lists.pieces, x_part_payload);
  }

  void finish_part() {
    if (x_part && (x_part->tails != x_part_tails || x_part->size != x_part_payload)) {
      problem("part size or continuation records differ", x_part->ino);
    }
    x_part.reset();
    x_part_tails = 0;
    x_part_payload = 0;
  }

  void finish_inodes() {
    for (const auto& [ino, state] : x_inodes) {
      if (state.names != state.links) {
        problem(state.names == 0 ? "orphan inode" : "count of names differs", ino, state.name);
      }
      if (state.links == 0 && !state.orphan) {
        problem("unlinked inode without orphan record", ino, state.name);
      }
      if (state.links > 1 && (state.link_records != state.links || !state.back_pointer)) {
        problem("link records differ", ino, state.name);
      }
      if (state.xattr_bytes != state.xattrs_seen) {
        problem("size of extended attributes differs", ino, state.name);
      }
      if (state.implicit && state.posix) {
        problem("implicit directory with attributes", ino, state.name);
      }
      if (state.tails != state.tails_seen || state.size != state.payload) {
        problem("size or continuation records differ", ino, state.name);
      }
      if (state.implicit && (state.children == 0 || state.explicit_children > 0)) {
        problem("implicit directory without keys", ino, state.name);
      }
    }
  }

  void extent_ref(std::string_view key, std::string_view value) {
    ++x_report.extent_refs;
    if (key.size() != 24) {
      return problem("extent reference key malformed", 0);
    }
    const Ref ref{get_be64(key), get_be64(key.substr(8)), get_be64(key.substr(16))};
    const auto it = x_used.find(ref);
    if (it == x_used.end()) {
      return problem("extent reference that nothing uses", std::get<2>(ref),
                     std::to_string(std::get<0>(ref)));
    }
    // References from before they said how much is used have the length only.
    const auto said = meta::decode_extent_ref(value);
    if (!said || said->length != it->second.length ||
        (said->used != it->second.used && said->used != said->length)) {
      problem("extent reference says something else", std::get<2>(ref),
              std::to_string(std::get<0>(ref)));
    }
    x_used.erase(it);
  }

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  TreeReport x_report;
  InodeId x_next_inode = 0;
  std::unordered_map<InodeId, InodeState> x_inodes;
  std::map<std::pair<InodeId, std::string>, KeyState> x_keys;
  std::set<Place> x_links;  ///< names of inodes with several, without a link record so far
  std::map<std::uint64_t, Place> x_cookies, x_cookie_records;
  std::set<InodeId> x_uploads;
  std::map<Ref, meta::ExtentRef> x_used;
  std::optional<PartRecord> x_part;  ///< the one whose continuation records are being read
  std::string x_part_key;
  std::uint32_t x_part_tails = 0;
  std::uint64_t x_part_payload = 0;
};

}  // namespace

Task<TreeReport> check_tree(meta::MetaStore& meta) {
  Checker checker(meta);
  co_return co_await checker.run();
}

}  // namespace outcrop::ns
