#include "storage/ns/tree_cursor.h"

#include <algorithm>

#include "storage/ns/keys.h"

namespace outcrop::ns {
namespace {
// Pages of a level start small where little may be wanted and grow while the level goes on.
constexpr std::size_t kOuterPage = 8;
constexpr std::size_t kInnerPage = 64;
constexpr std::size_t kLargestPage = 1024;
}  // namespace

Task<> TreeCursor::seek(std::string_view lower) {
  x_levels.clear();
  x_path.clear();
  InodeId dir = x_root;
  std::string_view rest = lower;
  while (rest.find('/') != rest.npos) {
    const std::string_view name = first_component(rest);
    std::string key = dirent_key(dir, name);
    CO_TRY(const auto value, co_await x_meta.get(key, x_at));
    if (!value) {
      push(dir, std::move(key), kOuterPage);
      co_return ok();
    }
    CO_TRY(const DirentRecord dirent, decode_dirent(*value));
    key.push_back('\0');
    push(dir, std::move(key), kOuterPage);
    x_path.append(name);
    rest.remove_prefix(name.size());
    dir = dirent.ino;
  }
  push(dir, dirent_key(dir, rest), std::clamp<std::size_t>(x_hint, 2, kLargestPage));
  co_return ok();
}

void TreeCursor::push(InodeId dir, std::string lower, std::size_t limit) {
  x_levels.push_back({.dir = dir,
                      .path_bytes = x_path.size(),
                      .lower = std::move(lower),
                      .limit = limit,
                      .page = {}});
}

Task<> TreeCursor::load(Level& level) {
  CO_TRY(meta::ScanPage page,
         co_await x_meta.scan(
             {.lower = level.lower, .upper = dirent_end(level.dir), .limit = level.limit}, x_at));
  level.page = std::move(page.entries);
  level.used = 0;
  level.more = page.more;
  level.limit = std::min(level.limit * 4, kLargestPage);
  if (!level.page.empty()) {
    level.lower = level.page.back().key + '\0';
  }
  co_return ok();
}

Result<bool> TreeCursor::step() {
  if (x_levels.empty() || x_levels.back().used == x_levels.back().page.size()) {
    return false;
  }
  Level& level = x_levels.back();
  const meta::KeyValue& entry = level.page[level.used++];
  x_path.resize(level.path_bytes);
  x_path.append(dirent_name(entry.key));
  TRY(x_dirent, decode_dirent(entry.value));
  return true;
}

Task<bool> TreeCursor::next() {
  while (!x_levels.empty()) {
    Level& level = x_levels.back();
    if (level.used == level.page.size() && level.more) {
      CO_TRYV(co_await load(level));
    }
    CO_TRY(const bool stepped, step());
    if (stepped) {
      co_return true;
    }
    x_levels.pop_back();
  }
  co_return false;
}

void TreeCursor::enter() {
  push(x_dirent.ino, dirent_key(x_dirent.ino, {}), std::clamp<std::size_t>(x_hint, 2, kInnerPage));
}

Task<bool> has_key_below(meta::MetaStore& meta, meta::SnapshotPtr at, InodeId dir) {
  TreeCursor cursor(meta, std::move(at), dir, 2);
  CO_TRYV(co_await cursor.seek({}));
  for (;;) {
    CO_TRY(const bool more, co_await cursor.next());
    if (!more) {
      co_return false;
    }
    if (cursor.dirent().type == InodeType::file) {
      co_return true;
    }
    if (!cursor.at_directory()) {
      continue;
    }
    if (cursor.dirent().implicit) {
      co_return true;  // see DirentRecord::implicit
    }
    cursor.enter();
  }
}

}  // namespace outcrop::ns
