// Which buckets have versions, and which of these Object Lock, by root: for the file view, which
// knows buckets by their roots only. As long as there is none, a look costs one load. A bucket's
// state changes while its exclusive lock is held; who holds it shared may rely on what it reads.
// Any thread.
#pragma once
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "storage/base/ids.h"
#include "storage/ns/object_lock.h"
#include "storage/ns/version_id.h"

namespace outcrop::ns {

class VersionedBuckets {
 public:
  Versioning of(InodeId root) const { return look(root).versioning; }
  BucketLock lock_of(InodeId root) const { return look(root).lock; }
  void set(InodeId root, Versioning versioning, const BucketLock& lock = {}) {
    const std::unique_lock guard(x_mutex);
    if (versioning == Versioning::off) {
      x_states.erase(root);
    } else {
      x_states[root] = {versioning, lock};
    }
    x_any.store(!x_states.empty(), std::memory_order_release);
  }

 private:
  struct State {
    Versioning versioning = Versioning::off;
    BucketLock lock{};
  };
  State look(InodeId root) const {
    if (!x_any.load(std::memory_order_acquire)) {
      return {};
    }
    const std::shared_lock guard(x_mutex);
    const auto it = x_states.find(root);
    return it == x_states.end() ? State{} : it->second;
  }

  std::atomic<bool> x_any{false};
  mutable std::shared_mutex x_mutex;
  std::unordered_map<InodeId, State> x_states;
};

}  // namespace outcrop::ns
