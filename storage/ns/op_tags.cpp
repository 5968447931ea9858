// The tags of an object: they change in place, and nothing else of it does.
#include "storage/ns/conditions.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct TagOp {
  std::string_view bucket, key;
  StringPairs tags;
  ExpectedTags expected;
  InodeId busy = 0;
};

// Empty: the plan was outrun.
Task<std::optional<ObjectInfo>> try_set_tags(Core& core, TagOp& op) {
  CO_TRY(Target target, co_await plan_target(core, op.bucket, op.key));
  target.busy = op.busy;
  LockPlan locks;
  lock_target(locks, target);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_target(core, target, held));
  if (!confirmed) {
    op.busy = target.busy;
    co_return std::nullopt;
  }
  if (!target.object()) {
    co_return fail(Errc::no_such_key);
  }
  CO_TRYV(check_tags(op.expected, *target.object()));
  Object object = *target.object();
  object.record.attributes.tags = op.tags;
  CO_TRYV(check_attributes(object.record.attributes));
  mark_changed(core, object.record, core.clock.wall_ns());
  Transaction tx(core);
  tx.put_main(object);
  CO_TRYV(co_await tx.commit());
  co_return info_of(object);
}

}  // namespace

Task<ObjectInfo> set_object_tags(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 StringPairs tags,
                                 ExpectedTags expected) {
  CO_TRYV(check_key(key));
  TagOp op{.bucket = bucket, .key = key, .tags = std::move(tags), .expected = std::move(expected)};
  CO_TRYV(core.check_room());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto info, co_await try_set_tags(core, op));
    if (info) {
      co_return *std::move(info);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
