#include "storage/ns/check.h"

#include <algorithm>
#include <optional>

#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/check_extents.h"
#include "storage/ns/check_facts.h"
#include "storage/ns/check_usage.h"
#include "storage/ns/core.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/links.h"
#include "storage/ns/sealed.h"

namespace outcrop::ns {

using meta::Table;

std::string TreeProblem::text() const {
  std::string line(what);
  line.append(": inode ").append(std::to_string(ino));
  if (!detail.empty()) {
    line.append(" (").append(detail).append(")");
  }
  return line;
}

void TreeReport::add(std::string_view what, InodeId ino, std::string_view detail) {
  if (++problem_count <= kMaxProblems) {
    problems.push_back({what, ino, std::string(detail)});
  }
}

namespace {

/// One inode and what has been seen of it.
struct InodeState {
  InodeId ino = 0;
  InodeRecord record{};
  DirentRecord expected{};  ///< of what is no directory: what its dirents must show
  bool good = false;        ///< its record could be read
  std::uint32_t names = 0, link_records = 0, tails_seen = 0;
  bool root = false, orphan = false, back_pointer = false, implicit = false;
  std::uint64_t children = 0, explicit_children = 0, xattrs_seen = 0, payload = 0;
  std::uint64_t parts = 0, part_bytes = 0, sealed_part_bytes = 0;
  std::uint64_t version_records = 0;  ///< of a directory: its own in Table::version
  std::string unlinked_name{};  ///< parent and name of the last dirent, while no link came for it

  void note(const std::vector<PartSummary>& more);
  bool payload_fits() const;
};

void InodeState::note(const std::vector<PartSummary>& more) {
  parts += more.size();
  for (const PartSummary& part : more) {
    part_bytes += part.size;
    sealed_part_bytes += sealed_size(part.size);
  }
}

// A sealed payload is larger than the file, by as much as its units are.
bool InodeState::payload_fits() const {
  if (!record.sealed()) {
    return payload == record.size;
  }
  return parts == 0 ? payload == sealed_size(record.size)
                    : part_bytes == record.size && payload == sealed_part_bytes;
}

class Checker {
 public:
  Checker(meta::MetaStore& meta, const CheckOptions& options)
      : x_meta(meta),
        x_visitor(options.visitor),
        x_at(meta.snapshot()),
        x_pulse(options),
        x_sorted_facts(options.scratch, "facts", options.memory_bytes),
        x_uses(options.scratch, "uses", options.memory_bytes),
        x_facts(x_sorted_facts) {}

  Task<TreeReport> run();

 private:
  Task<> inodes();
  void load(std::string_view value);
  Result<void> tail(InodeId ino, std::uint32_t index, std::string_view value);
  Result<void> strays_before(InodeId ino);
  void stray();
  Task<> judge();
  Result<void> take_fact();
  void take_name();
  void take_link(std::string_view place);
  void take_version();
  void missing_link();
  void finish();
  Task<bool> reaches_bucket(InodeId from);
  Result<void> cookies();
  Result<void> uploads();

