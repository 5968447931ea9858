// Which buckets promise that nothing is stored in them in the clear (Namespace::put_sealing), by
// root, for the file view. As long as there is none, a look costs one load. Any thread.
#pragma once
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_set>

#include "storage/base/ids.h"

namespace outcrop::ns {

class SealingBuckets {
 public:
  bool has(InodeId root) const {
    if (!x_any.load(std::memory_order_acquire)) {
      return false;
    }
    const std::shared_lock lock(x_mutex);
    return x_roots.contains(root);
  }
  void set(InodeId root, bool sealing) {
    const std::unique_lock lock(x_mutex);
    if (sealing) {
      x_roots.insert(root);
    } else {
      x_roots.erase(root);
    }
    x_any.store(!x_roots.empty(), std::memory_order_release);
  }

 private:
  std::atomic<bool> x_any{false};
  mutable std::shared_mutex x_mutex;
  std::unordered_set<InodeId> x_roots;
};

}  // namespace outcrop::ns
