#include "api/nfs/export_scope.h"

#include <mutex>

namespace outcrop::nfs {
namespace {

/// A path of more components than this has no room in any key.
constexpr int kMaxDepth = 4096;

}  // namespace

bool ExportScope::known_root(const Export& on, InodeId root) const {
  const std::shared_lock lock(x_mutex);
  const auto it = x_roots.find(on.id);
  return it != x_roots.end() && it->second.root == root && it->second.bucket == on.bucket;
}

Task<> ExportScope::check_root(const Export& on, InodeId root) {
  if (known_root(on, root)) {
    co_return ok();
  }
  const Result<ns::FileAttributes> bucket = co_await x_files.bucket_root(on.bucket);
  if (!bucket) {
    co_return fail(bucket.error().code() == Errc::no_such_bucket ? Error(Errc::stale)
                                                                 : bucket.error());
  }
  {
    const std::lock_guard lock(x_mutex);
    x_roots.insert_or_assign(on.id, Known{on.bucket, bucket->id.ino});
  }
  co_return bucket->id.ino == root ? ok() : fail(Errc::stale);
}

Task<ns::FileAttributes> ExportScope::top(const Export& on) {
  Result<ns::FileAttributes> found;
  if (on.prefix.empty()) {
    found = co_await x_files.bucket_root(on.bucket);
  } else {
    found = co_await x_files.resolve(on.bucket, on.prefix);
  }
  if (!found &&
      (found.error().code() == Errc::no_such_bucket || found.error().code() == Errc::not_found)) {
    co_return fail(Errc::stale);
  }
  co_return found;
}

Task<ns::FileAttributes> ExportScope::parent(const Export& on, ns::FileId directory) {
  if (on.prefix.empty()) {
    co_return co_await x_files.parent(directory);
  }
  CO_TRY(const ns::FileAttributes exported, co_await top(on));
  if (exported.id == directory) {
    co_return exported;
  }
  CO_TRY(const ns::FileAttributes parent, co_await x_files.parent(directory));
  // A directory that was moved out of the export must not lead to what lies above it.
  ns::FileId at = parent.id;
  for (int depth = 0; at != exported.id; ++depth) {
    if (at.ino == at.root || depth == kMaxDepth) {
      co_return fail(Errc::stale);
    }
    CO_TRY(const ns::FileAttributes above, co_await x_files.parent(at));
    at = above.id;
  }
  co_return parent;
}

}  // namespace outcrop::nfs
