// Copy by reference: a new inode that uses the source's extents. Onto itself, a copy replaces the
// attributes in place.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"
#include "storage/ns/versions.h"

namespace outcrop::ns {
namespace {

struct CopyOp {
  std::string_view bucket, key;
  CopyRequest request;
  InodeId ino = 0;
  InodeId busy_source = 0, busy_target = 0;
  std::optional<VersionId> version{};  ///< of the source; empty: the current one
  InodeId spare = 0;  ///< the first of `spares`, for versions of what is copied onto
  std::uint32_t spares = 0, spares_needed = 0;
};

// The copy's record before it has a place; `in_place`: it stays the same file.
InodeRecord copied_record(Core& core, const CopyOp& op, const InodeRecord& source, bool in_place) {
  InodeRecord out = source;
  FileFields fields = file_fields(source).value_or(FileFields{});
  if (op.request.replace) {
    out.attributes = *op.request.replace;
    out.attributes.tags = source.attributes.tags;
    out.attributes.envelope = source.attributes.envelope;
    fields = op.request.file;
  } else if (in_place) {
    fields.mode.reset();  // it keeps all of its bits, not only those that other keys get
  }
  if (op.request.tags) {
    out.attributes.tags = *op.request.tags;
  }
  out.attributes.acl = op.request.acl;
  if (op.request.envelope) {
    out.attributes.envelope = *op.request.envelope;
  }
  out.attributes.lock = op.request.lock;
  out.mtime_ns = core.clock.wall_ns();
  out.upload_id.clear();
  out.history = false;
  if (!in_place) {
    out.change = kFirstChange;
    out.posix.reset();
  } else if (out.posix) {
    out.posix->mtime_ns.reset();
  }
  set_file_fields(out, fields);
  return out;
}

// What came together from two requests may be too much for one record.
Result<void> check_copied(const CopyRequest& request, const InodeRecord& copy) {
  return request.envelope ? check_attributes(copy.attributes) : ok();
}

// Onto itself: in a bucket with versions, what it was stays one. Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> copy_in_place(
    Core& core, CopyOp& op, LockTable::Held& held, const Target& target, const Object& source) {
  Object object{source.ino, target.bucket.root, copied_record(core, op, source.record, true)};
  CO_TRYV(check_copied(op.request, object.record));
  Renewal renewal;
  if (target.versioned()) {
    InodeId busy = 0;
    CO_TRY(renewal, co_await plan_renewal(core, held, target.bucket.versioning, source, busy,
                                          {target.parent.dir.ino, target.path.name}));
    op.busy_source = busy != 0 ? busy : op.busy_source;
    op.spares_needed = renewal_inodes(source);
    if (busy != 0 || op.spares_needed > op.spares) {
      co_return std::nullopt;
    }
  }
  Transaction tx(core);
  mark_changed(core, object.record, object.record.mtime_ns);
  if (target.versioned()) {
    apply_renewal(core, tx, renewal, source, object, op.spare);
  }
  tx.put_main(object);
  CO_TRYV(co_await put_summaries(core, tx, object));
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

Result<void> check_envelope(const CopyRequest& request, const std::string& source) {
  if (request.source_envelope && *request.source_envelope != source) {
    return fail(Errc::conflict);
  }
  return request.envelope && request.envelope->empty() != source.empty()
             ? fail(Errc::invalid_argument, "a copy is sealed if and only if its source is")
             : ok();
}

Task<std::optional<ObjectInfo>> copy_to_target(
    Core& core, CopyOp& op, LockTable::Held& held, const Target& target, const ObjectPtr& source) {
  CO_TRYV(check_tags(op.request.source_tags, *source));
  if (op.request.source_acl && *op.request.source_acl != source->record.attributes.acl) {
    co_return fail(Errc::conflict);
  }
  CO_TRYV(check_envelope(op.request, source->record.attributes.envelope));
  CO_TRYV(check_object(op.request.source_conditions, source, Access::copy));
  CO_TRYV(check_object(op.request.conditions, target.object(), Access::write));
  if (!target.bucket.lock.enabled && !op.request.lock.empty()) {
    co_return fail(Errc::no_object_lock);
  }
  // Not onto another name of the same file: what it is copied from stays as it is.
  // And with Object Lock what S3 has made no file client goes on writing to.
  const bool in_place = target.object() && target.object()->ino == source->ino &&
                        op.key == op.request.source_key && !target.bucket.lock.enabled;
  if (in_place) {
    co_return co_await copy_in_place(core, op, held, target, *source);
  }
  Object object{op.ino, target.bucket.root, copied_record(core, op, source->record, false)};
  CO_TRYV(check_copied(op.request, object.record));
  CO_TRYV(settle_lock(core, target, object.record));
  Transaction tx(core);
  install_object(core, tx, target, op.ino, op.ino, object.record);
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

// A version that is not current. It never changes, and goes only under its inode's lock. Empty: the
// plan was outrun.
Task<std::optional<ObjectInfo>> try_copy_version(Core& core, CopyOp& op, const Source& source) {
  CO_TRY(const FoundVersion found,
         co_await find_object_version(core, source.bucket.root, op.request.source_key, *op.version,
                                      false));
  if (found.marker) {
    co_return fail_marker(*found.marker);
  }
  if (!found.object) {
    co_return fail(Errc::no_such_version);
  }
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  target.busy = op.busy_target;
  LockPlan locks;
  lock_bucket_shared(locks, source.bucket.root);
  locks.add(inode_lock(found.object->ino), LockMode::shared);
  lock_target(locks, target);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_target(core, target, held));
  CO_TRY(const ObjectPtr version,
         co_await load_object(core, found.object->ino, source.bucket.root));
  if (!confirmed || !version || !version->record.history) {
    op.busy_target = target.busy;
    co_return std::nullopt;
  }
  co_return co_await copy_to_target(core, op, held, target, version);
}

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_copy(Core& core, CopyOp& op) {
  CO_TRY(Source source,
         co_await plan_source(core, op.request.source_bucket, op.request.source_key));
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  const bool by_version = op.version && source.versioned();
  if (!source.reachable && by_version) {
    co_return co_await try_copy_version(core, op, source);
  }
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
  const bool asked =
      source.object && (!op.version || op.version->names(source.object->record.version));
  if (!asked && by_version) {
    held.release();
    co_return co_await try_copy_version(core, op, source);
  }
  if (!asked) {
    co_return fail(source.object ? Errc::no_such_version : Errc::no_such_key);
  }
  co_return co_await copy_to_target(core, op, held, target, source.object);
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
  if (!op.request.source_version.empty()) {
    CO_TRY(op.version, check_version_id(op.request.source_version));
  }
  CO_TRYV(core.check_room());
  CO_TRY(op.ino, co_await core.inodes.allocate(inodes_needed(key)));
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (op.spares_needed > op.spares) {
      CO_TRY(op.spare, co_await core.inodes.allocate(op.spares_needed));
      op.spares = op.spares_needed;
    }
    CO_TRY(auto info, co_await try_copy(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