  meta::MetaStore& x_meta;
  ExtentVisitor* const x_visitor;
  const meta::SnapshotPtr x_at;
  Pulse x_pulse;
  TreeReport x_report;
  InodeId x_next_inode = 0;
  io::ExternalSort x_sorted_facts, x_uses;
  FactReader x_facts;
  std::optional<InodeState> x_inode;
};

Task<TreeReport> Checker::run() {
  CO_TRY(const auto counter, co_await x_meta.get(inode_counter_key(), x_at));
  if (counter) {
    CO_TRY(x_next_inode, decode_counter(*counter));
  }
  FactCollector collector(x_meta, x_at, x_next_inode, x_pulse, x_sorted_facts, x_uses, x_report);
  CO_TRYV(co_await collector.run());
  CO_TRYV(x_sorted_facts.finish());
  CO_TRYV(x_facts.advance());
  CO_TRYV(co_await inodes());
  CO_TRYV(cookies());
  CO_TRYV(uploads());
  CO_TRYV(x_uses.finish());
  ExtentMatch extents(x_meta, x_at, x_pulse, x_uses, x_visitor, x_report);
  CO_TRYV(co_await extents.run());
  CO_TRYV(co_await check_usage(x_meta, x_at, x_pulse, x_report));
  co_return std::move(x_report);
}

// Records and facts side by side, in the order of inodes.
Task<> Checker::inodes() {
  TableCursor cursor(x_meta, x_at, Table::inode, x_pulse);
  for (;;) {
    CO_TRY(const meta::KeyValue* const entry, co_await cursor.next());
    const std::string_view key = entry == nullptr ? std::string_view() : cursor.key();
    if (entry != nullptr && key.size() == 12) {
      CO_TRYV(tail(get_be64(key), get_be32(key.substr(8)), cursor.value()));
      continue;
    }
    if (entry != nullptr && key.size() != 8) {
      x_report.add("inode key malformed", 0);
      continue;
    }
    if (x_inode) {
      CO_TRYV(co_await judge());
      x_inode.reset();
    }
    CO_TRYV(strays_before(entry == nullptr ? UINT64_MAX : get_be64(key)));
    if (entry == nullptr) {
      co_return ok();
    }
    x_inode.emplace();
    x_inode->ino = get_be64(key);
    load(cursor.value());
    CO_TRYV(note_uses(x_uses, x_inode->ino, x_inode->record.lists.pieces, x_inode->payload));
  }
}

void Checker::load(std::string_view value) {
  InodeState& state = *x_inode;
  if (state.ino >= x_next_inode) {
    x_report.add("inode number beyond the counter", state.ino);
  }
  auto record = decode_inode(value);
  if (!record) {
    x_report.add("inode record corrupt", state.ino, record.error().detail());
    return;
  }
  state.good = true;
  state.record = *std::move(record);
  state.payload = state.record.inline_data.size();
  state.note(state.record.lists.parts);
  if (state.record.type == InodeType::file) {
    ++(state.record.history ? x_report.versions : x_report.files);
    state.expected = dirent_of(state.ino, state.record);
  } else if (is_bare(state.record.type)) {
    ++(state.record.type == InodeType::symlink ? x_report.symlinks : x_report.special_nodes);
    state.expected = {.ino = state.ino, .type = state.record.type};
  } else {
    ++x_report.directories;
  }
}

// Follows its main record in key order.
Result<void> Checker::tail(InodeId ino, std::uint32_t index, std::string_view value) {
  if (!x_inode || x_inode->ino != ino || index != x_inode->tails_seen) {
    x_report.add("stray inode continuation record", ino);
    return ok();
  }
  ++x_inode->tails_seen;
  RecordLists lists;
  if (!append_tail(value, lists)) {
    x_report.add("inode continuation record corrupt", ino);
    return ok();
  }
  x_inode->note(lists.parts);
  return note_uses(x_uses, ino, lists.pieces, x_inode->payload);
}

Result<void> Checker::strays_before(InodeId ino) {
  while (x_facts.any(About::inode) && x_facts.number() < ino) {
    stray();
    TRYV(x_facts.advance());
  }
  return ok();
}

// Said of an inode that is not there.
void Checker::stray() {
  const InodeId ino = x_facts.number();
  const std::string_view rest = x_facts.rest();
  switch (x_facts.fact()) {
    case Fact::bucket:
      return x_report.add("bucket without root directory", ino, rest);
    case Fact::children:
      return x_report.add("dirent in what is no directory", ino);
    case Fact::name:
      return x_report.add(
          x_facts.value().starts_with('d') ? "dangling dirent" : "stray link record", ino,
          rest.substr(8));
    case Fact::history:
      return x_report.add("version in what is no directory", ino);
    case Fact::version:
      return x_report.add("dangling version", ino, rest.substr(8));
    case Fact::orphan:
      return x_report.add("stray orphan record", ino);
    case Fact::xattr:
      return x_report.add("stray extended attribute", ino);
    default:
      return x_report.add("upload without bucket", ino, rest);
  }
}

Task<> Checker::judge() {
  while (x_facts.any(About::inode) && x_facts.number() == x_inode->ino) {
    CO_TRYV(take_fact());
    CO_TRYV(x_facts.advance());
  }
  missing_link();
  const InodeState& state = *x_inode;
  x_report.payload_bytes += state.payload;
  if (!state.good) {
    co_return ok();
  }
  finish();
  // A directory is made in one that is older: a circle needs one that was moved.
  const bool directory = state.record.type == InodeType::directory;
  if (directory && !state.root && state.record.parent >= state.ino) {
    CO_TRY(const bool reached, co_await reaches_bucket(state.ino));
    if (!reached) {
      x_report.add("directory below itself", state.ino, state.record.name);
    }
  }
  co_return ok();
}

Result<void> Checker::take_fact() {
  InodeState& state = *x_inode;
  const bool directory = state.good && state.record.type == InodeType::directory;
  switch (x_facts.fact()) {
    case Fact::bucket: {
      const bool fits = directory && state.record.name == x_facts.rest();
      if (fits) {
        ++state.names;
        state.root = true;
      } else {
        x_report.add("bucket without root directory", state.ino, x_facts.rest());
      }
      return ok();
    }
    case Fact::children: {
      Reader r(x_facts.value());
      state.children = r.varint();
      state.explicit_children = r.varint();
      if (!directory) {
        x_report.add("dirent in what is no directory", state.ino);
      }
      return ok();
    }
    case Fact::history: {
      Reader r(x_facts.value());
      state.version_records = r.varint();
      if (!directory) {
        x_report.add("version in what is no directory", state.ino);
      }
      return ok();
    }
    case Fact::name:
      take_name();
      return ok();
    case Fact::version:
      take_version();
      return ok();
    case Fact::orphan:
      state.orphan = true;
      if (state.good && state.record.links() != 0) {
        x_report.add("stray orphan record", state.ino);
      }
      return ok();
    case Fact::xattr: {
      Reader r(x_facts.value());
      state.xattrs_seen = r.varint();
      return ok();
    }
    default:
      if (!state.root) {
        x_report.add("upload without bucket", state.ino, x_facts.rest());
      }
      return ok();
  }
}

// A dirent and, if there are several, the link record of the same name behind it.
void Checker::take_name() {
  InodeState& state = *x_inode;
  const std::string_view place = x_facts.rest(), name = place.substr(8);
  const std::string_view value = x_facts.value().substr(1);
  if (x_facts.value().front() == 'l') {
    return take_link(place);
  }
  missing_link();
  const auto record = decode_dirent(value);  // it could be decoded before
  if (!record || !state.good || state.record.type != record->type) {
    return x_report.add("dangling dirent", state.ino, name);
  }
  if (state.record.history) {
    x_report.add("history in the tree", state.ino, name);
  }
  ++state.names;
  state.implicit = record->implicit;
  if (state.record.links() > 1) {
    state.unlinked_name = place;
  } else if (state.record.parent != get_be64(place) || state.record.name != name) {
    x_report.add("back pointer differs", state.ino, name);
  }
  if (record->type != InodeType::directory && *record != state.expected) {
    x_report.add("listing summary differs", state.ino, name);
  }
}

void Checker::take_link(std::string_view place) {
  InodeState& state = *x_inode;
  if (state.unlinked_name != place) {
    return x_report.add("stray link record", state.ino, place.substr(8));
  }
  state.unlinked_name.clear();
  ++state.link_records;
  state.back_pointer |=
      state.record.parent == get_be64(place) && state.record.name == place.substr(8);
}

// A name in Table::version.
void Checker::take_version() {
  InodeState& state = *x_inode;
  const std::string_view place = x_facts.rest(), name = place.substr(8);
  const bool file = x_facts.value().front() == 'f';
  const InodeType type = file ? InodeType::file : InodeType::directory;
  if (!state.good || state.record.type != type || !state.record.history) {
    return x_report.add("dangling version", state.ino, name);
  }
  ++state.names;
  const InodeRecord& r = state.record;
  if (r.parent != get_be64(place) || r.name != name || r.links() > 1) {
    x_report.add("back pointer of a version differs", state.ino, name);
  }
  if (file) {
    const auto summary = decode_dirent(x_facts.value().substr(1));
    if (!summary || *summary != state.expected) {
      x_report.add("summary of a version differs", state.ino, name);
    }
  }
}

void Checker::missing_link() {
  if (const std::string place = std::exchange(x_inode->unlinked_name, {}); !place.empty()) {
    x_report.add("name without link record", x_inode->ino, place.substr(8));
  }
}

void Checker::finish() {
  const InodeState& s = *x_inode;
  const InodeRecord& r = s.record;
  const auto problem = [&](std::string_view what) { x_report.add(what, s.ino, r.name); };
  if (s.names != r.links()) {
    problem(s.names == 0 ? "orphan inode" : "count of names differs");
  }
  if (r.links() == 0 && !s.orphan) {
    problem("unlinked inode without orphan record");
  }
  if (r.links() > 1 && (s.link_records != r.links() || !s.back_pointer)) {
    problem("link records differ");
  }
  if ((r.posix ? r.posix->xattr_bytes : 0) != s.xattrs_seen) {
    problem("size of extended attributes differs");
  }
  if (s.implicit && r.posix) {
    problem("implicit directory with attributes");
  }
  if (r.tails != s.tails_seen || !s.payload_fits()) {
    problem("size or continuation records differ");
  }
  if (s.implicit && (s.children == 0 || s.explicit_children > 0)) {
    problem("implicit directory without keys");
  }
  if (r.history && r.type == InodeType::directory && (s.version_records == 0 || s.children > 0)) {
    problem("history directory without history");
  }
}

// Brent's way to find a circle. What has no record is complained about elsewhere.
Task<bool> Checker::reaches_bucket(InodeId from) {
  InodeId slow = from, fast = from;
  for (std::uint64_t steps = 0, turn = 1;; ++steps) {
    CO_TRY(const auto stored, co_await x_meta.get(inode_key(fast), x_at));
    const auto record = stored ? decode_inode(*stored) : Result<InodeRecord>(fail(Errc::corrupt));
    if (!record || record->parent == kRootOfBuckets) {
      co_return true;
    }
    fast = record->parent;
    if (fast == slow) {
      co_return false;
    }
    if (steps == turn) {
      slow = fast;
      turn *= 2;
      steps = 0;
    }
  }
}

// Each cookie that holds no inode number leads to the one link that has it.
Result<void> Checker::cookies() {
  while (x_facts.any(About::cookie)) {
    const std::uint64_t cookie = x_facts.number();
    std::string link, leads;
    std::uint64_t links = 0, records = 0;
    while (x_facts.any(About::cookie) && x_facts.number() == cookie) {
      const bool says = x_facts.fact() == Fact::link_says;
      ++(says ? links : records);
      (says ? link : leads) = x_facts.value();
      TRYV(x_facts.advance());
    }
    if (links > 1) {
      x_report.add("two links of one cookie", get_be64(link));
    } else if (links != records || link != leads) {
      x_report.add("link and cookie records differ", link.empty() ? 0 : get_be64(link));
    }
  }
  return ok();
}

Result<void> Checker::uploads() {
  while (x_facts.any(About::upload)) {
    const std::uint64_t upload = x_facts.number();
    std::string kind;  // of the upload, which comes first; empty: there is none
    bool parts = false, fits = true;
    while (x_facts.any(About::upload) && x_facts.number() == upload) {
      if (x_facts.fact() == Fact::exists) {
        kind = x_facts.value();
      } else {
        parts = true;
        fits = fits && (x_facts.value() == kUnknownKind || x_facts.value() == kind);
      }
      TRYV(x_facts.advance());
    }
    if (parts && kind.empty()) {
      x_report.add("part without upload", upload);
    } else if (!fits) {
      x_report.add("part is not sealed as its upload is", upload);
    }
  }
  return ok();
}

}  // namespace

Task<TreeReport> check_tree(meta::MetaStore& meta, CheckOptions options) {
  Checker checker(meta, options);
  co_return co_await checker.run();
}

}  // namespace outcrop::ns
