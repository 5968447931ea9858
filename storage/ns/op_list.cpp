// LIST: a depth-first walk from the place where the page starts, for any prefix and delimiter.
#include <algorithm>

#include "storage/meta/tables.h"
#include "storage/ns/list_dirty.h"
#include "storage/ns/operations.h"
#include "storage/ns/path.h"
#include "storage/ns/tree_cursor.h"

namespace outcrop::ns {
namespace {

// Keys under a common prefix that are stepped over one by one before it pays to seek behind it.
constexpr int kMaxSteps = 16;
/// What is reserved for at once: a whole page of S3.
constexpr std::size_t kUsualEntries = 1000;

/// Times a page is tried again on another mirror.
constexpr unsigned kMirrorTries = 3;

class Lister {
 public:
  Lister(Core& core,
         const DirtyFiles& dirty,
         meta::SnapshotPtr at,
         InodeId root,
         const ListRequest& request)
      : x_meta(core.meta),
        x_dirty(dirty),
        x_at(std::move(at)),
        x_request(request),
        x_by_directory(request.delimiter == "/"),
        x_cursor(core.meta, x_at, root, hint(request)) {}

  Task<ListPage> run() {
    const std::optional<std::string> lower = first_key();
    if (!lower || x_request.max_keys == 0) {
      co_return ListPage{};
    }
    CO_TRYV(co_await x_cursor.seek(*lower));
    x_page.entries.reserve(std::min(x_request.max_keys, kUsualEntries));
    while (!x_done) {
      CO_TRY(bool more, x_cursor.step());
      if (!more) {
        CO_TRY(more, co_await x_cursor.next());
      }
      if (!more) {
        break;
      }
      if (!visit()) {
        CO_TRYV(co_await look_further());
      }
    }
    co_return std::move(x_page);
  }

 private:
  static std::size_t hint(const ListRequest& request) {
    const bool skips = !request.delimiter.empty() && request.delimiter != "/";
    return skips ? 8 : request.max_keys + 1;
  }

  std::optional<std::string> first_key() const {
    const std::string& after = x_request.start_after;
    std::string lower = x_request.prefix;
    if (after < lower) {
      return lower;
    }
    if (after.empty()) {
      return lower;
    }
    // What shares a common prefix with `after` sorts at that prefix, which is not behind `after`.
    if (const auto group = common_prefix(after); group && after.starts_with(x_request.prefix)) {
      lower = meta::prefix_end(*group);
      return lower.empty() ? std::nullopt : std::optional(lower);
    }
    return after + '\0';
  }

  std::optional<std::string> common_prefix(const std::string& key) const {
    const std::string& delimiter = x_request.delimiter;
    if (delimiter.empty() || key.size() < x_request.prefix.size()) {
      return std::nullopt;
    }
    const std::size_t at = key.find(delimiter, x_request.prefix.size());
    return at == key.npos ? std::nullopt : std::optional(key.substr(0, at + delimiter.size()));
  }

  // Symlinks are no keys, and a path may have grown too long for one when a file client renamed a
  // directory above it.
  bool is_key() const {
    return x_cursor.dirent().type == InodeType::file && x_cursor.path().size() <= kMaxKeyBytes;
  }

  bool skipped() const { return !x_skip.empty() && x_cursor.path().starts_with(x_skip); }

  // False: the store has to be asked, by look_further(). It is not for most entries, and they are
  // many: no coroutine for each.
  bool visit() {
    const std::string& path = x_cursor.path();
    const std::string& prefix = x_request.prefix;
    if (!x_cursor.at_directory() && !is_key()) {
      return true;
    }
    if (skipped()) {
      return x_cursor.at_directory() || ++x_steps < kMaxSteps;
    }
    if (!path.starts_with(prefix)) {
      if (path > prefix) {
        x_done = true;
      } else if (x_cursor.at_directory() && prefix.starts_with(path)) {
        x_cursor.enter();
      }
      return true;
    }
    if (x_cursor.at_directory()) {
      return visit_directory();
    }
    if (auto group = common_prefix(path)) {
      x_skip = *group;
      x_steps = 0;
      add_prefix(*std::move(group));
      return true;
    }
    const DirentRecord& d = x_cursor.dirent();
    ListEntry entry{.key = path,
                    .size = d.size,
                    .mtime_ns = d.mtime_ns,
                    .etag = x_cursor.take_etag(),
                    .checksum_algorithm = d.checksum_algorithm,
                    .checksum_type = d.checksum_type};
    if (const auto it = x_dirty.find(d.ino); it != x_dirty.end()) {
      overlay_entry(d.ino, it->second, entry);
    }
    add(std::move(entry));
    return true;
  }

  // A directory whose path is behind the prefix is a common prefix of '/', if it holds any key.
  bool visit_directory() {
    if (!x_by_directory || x_cursor.path().size() == x_request.prefix.size()) {
      x_cursor.enter();
      return true;
    }
    if (x_cursor.dirent().implicit) {
      add_prefix(x_cursor.path());
      return true;
    }
    return false;
  }

  Task<> look_further() {
    if (!skipped()) {
      CO_TRY(const bool shown, co_await has_key_below(x_meta, x_at, x_cursor.dirent().ino));
      if (shown) {
        add_prefix(x_cursor.path());
      }
      co_return ok();
    }
    const std::string behind = meta::prefix_end(std::exchange(x_skip, {}));
    if (behind.empty()) {
      x_done = true;
      co_return ok();
    }
    co_return co_await x_cursor.seek(behind);
  }

  void add_prefix(std::string group) {
    add({.key = std::move(group), .is_prefix = true, .etag = {}});
  }

  void add(ListEntry entry) {
    if (x_page.entries.size() == x_request.max_keys) {
      x_page.truncated = true;
      x_done = true;
      return;
    }
    x_page.entries.push_back(std::move(entry));
  }

  meta::MetaStore& x_meta;
  const DirtyFiles& x_dirty;
  const meta::SnapshotPtr x_at;
  const ListRequest& x_request;
  const bool x_by_directory;
  TreeCursor x_cursor;
  ListPage x_page;
  std::string x_skip;  ///< the common prefix that was added last
  int x_steps = 0;
  bool x_done = false;
};

}  // namespace

Task<ListPage> list_objects(Core& core, std::string_view bucket, ListRequest request) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  for (unsigned attempt = 0;; ++attempt) {
    const DirtyFiles dirty = dirty_files(core);
    Lister lister(core, dirty, core.meta.snapshot(), record.root, request);
    auto page = co_await lister.run();
    // The mirror behind the snapshot went away meanwhile: another one serves a new snapshot.
    const bool again = !page && page.error().code() == Errc::unavailable && attempt < kMirrorTries;
    if (!again) {
      co_return page;
    }
  }
}

}  // namespace outcrop::ns
