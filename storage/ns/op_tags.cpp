// The tags, the ACL and the lock of an object, or of one of its versions: they change in place, and
// nothing else of it does.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"
#include "storage/ns/versions.h"

namespace outcrop::ns {
namespace {

struct TagOp {
  std::string_view bucket, key;
  std::optional<VersionId> version{};  ///< empty: the current one
  StringPairs tags{};
  ExpectedTags expected{};
  std::optional<std::string> acl{};  ///< then the tags stay
  std::optional<std::string> expected_acl{};
  std::optional<LockChange> lock{};  ///< the same
  InodeId busy = 0;
};

Task<> explain_absence(Core& core, const Target& target) {
  std::optional<VersionRecord> newest;
  if (const InodeId directory = target.history_directory(); target.versioned() && directory != 0) {
    CO_TRY(newest, co_await newest_version(core, directory, target.path.name));
  }
  co_return newest && newest->marker ? fail(Errc::key_deleted, version_text(newest->stamp))
                                     : fail(Errc::no_such_key);
}

// A version that is not current, with its inode locked. Null: others have it locked.
Task<ObjectPtr> lock_version(Core& core, TagOp& op, Target& target, LockTable::Held& held) {
  std::optional<VersionRecord> record;
  if (const InodeId directory = target.history_directory(); directory != 0) {
    CO_TRY(record, co_await find_version(core, directory, target.path.name, *op.version));
  }
  if (!record) {
    co_return fail(Errc::no_such_version);
  }
  if (record->marker) {
    co_return fail_marker(*record);
  }
  const InodeId ino = record->summary.ino;
  if (!core.locks.try_extend(held, inode_lock(ino), LockMode::exclusive)) {
    op.busy = ino;
    co_return ObjectPtr{};
  }
  CO_TRY(ObjectPtr object, co_await load_object(core, ino, target.bucket.root));
  if (!object) {
    co_return fail(Errc::corrupt, "version without inode");
  }
  co_return object;
}

// What was asked for, locked. Null: the plan was outrun.
Task<ObjectPtr> find_asked(Core& core, TagOp& op, Target& target, LockTable::Held& held) {
  const ObjectPtr current = target.object();
  if (current && (!op.version || op.version->names(current->record.version))) {
    co_return current;
  }
  if (!op.version) {
    CO_TRYV(co_await explain_absence(core, target));
  }
  if (!target.versioned()) {
    co_return fail(current ? Errc::no_such_version : Errc::no_such_key);
  }
  co_return co_await lock_version(core, op, target, held);
}

// Of who changes the lock of what is current: what a file client has written is stored, and goes on
// waiting for the gate. Null: there is nothing at the key.
Task<std::unique_ptr<GateHold>> close_current(Core& core, const TagOp& op) {
  CO_TRY(const BucketRecord bucket, co_await find_bucket(core, op.bucket));
  if (!bucket.lock.enabled) {
    co_return fail(Errc::no_object_lock);
  }
  CO_TRY(const FoundObject found, co_await find_object(core, bucket.root, op.key, false));
  if (!found.object) {
    co_return nullptr;
  }
  auto gate = std::make_unique<GateHold>(core.dirty->close_gate(found.object->ino));
  CO_TRYV(co_await flush_file(core, found.object->ino));
  co_return gate;
}

Result<void> apply(Core& core, const TagOp& op, ObjectAttributes& attributes) {
  if (op.lock) {
    TRY(attributes.lock, changed_lock(attributes.lock, *op.lock, lock_time(core.clock)));
  } else if (op.acl) {
    attributes.acl = *op.acl;
  } else {
    attributes.tags = op.tags;
  }
  return check_attributes(attributes);
}

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_set_tags(Core& core, TagOp& op) {
  std::unique_ptr<GateHold> gate;
  if (op.lock) {
    CO_TRY(gate, co_await close_current(core, op));
  }
  CO_TRY(auto place, co_await hold_target(core, op.bucket, op.key, op.busy));
  if (!place) {
    co_return std::nullopt;
  }
  Target& target = place->target;
  CO_TRY(const ObjectPtr found, co_await find_asked(core, op, target, place->held));
  if (!found) {
    co_return std::nullopt;
  }
  CO_TRYV(check_tags(op.expected, *found));
  if (op.expected_acl && *op.expected_acl != found->record.attributes.acl) {
    co_return fail(Errc::conflict);
  }
  Object object = *found;
  CO_TRYV(apply(core, op, object.record.attributes));
  if (op.lock && !found->record.history) {
    if (!gate || gate->file().ino() != found->ino) {
      co_return std::nullopt;  // another one is current meanwhile
    }
    core.holds->end_session(found->ino);
    gate->file().seal();
  }
  mark_changed(core, object.record, core.clock.wall_ns());
  Transaction tx(core);
  tx.put_main(object);
  CO_TRYV(co_await tx.commit());
  co_return info_in(target.bucket, info_of(object));
}

Task<ObjectInfo> change_in_place(Core& core, TagOp op, std::string_view version_id) {
  CO_TRYV(check_key(op.key));
  if (!version_id.empty()) {
    CO_TRY(op.version, check_version_id(version_id));
  }
  CO_TRYV(core.check_room());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto info, co_await try_set_tags(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace

Task<ObjectInfo> set_object_tags(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view version_id,
                                 StringPairs tags,
                                 ExpectedTags expected) {
  TagOp op{.bucket = bucket, .key = key};
  op.tags = std::move(tags);
  op.expected = std::move(expected);
  return change_in_place(core, std::move(op), version_id);
}

Task<ObjectInfo> set_object_acl(Core& core,
                                std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id,
                                std::string acl,
                                std::optional<std::string> expected,
                                ExpectedTags tags) {
  TagOp op{.bucket = bucket, .key = key};
  op.acl = std::move(acl);
  op.expected_acl = std::move(expected);
  op.expected = std::move(tags);
  return change_in_place(core, std::move(op), version_id);
}

Task<ObjectInfo> set_object_lock(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view version_id,
                                 LockChange change) {
  TagOp op{.bucket = bucket, .key = key};
  op.lock = change;
  return change_in_place(core, std::move(op), version_id);
}

}  // namespace outcrop::ns
