// LIST of all versions: like op_list.cpp, over what is current and what was.
#include <algorithm>

#include "storage/meta/tables.h"
#include "storage/ns/list_dirty.h"
#include "storage/ns/operations.h"
#include "storage/ns/version_cursor.h"

namespace outcrop::ns {
namespace {

// Versions under a common prefix that are stepped over one by one before it pays to seek.
constexpr int kMaxSteps = 16;
constexpr unsigned kMirrorTries = 3;

class VersionLister {
 public:
  VersionLister(Core& core,
                const DirtyFiles& dirty,
                meta::SnapshotPtr at,
                const BucketRecord& bucket,
                const VersionListRequest& request)
      : x_core(core),
        x_dirty(dirty),
        x_at(std::move(at)),
        x_root(bucket.root),
        x_request(request),
        x_cursor(core.meta, x_at, bucket.root) {}

  Task<VersionPage> run() {
    if (x_request.max_keys == 0) {
      co_return VersionPage{};
    }
    CO_TRY(const bool any, co_await seek_first());
    while (any && !x_done) {
      CO_TRY(const bool more, co_await x_cursor.next());
      if (!more) {
        break;
      }
      CO_TRYV(co_await visit());
    }
    co_return std::move(x_page);
  }

 private:
  std::optional<std::string> common_prefix(const std::string& key) const {
    const std::string& delimiter = x_request.delimiter;
    if (delimiter.empty() || !key.starts_with(x_request.prefix)) {
      return std::nullopt;
    }
    const std::size_t at = key.find(delimiter, x_request.prefix.size());
    return at == key.npos ? std::nullopt : std::optional(key.substr(0, at + delimiter.size()));
  }

  // False: nothing can follow.
  Task<bool> seek_first() {
    const std::string& marker = x_request.key_marker;
    if (marker < x_request.prefix || marker.empty()) {
      CO_TRYV(co_await x_cursor.seek(x_request.prefix));
      co_return true;
    }
    if (const auto group = common_prefix(marker)) {
      const std::string behind = meta::prefix_end(*group);
      if (!behind.empty()) {
        CO_TRYV(co_await x_cursor.seek(behind));
      }
      co_return !behind.empty();
    }
    if (x_request.version_marker.empty()) {
      CO_TRYV(co_await x_cursor.seek(marker + '\0'));
      co_return true;
    }
    CO_TRY(const std::uint64_t number, co_await marker_number());
    CO_TRYV(co_await x_cursor.seek(marker, number));
    co_return true;
  }

  // Where the null version stands is known only while it is there: without it nothing of the key
  // follows. This server gives its number as the marker instead.
  Task<std::uint64_t> marker_number() {
    CO_TRY(const VersionId id, check_version_id(x_request.version_marker));
    if (id.number) {
      co_return *id.number;
    }
    VersionCursor cursor(x_core.meta, x_at, x_root);
    CO_TRYV(co_await cursor.seek(x_request.key_marker));
    for (;;) {
      CO_TRY(const bool more, co_await cursor.next());
      if (!more || cursor.at_directory() || cursor.path() != x_request.key_marker) {
        co_return std::uint64_t{0};
      }
      if (cursor.version().stamp.null) {
        co_return cursor.version().stamp.number;
      }
    }
  }

  Task<> visit() {
    const std::string& path = x_cursor.path();
    if (!x_skip.empty() && path.starts_with(x_skip)) {
      if (!x_cursor.at_directory() && ++x_steps >= kMaxSteps) {
        CO_TRYV(co_await seek_behind());
      }
      co_return ok();
    }
    if (!path.starts_with(x_request.prefix)) {
      if (path > x_request.prefix) {
        x_done = true;
      } else if (x_cursor.at_directory() && x_request.prefix.starts_with(path)) {
        x_cursor.enter();
      }
      co_return ok();
    }
    if (x_cursor.at_directory()) {
      co_return co_await visit_directory();
    }
    if (path.size() > kMaxKeyBytes) {
      co_return ok();  // a file, but no key
    }
    if (auto group = common_prefix(path)) {
      x_skip = *group;
      x_steps = 0;
      add_prefix(*std::move(group));
    } else {
      add_version();
    }
    co_return ok();
  }

  Task<> seek_behind() {
    const std::string behind = meta::prefix_end(std::exchange(x_skip, {}));
    x_done = behind.empty();
    if (!x_done) {
      CO_TRYV(co_await x_cursor.seek(behind));
    }
    co_return ok();
  }

  // A directory whose path is behind the prefix is a common prefix of '/', if anything is below.
  Task<> visit_directory() {
    if (x_request.delimiter != "/" || x_cursor.path().size() == x_request.prefix.size()) {
      x_cursor.enter();
      co_return ok();
    }
    bool shown = x_cursor.occupied();
    if (!shown) {
      CO_TRY(shown, co_await has_version_below(x_core.meta, x_at, x_cursor.directory()));
    }
    if (shown) {
      add_prefix(x_cursor.path());
    }
    co_return ok();
  }

  void add_version() {
    const VersionRecord& version = x_cursor.version();
    const DirentRecord& d = version.summary;
    VersionEntry out{.entry = {.key = x_cursor.path(),
                               .size = d.size,
                               .mtime_ns = d.mtime_ns,
                               .etag = d.etag,
                               .checksum_algorithm = d.checksum_algorithm,
                               .checksum_type = d.checksum_type},
                     .version_id = version_text(version.stamp),
                     .marker = version.marker,
                     .latest = x_cursor.latest(),
                     .number = version.stamp.number,
                     .since_ns = version.since_ns};
    if (const auto it = x_dirty.find(d.ino); it != x_dirty.end() && !version.marker) {
      overlay_entry(d.ino, it->second, out.entry);
    }
    if (add(std::move(out))) {
      const VersionStamp place{version.stamp.number, version.stamp.number == 0};
      x_page.next_version_marker = version_text(place);
    }
  }

  void add_prefix(std::string group) {
    if (add({.entry = {.key = std::move(group), .is_prefix = true, .etag = {}}})) {
      x_page.next_version_marker.clear();
    }
  }

  bool add(VersionEntry entry) {
    if (x_page.entries.size() == x_request.max_keys) {
      x_page.truncated = true;
      x_done = true;
      return false;
    }
    x_page.entries.push_back(std::move(entry));
    return true;
  }

  Core& x_core;
  const DirtyFiles& x_dirty;
  const meta::SnapshotPtr x_at;
  const InodeId x_root;
  const VersionListRequest& x_request;
  VersionCursor x_cursor;
  VersionPage x_page;
  std::string x_skip;  ///< the common prefix that was added last
  int x_steps = 0;
  bool x_done = false;
};

}  // namespace

Task<VersionPage> list_versions(Core& core, std::string_view bucket, VersionListRequest request) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  for (unsigned attempt = 0;; ++attempt) {
    const DirtyFiles dirty = dirty_files(core);
    VersionLister lister(core, dirty, core.meta.snapshot(), record, request);
    auto page = co_await lister.run();
    // The mirror behind the snapshot went away meanwhile: another one serves a new snapshot.
    const bool again = !page && page.error().code() == Errc::unavailable && attempt < kMirrorTries;
    if (!again) {
      co_return page;
    }
  }
}

}  // namespace outcrop::ns
