#include "storage/ns/check_facts.h"

#include "storage/ns/bucket_record.h"
#include "storage/ns/check_versions.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/links.h"
#include "storage/ns/sealed.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

using meta::Table;

constexpr std::uint64_t kBeat = 4096;  // records between two calls of progress

std::string varints(std::uint64_t a, std::uint64_t b) {
  Writer w;
  w.varint(a);
  w.varint(b);
  return std::move(w).take();
}

// What its upload must be, for the part itself does not say whether it is sealed.
std::string_view kind_of(const PartRecord& part, std::uint64_t payload) {
  const bool plain = part.size == payload;
  const bool sealed = sealed_size(part.size) == payload;
  return plain == sealed ? kUnknownKind : plain ? kPlainKind : kSealedKind;
}

}  // namespace

std::string fact_key(About about, std::uint64_t number, Fact fact, std::string_view rest) {
  std::string key(1, static_cast<char>(about));
  put_be64(key, number);
  key.push_back(static_cast<char>(fact));
  key.append(rest);
  return key;
}

std::uint64_t FactReader::number() const { return get_be64(x_sorted.key().substr(1)); }

Result<void> Pulse::beat() {
  if (++x_records % kBeat == 0 && x_options.progress && !x_options.progress(x_records)) {
    return fail(Errc::cancelled);
  }
  return ok();
}

TableCursor::TableCursor(meta::MetaStore& meta,
                         meta::SnapshotPtr at,
                         meta::Table table,
                         Pulse& pulse)
    : x_meta(meta),
      x_snapshot(std::move(at)),
      x_pulse(pulse),
      x_request{.lower = meta::table_key(table),
                .upper = meta::prefix_end(meta::table_key(table))} {}

Task<const meta::KeyValue*> TableCursor::next() {
  if (!x_began || (x_at + 1 == x_page.entries.size() && x_page.more)) {
    if (x_began) {
      x_request.lower = x_page.entries.back().key + '\0';
    }
    CO_TRY(x_page, co_await x_meta.scan(x_request, x_snapshot));
    x_began = true;
    x_at = 0;
  } else if (x_at < x_page.entries.size()) {
    ++x_at;
  }
  if (x_at >= x_page.entries.size()) {
    co_return nullptr;
  }
  CO_TRYV(x_pulse.beat());
  co_return &x_page.entries[x_at];
}

Result<void> note_uses(io::ExternalSort& uses,
                       InodeId owner,
                       const std::vector<Piece>& pieces,
                       std::uint64_t& payload) {
  for (const Piece& piece : pieces) {
    payload += piece.length;
  }
  for (const ExtentUse& use : extent_uses(pieces)) {
    std::string key;
    put_be64(key, use.extent.segment);
    put_be64(key, use.extent.offset);
    put_be64(key, owner);
    Writer value;
    value.varint(use.extent.length);
    value.varint(use.used);
    value.u64(use.extent.stamp);
    TRYV(uses.add(key, value.view()));
  }
  return ok();
}

Task<> FactCollector::each(Table table, Handler handler) {
  TableCursor cursor(x_meta, x_at, table, x_pulse);
  for (;;) {
    CO_TRY(const meta::KeyValue* const entry, co_await cursor.next());
    if (entry == nullptr) {
      co_return ok();
    }
    CO_TRYV((this->*handler)(cursor.key(), cursor.value()));
  }
}

Task<> FactCollector::run() {
  CO_TRYV(co_await each(Table::bucket, &FactCollector::bucket));
  CO_TRYV(co_await dirents());
  CO_TRYV(co_await each(Table::link, &FactCollector::link));
  CO_TRYV(co_await each(Table::left_name, &FactCollector::left_name));
  CO_TRYV(co_await each(Table::orphan, &FactCollector::orphan));
  CO_TRYV(co_await each(Table::xattr, &FactCollector::xattr));
  CO_TRYV(finish_xattrs());
  CO_TRYV(co_await each(Table::upload, &FactCollector::upload));
  CO_TRYV(co_await each(Table::upload_part, &FactCollector::part));
  co_return finish_part();
}

Result<void> FactCollector::bucket(std::string_view key, std::string_view value) {
  ++x_report.buckets;
  const auto record = decode_bucket(value);
  if (!record) {
    x_report.add("bucket record corrupt", 0, key);
    return ok();
  }
  return x_facts.add(fact_key(About::inode, record->root, Fact::bucket, key), {});
}

// With the versions of the same names.
Task<> FactCollector::dirents() {
  TableCursor cursor(x_meta, x_at, Table::dirent, x_pulse);
  VersionWalk versions(x_meta, x_at, x_pulse, x_facts, x_report);
  CO_TRYV(co_await versions.begin());
  for (;;) {
    CO_TRY(const meta::KeyValue* const entry, co_await cursor.next());
    if (entry == nullptr) {
      break;
    }
    CO_TRY(const auto stamp, dirent(cursor.key(), cursor.value()));
    if (stamp && !versions.done()) {
      const InodeId parent = get_be64(cursor.key());
      CO_TRYV(co_await versions.current(parent, cursor.key().substr(8), *stamp));
    }
  }
  CO_TRYV(co_await versions.finish());
  co_return finish_directory();
}

