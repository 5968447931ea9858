#include "storage/ns/core.h"

#include "storage/ns/fs_data.h"
#include "storage/ns/left_names.h"
#include "storage/ns/operations.h"
#include "storage/ns/quota.h"

namespace outcrop::ns {

Task<> Core::open() {
  CO_TRYV(co_await inodes.open());
  std::uint64_t bits = 0;
  {
    const std::lock_guard lock(random_mutex);
    bits = random.next();
  }
  CO_TRY(tallied, co_await open_tallies(*this));
  CO_TRYV(co_await changes.open(bits, tallied));
  times.open(clock.wall_ns());
  dirty = make_dirty_table(*this);
  CO_TRYV(co_await resume_readers(*this));
  // Without a snapshot, which ends with its mirror: that one fails is no reason not to start.
  CO_TRY(const auto all, co_await list_buckets(*this, {}));
  for (const BucketInfo& bucket : all) {
    versioned.set(bucket.root, bucket.versioning, bucket.lock);
    sealing.set(bucket.root, bucket.sealing);
  }
  co_return ok();
}

}  // namespace outcrop::ns
