// Copy by reference: a new inode that uses the source's extents. Onto itself, a copy replaces the
// attributes in place.
#include "storage/ns/conditions.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct CopyOp {
  std::string_view bucket, key;
  CopyRequest request;
  InodeId ino = 0;
};

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_copy(Core& core, const CopyOp& op) {
  CO_TRY(Source source,
         co_await plan_source(core, op.request.source_bucket, op.request.source_key));
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  if (!source.reachable) {
    co_return fail(Errc::no_such_key);
  }
  LockPlan locks;
  lock_source_shared(locks, source);
  lock_target(locks, target);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool source_confirmed, co_await confirm_source(core, source));
  CO_TRY(const bool target_confirmed, co_await confirm_target(core, target));
  if (!source_confirmed || !target_confirmed) {
    co_return std::nullopt;
  }
  if (!source.object) {
    co_return fail(Errc::no_such_key);
  }
  CO_TRYV(check_object(op.request.source_conditions, source.object, Access::copy));
  CO_TRYV(check_object(op.request.conditions, target.existing, Access::write));

  const bool in_place = target.existing && target.existing->ino == source.object->ino;
  Object object{in_place ? source.object->ino : op.ino, source.object->record};
  if (op.request.replace) {
    object.record.attributes = *op.request.replace;
  }
  object.record.mtime_ns = core.clock.wall_ns();
  object.record.upload_id.clear();
  Transaction tx(core);
  if (in_place) {
    ++object.record.change;
    tx.block_object(target.bucket.root, target.key);
    tx.put_main(object);
    tx.batch.put(dirent_key(object.record.parent, object.record.name),
                 encode(dirent_of(object.ino, object.record)));
  } else {
    object.record.change = 1;
    install_object(tx, target, op.ino, op.ino, object.record);
  }
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

}  // namespace

Task<ObjectInfo> copy_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             CopyRequest request) {
  CO_TRYV(check_key(key));
  CO_TRYV(check_key(request.source_key));
  if (request.replace) {
    CO_TRYV(check_attributes(*request.replace));
  }
  CopyOp op{.bucket = bucket, .key = key, .request = std::move(request)};
  CO_TRY(op.ino, co_await core.inodes.allocate(inodes_needed(key)));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto info, co_await try_copy(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
