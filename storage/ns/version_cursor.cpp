#include "storage/ns/version_cursor.h"

#include <algorithm>

#include "storage/ns/link_record.h"

namespace outcrop::ns {
namespace {
// Pages grow while a level goes on.
constexpr std::size_t kFirstPage = 32;
constexpr std::size_t kLargestPage = 1024;
}  // namespace

Task<> VersionCursor::seek(std::string_view lower, std::optional<std::uint64_t> below) {
  x_levels.clear();
  x_path.clear();
  InodeId dir = x_root;
  std::string_view rest = lower;
  while (rest.find('/') != rest.npos) {
    const std::string_view name = first_component(rest);
    InodeId inner = 0;
    CO_TRY(const auto dirent, co_await x_meta.get(dirent_key(dir, name), x_at));
    CO_TRY(const auto hidden, co_await x_meta.get(history_directory_key(dir, name), x_at));
    if (dirent) {
      CO_TRY(const DirentRecord record, decode_dirent(*dirent));
      inner = record.ino;
    } else if (hidden) {
      CO_TRY(inner, decode_number(*hidden));
    } else {
      push(dir, dirent_key(dir, name), version_prefix(dir, name));
      co_return ok();
    }
    push(dir, dirent_key(dir, name) + '\0', history_directory_key(dir, name) + '\0');
    x_path.append(name);
    rest.remove_prefix(name.size());
    dir = inner;
  }
  bool all = !below;
  if (below) {
    CO_TRY(const std::uint64_t newest, co_await newest_number(dir, rest));
    all = newest < *below;
  }
  if (all) {
    push(dir, dirent_key(dir, rest), version_prefix(dir, rest));
    co_return ok();
  }
  push(dir, dirent_key(dir, rest) + '\0', version_key(dir, rest, *below) + '\0');
  x_levels.back().newest = rest;
  x_levels.back().any = true;
  co_return ok();
}

// Of the key's newest version; 0 also if there is none.
Task<std::uint64_t> VersionCursor::newest_number(InodeId dir, std::string_view name) {
  CO_TRY(const auto dirent, co_await x_meta.get(dirent_key(dir, name), x_at));
  if (dirent) {
    CO_TRY(const DirentRecord record, decode_dirent(*dirent));
    if (record.type == InodeType::file) {
      co_return record.version.number;
    }
  }
  const std::string prefix = version_prefix(dir, name);
  CO_TRY(const meta::ScanPage page,
         co_await x_meta.scan(
             {.lower = prefix, .upper = meta::prefix_end(prefix), .limit = 1, .keys_only = true},
             x_at));
  const auto key = page.entries.empty() ? std::nullopt : parse_version_key(page.entries[0].key);
  co_return key ? key->number : 0;
}

void VersionCursor::push(InodeId dir, std::string dirents, std::string versions) {
  x_levels.push_back({.path_bytes = x_path.size(),
                      .dirents = {std::move(dirents), dirent_end(dir), kFirstPage},
                      .versions = {std::move(versions), version_end(dir), kFirstPage},
                      .newest = {}});
}

Task<> VersionCursor::load(Stream& stream) {
  if (!stream.empty() || !stream.more) {
    co_return ok();
  }
  CO_TRY(meta::ScanPage page,
         co_await x_meta.scan({.lower = stream.lower, .upper = stream.upper, .limit = stream.limit},
                              x_at));
  stream.page = std::move(page.entries);
  stream.used = 0;
  stream.more = page.more && !stream.page.empty();
  stream.limit = std::min(stream.limit * 4, kLargestPage);
  if (!stream.page.empty()) {
    stream.lower = stream.page.back().key + '\0';
  }
  co_return ok();
}

// False: nothing that is shown.
Result<bool> VersionCursor::take_dirent(Level& level) {
  const meta::KeyValue& entry = level.dirents.page[level.dirents.used++];
  const std::string_view name = dirent_name(entry.key);
  TRY(DirentRecord dirent, decode_dirent(entry.value));
  x_path.resize(level.path_bytes);
  x_path.append(name);
  if (dirent.type == InodeType::directory) {
    x_directory = dirent.ino;
    x_occupied = dirent.implicit;
    return true;
  }
  if (dirent.type != InodeType::file) {
    return false;
  }
  level.newest = name;
  level.any = x_latest = true;
  x_directory = 0;
  x_version = {.stamp = dirent.version, .marker = false, .summary = {}};
  x_version.summary = std::move(dirent);
  return true;
}

Result<bool> VersionCursor::take_version(Level& level, const VersionKey& key) {
  const meta::KeyValue& entry = level.versions.page[level.versions.used++];
  if (key.kind == VersionKind::null) {
    return false;
  }
  x_path.resize(level.path_bytes);
  x_path.append(key.name);
  if (key.kind == VersionKind::directory) {
    TRY(x_directory, decode_number(entry.value));
    x_occupied = true;
    return true;
  }
  TRY(x_version, decode_version(entry.value, key.number));
  x_directory = 0;
  x_latest = !level.any || level.newest != key.name;
  level.newest = key.name;
  level.any = true;
  return true;
}

Task<bool> VersionCursor::next() {
  while (!x_levels.empty()) {
    Level& level = x_levels.back();
    CO_TRYV(co_await load(level.dirents));
    CO_TRYV(co_await load(level.versions));
    if (level.dirents.empty() && level.versions.empty()) {
      x_levels.pop_back();
      continue;
    }
    std::optional<VersionKey> key;
    if (!level.versions.empty()) {
      key = parse_version_key(level.versions.front().key);
      if (!key) {
        co_return fail(Errc::corrupt, "version key malformed");
      }
    }
    // What is current is newer than what it was.
    const bool dirent =
        !level.dirents.empty() && (!key || dirent_name(level.dirents.front().key) <= key->name);
    CO_TRY(const bool shown, dirent ? take_dirent(level) : take_version(level, *key));
    if (shown) {
      co_return true;
    }
  }
  co_return false;
}

void VersionCursor::enter() {
  const InodeId dir = x_directory;
  push(dir, dirent_key(dir, {}), version_end(dir - 1));
}

Task<bool> has_version_below(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId dir) {
  VersionCursor cursor(meta, std::move(at), dir);
  CO_TRYV(co_await cursor.seek({}));
  for (;;) {
    CO_TRY(const bool more, co_await cursor.next());
    if (!more || !cursor.at_directory() || cursor.occupied()) {
      co_return more;
    }
    cursor.enter();
  }
}

}  // namespace outcrop::ns
