// Copy by reference: a new inode that uses the source's extents. Onto itself, a copy replaces the
// attributes in place.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct CopyOp {
  std::string_view bucket, key;
  CopyRequest request;
  InodeId ino = 0;
  InodeId busy_source = 0, busy_target = 0;
};

// The copy's record before it has a place; `in_place`: it stays the same file.
InodeRecord copied_record(Core& core, const CopyOp& op, const InodeRecord& source, bool in_place) {
  InodeRecord out = source;
  FileFields fields = file_fields(source).value_or(FileFields{});
  if (op.request.replace) {
    out.attributes = *op.request.replace;
    out.attributes.tags = source.attributes.tags;
    fields = op.request.file;
  } else if (in_place) {
    fields.mode.reset();  // it keeps all of its bits, not only those that other keys get
  }
  if (op.request.tags) {
    out.attributes.tags = *op.request.tags;
  }
  out.mtime_ns = core.clock.wall_ns();
  out.upload_id.clear();
  if (!in_place) {
    out.change = kFirstChange;
    out.posix.reset();
  } else if (out.posix) {
    out.posix->mtime_ns.reset();
  }
  set_file_fields(out, fields);
  return out;
}

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_copy(Core& core, CopyOp& op) {
  CO_TRY(Source source,
         co_await plan_source(core, op.request.source_bucket, op.request.source_key));
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  if (!source.reachable) {
    co_return fail(Errc::no_such_key);
  }
  source.busy = op.busy_source;
  target.busy = op.busy_target;
  LockPlan locks;
  lock_source_shared(locks, source);
  lock_target(locks, target);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  // The target first: if both are one inode, its exclusive lock covers the source.
  CO_TRY(const bool target_confirmed, co_await confirm_target(core, target, held));
  CO_TRY(const bool source_confirmed,
         co_await confirm_source(core, source, held, LockMode::shared));
  if (!source_confirmed || !target_confirmed) {
    op.busy_source = source.busy;
    op.busy_target = target.busy;
    co_return std::nullopt;
  }
  if (!source.object) {
    co_return fail(Errc::no_such_key);
  }
  CO_TRYV(check_tags(op.request.source_tags, *source.object));
  CO_TRYV(check_object(op.request.source_conditions, source.object, Access::copy));
  CO_TRYV(check_object(op.request.conditions, target.object(), Access::write));

  // Not onto another name of the same file: what it is copied from stays as it is.
  const bool in_place = target.object() && target.object()->ino == source.object->ino &&
                        op.key == op.request.source_key;
  Object object{in_place ? source.object->ino : op.ino, target.bucket.root,
                copied_record(core, op, source.object->record, in_place)};
  Transaction tx(core);
  if (in_place) {
    mark_changed(core, object.record, object.record.mtime_ns);
    tx.put_main(object);
    CO_TRYV(co_await put_summaries(core, tx, object));
  } else {
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
  CO_TRYV(co_await flush_key(core, request.source_bucket, request.source_key));
  if (!request.conditions.empty()) {
    CO_TRYV(co_await flush_key(core, bucket, key));
  }
  CopyOp op{.bucket = bucket, .key = key, .request = std::move(request)};
  CO_TRYV(core.check_room());
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
