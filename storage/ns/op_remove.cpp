// DELETE without a version id: the dirent, its inode, and the implicit directories that it leaves
// empty, in one transaction. In a bucket with versions the inode becomes a version, and a delete
// marker the newest record of the key.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/op_remove_version.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct RemoveOp {
  std::string_view bucket, key;
  Conditions conditions;
  InodeId first = 0;  ///< inodes_needed() numbers, in a bucket with versions
  // What the last attempt found that the next one must lock.
  std::size_t exclusive = 0;  ///< directories
  InodeId busy = 0;
};

Deletion marked(const KeyHistory& history, bool found) {
  return {.found = found, .marker = true, .version_id = version_text(history.stamp)};
}

// A marker where there was no object: metadata grows, but where it takes the place of the null
// version.
Result<void> check_marker(const Core& core, const KeyHistory& history) {
  return history.replaced ? ok() : core.check_room();
}

// The key's directory is not in the tree. With numbers. Empty: the plan was outrun.
Task<std::optional<Deletion>> mark_absent(Core& core, RemoveOp& op) {
  CO_TRY(const auto place, co_await hold_target(core, op.bucket, op.key, op.busy));
  if (!place || place->target.missing().empty() || !place->target.versioned()) {
    co_return std::nullopt;
  }
  const Target& target = place->target;
  CO_TRYV(check_conditions(op.conditions, nullptr, Access::write));
  CO_TRYV(check_marker(core, target.history));
  Transaction tx(core);
  const std::int64_t now = core.clock.wall_ns();
  const InodeId directory = install_history_directories(tx, target, op.first, now);
  supersede(core, tx, target.history, {}, 0);
  put_marker(tx, target.history, directory, now);
  CO_TRYV(co_await tx.commit());
  co_return marked(target.history, false);
}

// Without an object, in a bucket with versions, under the dirent's lock.
Task<Deletion> mark_empty(Core& core, const Source& source) {
  CO_TRYV(check_marker(core, source.history));
  Transaction tx(core);
  supersede(core, tx, source.history, {}, 0);
  put_marker(tx, source.history, source.parent(), core.clock.wall_ns());
  CO_TRYV(co_await tx.commit());
  co_return marked(source.history, false);
}

// Empty: the plan was outrun, or more must be locked.
Task<std::optional<Deletion>> try_remove(Core& core, RemoveOp& op) {
  CO_TRY(Source source, co_await plan_source(core, op.bucket, op.key));
  source.exclusive = op.exclusive;
  source.busy = op.busy;
  if (source.versioned() && op.first == 0) {
    co_return std::nullopt;  // enabled just now: the next attempt has numbers
  }
  if (!source.reachable) {
    if (source.versioned()) {
      co_return co_await mark_absent(core, op);
    }
    CO_TRYV(check_conditions(op.conditions, nullptr, Access::write));
    co_return Deletion{};
  }
  LockPlan locks;
  lock_source(locks, source);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_source(core, source, held, LockMode::exclusive));
  if (!confirmed || (source.versioned() && op.first == 0)) {
    op.busy = source.busy;
    co_return std::nullopt;
  }
  CO_TRYV(check_object(op.conditions, source.object, Access::write));
  if (!source.object && !source.versioned()) {
    co_return Deletion{};
  }
  if (!source.object) {
    CO_TRY(Deletion done, co_await mark_empty(core, source));
    co_return done;
  }
  CO_TRY(const auto pruned, co_await plan_prune(core, source, {}, source.versioned()));
  if (!pruned) {
    op.exclusive = source.exclusive;
    co_return std::nullopt;
  }
  Transaction tx(core);
  tx.allow_growth();  // of what is open, a version is made
  detach(tx, source, *pruned);
  supersede(core, tx, source.history, source.leaving, spare_inode(op.key, op.first));
  if (!source.versioned()) {
    CO_TRYV(co_await tx.commit());
    co_return Deletion{.found = true};
  }
  put_marker(tx, source.history, source.parent(), core.clock.wall_ns());
  CO_TRYV(co_await tx.commit());
  co_return marked(source.history, true);
}

}  // namespace

Task<Deletion> remove_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             std::string_view version_id,
                             Conditions conditions) {
  CO_TRYV(check_key(key));
  std::optional<VersionId> id;
  if (!version_id.empty()) {
    CO_TRY(id, check_version_id(version_id));
  }
  if (!conditions.empty() && !conditions.seen) {  // that is not about what files have
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  RemoveOp op{.bucket = bucket, .key = key, .conditions = std::move(conditions)};
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
    const bool versioned = record.versioning != Versioning::off;
    if (versioned && id) {
      co_return co_await remove_one_version(core, bucket, key, *id, op.conditions);
    }
    if (id && (id->number || op.conditions.seen)) {
      co_return Deletion{};  // no key here has such a version
    }
    if (versioned && op.first == 0) {
      CO_TRY(op.first, co_await core.inodes.allocate(inodes_needed(key)));
    }
    CO_TRY(auto removed, co_await try_remove(core, op));
    if (removed) {
      co_return *std::move(removed);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