// The version that is current there, if it is a file.
Result<std::optional<VersionStamp>> FactCollector::dirent(std::string_view key,
                                                          std::string_view value) {
  if (key.size() < 8) {
    x_report.add("dirent key malformed", 0);
    return std::nullopt;
  }
  const InodeId parent = get_be64(key);
  const std::string_view name = key.substr(8);
  if (parent != x_directory) {
    TRYV(finish_directory());
    x_directory = parent;
  }
  ++x_children;
  const auto record = decode_dirent(value);
  if (!record) {
    x_report.add("dirent record corrupt", parent, name);
    return std::nullopt;
  }
  const bool directory = record->type == InodeType::directory;
  x_explicit += is_bare(record->type) || (directory && !record->implicit);
  if (directory != name.ends_with('/') || name.substr(0, name.size() - directory).contains('/')) {
    x_report.add("dirent name does not fit its type", parent, name);
  }
  TRYV(x_facts.add(fact_key(About::inode, record->ino, Fact::name, key), "d" + std::string(value)));
  return record->type == InodeType::file ? std::optional(record->version) : std::nullopt;
}

Result<void> FactCollector::finish_directory() {
  if (x_children == 0) {
    return ok();
  }
  const std::string counts = varints(std::exchange(x_children, 0), std::exchange(x_explicit, 0));
  return x_facts.add(fact_key(About::inode, x_directory, Fact::children), counts);
}

Result<void> FactCollector::link(std::string_view key, std::string_view value) {
  if (key.size() < 8) {
    x_report.add("link key malformed", 0);
    return ok();
  }
  const std::uint64_t number = get_be64(key);
  if (key.size() == 8) {
    const auto record = decode_cookie(value);
    std::string says;
    if (record) {
      put_be64(says, record->ino);
      put_be64(says, record->parent);
      says.append(record->name);
    }
    return x_facts.add(fact_key(About::cookie, number, Fact::cookie_says), says);
  }
  const auto cookie = decode_number(value);
  if (key.size() < 16 || !cookie) {
    x_report.add("link record malformed", number);
    return ok();
  }
  if (inode_of_cookie(*cookie) != number) {
    TRYV(x_facts.add(fact_key(About::cookie, *cookie, Fact::link_says), key));
  }
  return x_facts.add(fact_key(About::inode, number, Fact::name, key.substr(8)),
                     "l" + std::string(value));
}

Result<void> FactCollector::left_name(std::string_view key, std::string_view value) {
  if (key.size() != 3 * sizeof(std::uint64_t) || !decode_name(value)) {
    x_report.add("name that left malformed", 0);
  }
  return ok();
}

Result<void> FactCollector::orphan(std::string_view key, std::string_view value) {
  ++x_report.orphans;
  if (key.size() != 8 || !decode_number(value)) {
    x_report.add("stray orphan record", key.size() == 8 ? get_be64(key) : 0);
    return ok();
  }
  return x_facts.add(fact_key(About::inode, get_be64(key), Fact::orphan), {});
}

Result<void> FactCollector::xattr(std::string_view key, std::string_view value) {
  if (key.size() <= 8) {
    x_report.add("stray extended attribute", 0);
    return ok();
  }
  if (const InodeId ino = get_be64(key); ino != x_attributed) {
    TRYV(finish_xattrs());
    x_attributed = ino;
  }
  x_xattr_bytes += key.size() - 8 + value.size();
  return ok();
}

Result<void> FactCollector::finish_xattrs() {
  if (x_xattr_bytes == 0) {
    return ok();
  }
  Writer w;
  w.varint(std::exchange(x_xattr_bytes, 0));
  return x_facts.add(fact_key(About::inode, x_attributed, Fact::xattr), w.view());
}

Result<void> FactCollector::upload(std::string_view key, std::string_view value) {
  ++x_report.uploads;
  const auto parsed = parse_upload_key(meta::table_key(Table::upload, key));
  const auto record = decode_upload(value);
  if (!parsed || !record) {
    x_report.add("upload record corrupt", 0);
    return ok();
  }
  if (record->ino >= x_next_inode) {
    x_report.add("inode number beyond the counter", record->ino, parsed->key);
  }
  TRYV(x_facts.add(fact_key(About::inode, parsed->root, Fact::upload, parsed->key), {}));
  return x_facts.add(fact_key(About::upload, record->ino, Fact::exists),
                     record->attributes.envelope.empty() ? kPlainKind : kSealedKind);
}

Result<void> FactCollector::part(std::string_view key, std::string_view value) {
  if (key.size() != 12 && key.size() != 16) {
    x_report.add("part key malformed", 0);
    return ok();
  }
  if (key.size() == 16) {
    RecordLists lists;
    if (!x_part || key.substr(0, 12) != x_part_key || !append_tail(value, lists)) {
      x_report.add("stray part continuation record", get_be64(key));
      return ok();
    }
    ++x_part_tails;
    return note_uses(x_uses, x_part->ino, lists.pieces, x_part_payload);
  }
  TRYV(finish_part());
  ++x_report.parts;
  auto record = decode_part(value);
  if (!record) {
    x_report.add("part record corrupt", get_be64(key), record.error().detail());
    return x_facts.add(fact_key(About::upload, get_be64(key), Fact::part), kUnknownKind);
  }
  if (record->ino >= x_next_inode) {
    x_report.add("inode number beyond the counter", record->ino);
  }
  x_part_key = key;
  x_part = *std::move(record);
  return note_uses(x_uses, x_part->ino, x_part->lists.pieces, x_part_payload);
}

Result<void> FactCollector::finish_part() {
  Result<void> noted;
  if (x_part) {
    const std::string_view kind = kind_of(*x_part, x_part_payload);
    const bool fits = kind != kUnknownKind || x_part->size == x_part_payload;
    if (x_part->tails != x_part_tails || !fits) {
      x_report.add("part size or continuation records differ", x_part->ino);
    }
    noted = x_facts.add(fact_key(About::upload, get_be64(x_part_key), Fact::part), kind);
  }
  x_report.payload_bytes += x_part_payload;
  x_part.reset();
  x_part_tails = 0;
  x_part_payload = 0;
  return noted;
}

}  // namespace outcrop::ns
