#include "storage/ns/inode_allocator.h"

#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"

namespace outcrop::ns {
namespace {
constexpr InodeId kFirstInode = 2;  // 0 is none, 1 the root whose children are the buckets
}  // namespace

std::string inode_counter_key() { return meta::table_key(meta::Table::system, "next_inode"); }

// A store that is read-only for now opens all the same; allocate() tries again.
Task<> InodeAllocator::open() {
  auto reserved = co_await reserve(1);
  co_return !reserved && reserved.error().code() == Errc::read_only ? ok() : reserved;
}

Task<InodeId> InodeAllocator::allocate(std::uint32_t count) {
  for (;;) {
    const std::uint64_t limit = x_limit.load();
    std::uint64_t next = x_next.load();
    while (next + count <= limit) {
      if (x_next.compare_exchange_weak(next, next + count)) {
        co_return next;
      }
    }
    CO_TRYV(co_await reserve(count));
  }
}

Task<> InodeAllocator::reserve(std::uint64_t count) {
  LockPlan plan;
  plan.add(lock_name('x', 0, "next_inode"), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await x_locks.acquire(std::move(plan)));
  if (x_next.load() + count <= x_limit.load()) {
    co_return ok();  // somebody else did it while this one waited
  }
  CO_TRY(const std::optional<std::string> stored, co_await x_meta.get(inode_counter_key()));
  std::uint64_t first = kFirstInode;
  if (stored) {
    CO_TRY(first, decode_counter(*stored));
  }
  const std::uint64_t limit = first + std::max(x_block, count);
  meta::Batch batch;
  batch.put(inode_counter_key(), encode_counter(limit));
  CO_TRYV(co_await x_meta.commit(std::move(batch)));
  // What is left of the old block is given up: next moves before the limit, so that nobody takes
  // a number between the two.
  x_next.store(first);
  x_limit.store(limit);
  co_return ok();
}

}  // namespace outcrop::ns
