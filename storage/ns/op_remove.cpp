// DELETE: the dirent, its inode, and the implicit directories that it leaves empty, in one
// transaction.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

// What the last attempt found that the next one must lock.
struct Contention {
  std::size_t exclusive = 0;  ///< directories
  InodeId busy = 0;
};

// Empty: the plan was outrun, or more must be locked.
Task<std::optional<bool>> try_remove(Core& core,
                                     std::string_view bucket,
                                     std::string_view key,
                                     const Conditions& conditions,
                                     Contention& seen) {
  CO_TRY(Source source, co_await plan_source(core, bucket, key));
  source.exclusive = seen.exclusive;
  source.busy = seen.busy;
  if (!source.reachable) {
    CO_TRYV(check_conditions(conditions, nullptr, Access::write));
    co_return false;
  }
  LockPlan locks;
  lock_source(locks, source);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_source(core, source, held, LockMode::exclusive));
  if (!confirmed) {
    seen.busy = source.busy;
    co_return std::nullopt;
  }
  CO_TRYV(check_object(conditions, source.object, Access::write));
  if (!source.object) {
    co_return false;
  }
  CO_TRY(const auto pruned, co_await plan_prune(core, source, {}));
  if (!pruned) {
    seen.exclusive = source.exclusive;
    co_return std::nullopt;
  }
  Transaction tx(core);
  detach(tx, source, *pruned);
  tx.unlink(source.leaving);
  CO_TRYV(co_await tx.commit());
  co_return true;
}

}  // namespace

Task<bool> remove_object(Core& core,
                         std::string_view bucket,
                         std::string_view key,
                         Conditions conditions) {
  CO_TRYV(check_key(key));
  if (!conditions.empty()) {
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  Contention seen;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto removed, co_await try_remove(core, bucket, key, conditions, seen));
    if (removed) {
      co_return *removed;
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
