#include "storage/ns/check_versions.h"

#include <tuple>

#include "storage/ns/link_record.h"

namespace outcrop::ns {

Task<> VersionWalk::begin() { return read_next(); }

// To the next record that has a place; those whose keys say nothing are complained about.
Task<> VersionWalk::read_next() {
  for (;;) {
    CO_TRY(const meta::KeyValue* const entry, co_await x_cursor.next());
    if (entry == nullptr) {
      x_next.reset();
      co_return ok();
    }
    x_next = parse_version_key(entry->key);
    if (x_next) {
      co_return ok();
    }
    x_report.add("version key malformed", 0);
  }
}

// All records of the next name.
Task<> VersionWalk::read_key() {
  finish_key();
  if (x_next->directory != x_directory) {
    CO_TRYV(finish_directory());
    x_directory = x_next->directory;
  }
  const std::string name = x_next->name;
  while (x_next && x_next->directory == x_directory && x_next->name == name) {
    ++x_records;
    CO_TRYV(take());
    CO_TRYV(co_await read_next());
  }
  co_return ok();
}

Result<void> VersionWalk::take() {
  const std::string_view value = x_cursor.value();
  if (x_next->kind == VersionKind::directory) {
    const auto ino = decode_number(value);
    return note_inode(ino ? *ino : 0, "d");
  }
  if (!x_key) {
    x_key = KeyState{.directory = x_next->directory, .name = x_next->name};
  }
  if (x_next->kind == VersionKind::null) {
    const auto number = decode_number(value);
    x_key->null_pointer = number ? *number : UINT64_MAX;
    return ok();
  }
  return take_version(*x_key);
}

Result<void> VersionWalk::take_version(KeyState& state) {
  const std::uint64_t number = x_next->number;
  const auto record = decode_version(x_cursor.value(), number);
  if (!record) {
    x_report.add("version record corrupt", state.directory, state.name);
    return ok();
  }
  if (!std::exchange(state.any, true)) {
    state.newest = number;
    state.newest_marker = record->marker;
  }
  if (record->stamp.null) {
    if (state.null) {
      x_report.add("two null versions", state.directory, state.name);
    }
    state.null = number;
  }
  x_report.delete_markers += record->marker;
  return record->marker ? ok() : note_inode(record->summary.ino, "f" + encode(record->summary));
}

Result<void> VersionWalk::note_inode(InodeId ino, std::string_view value) {
  std::string place;
  put_be64(place, x_next->directory);
  place.append(x_next->name);
  return x_facts.add(fact_key(About::inode, ino, Fact::version, place), value);
}

Task<> VersionWalk::current(InodeId directory, std::string_view name, VersionStamp stamp) {
  const std::tuple<InodeId, std::string_view> at{directory, name};
  while (x_next && std::tuple<InodeId, std::string_view>(x_next->directory, x_next->name) <= at) {
    CO_TRYV(co_await read_key());
  }
  if (!x_key || x_key->directory != directory || x_key->name != name) {
    co_return ok();
  }
  x_key->current = true;
  if (stamp.number <= x_key->newest || (stamp.null && x_key->null)) {
    x_report.add("current version is not the newest", directory, name);
  }
  co_return ok();
}

// No dirent comes for it any more.
void VersionWalk::finish_key() {
  if (!x_key) {
    return;
  }
  const KeyState& state = *x_key;
  if (!state.current && !state.newest_marker) {
    x_report.add("deleted key without marker", state.directory, state.name);
  }
  if (state.null != state.null_pointer) {
    x_report.add("pointer to the null version differs", state.directory, state.name);
  }
  x_key.reset();
}

Result<void> VersionWalk::finish_directory() {
  if (x_records == 0) {
    return ok();
  }
  Writer w;
  w.varint(std::exchange(x_records, 0));
  return x_facts.add(fact_key(About::inode, x_directory, Fact::history), w.view());
}

Task<> VersionWalk::finish() {
  while (x_next) {
    CO_TRYV(co_await read_key());
  }
  finish_key();
  co_return finish_directory();
}

}  // namespace outcrop::ns
