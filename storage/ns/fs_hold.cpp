// The file view: open files that outlive their names, and the background pass.
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/left_names.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kDirectoriesPerBatch = 64;

class Hold final : public OpenHold {
 public:
  Hold(std::shared_ptr<HoldTable> table, InodeId ino, std::int64_t steady_ns)
      : x_table(std::move(table)), x_ino(ino) {
    x_table->add(x_ino, steady_ns);
  }
  ~Hold() override { x_table->release(x_ino); }

 private:
  const std::shared_ptr<HoldTable> x_table;
  const InodeId x_ino;
};

// The directory that a client keeps by keeping the inode; none for an orphan.
std::optional<FileId> kept_directory(const Object& object) {
  if (object.record.type == InodeType::directory) {
    return FileId{object.root, object.ino};
  }
  return object.record.links() == 0 ? std::nullopt
                                    : std::optional(FileId{object.root, object.record.parent});
}

// Empty: the plan was outrun.
Task<std::optional<OpenHoldPtr>> try_hold(Core& core, FileId file) {
  CO_TRY(const FoundInode planned, co_await find_inode(core, file));
  const auto directory = kept_directory(*planned.object);
  std::vector<ImplicitDirectory> implicit;
  if (directory) {
    auto found = co_await find_implicit(core, *directory);
    if (!found && found.error().code() == Errc::stale && directory->ino != file.ino) {
      co_return std::nullopt;  // moved away, and the directory removed
    }
    CO_TRY(implicit, std::move(found));
  }
  LockPlan locks;
  locks.add(inode_lock(file.ino), LockMode::shared);
  if (!implicit.empty()) {
    lock_bucket_shared(locks, file.root);
    lock_implicit(locks, implicit);
  }
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const FoundInode now, co_await find_inode(core, file));
  OpenHoldPtr hold = std::make_shared<Hold>(core.holds, file.ino, core.clock.steady_ns());
  if (implicit.empty()) {
    co_return hold;
  }
  CO_TRY(const auto again, co_await find_implicit(core, *directory));
  if (kept_directory(*now.object) != directory || again != implicit) {
    co_return std::nullopt;
  }
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, file.root, implicit));
  const auto committed = co_await tx.commit();
  if (!committed && !is_write_refusal(committed)) {
    co_return fail(committed.error());
  }
  co_return hold;
}

// Removes an inode that has no name and that nobody holds.
Task<> erase_orphan(Core& core, InodeId ino) {
  LockPlan locks;
  locks.add(inode_lock(ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  if (core.holds->held(ino)) {
    core.holds->orphaned(ino);  // opened again by its number: its end queues it
    co_return ok();
  }
  CO_TRY(const auto orphan, co_await core.meta.get(orphan_key(ino)));
  if (!orphan) {
    co_return ok();
  }
  CO_TRY(const InodeId root, decode_number(*orphan));
  CO_TRY(ObjectPtr object, co_await load_object(core, ino, root));
  if (!object || object->record.links() > 0) {
    co_return ok();
  }
  CO_TRY(const Leaving leaving, co_await plan_leaving(core, object, 0, {}));
  Transaction tx(core);
  tx.batch.erase(orphan_key(ino));
  tx.erase_inode(*object, leaving.xattrs);
  co_return co_await tx.commit();
}

Task<> erase_ended_orphans(Core& core) {
  Result<void> first;
  for (const InodeId ino : core.holds->take_ended()) {
    auto erased = co_await erase_orphan(core, ino);
    if (!erased) {
      core.holds->orphaned(ino);  // for the next pass
      first = first ? std::move(erased) : std::move(first);
    }
  }
  co_return first;
}

Task<> write_times(Core& core, std::span<const DirectoryTimes::Unwritten> batch) {
  LockPlan locks;
  for (const auto& d : batch) {
    lock_bucket_shared(locks, d.root);
    locks.add(dir_lock(d.directory), LockMode::shared);
    locks.add(inode_lock(d.directory), LockMode::exclusive);
  }
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  Transaction tx(core);
  for (const auto& d : batch) {
    CO_TRY(const auto object, co_await load_object(core, d.directory, d.root));
    if (!object) {
      continue;  // removed
    }
    object->record.mtime_ns = d.state.mtime_ns;
    if (object->record.posix) {
      object->record.posix->ctime_ns = d.state.ctime_ns;
    }
    tx.put_main(*object);
  }
  CO_TRYV(co_await tx.commit());
  for (const auto& d : batch) {
    core.times.written(d);
  }
  co_return ok();
}

Task<> write_directory_times(Core& core) {
  const auto all = core.times.unwritten(core.config.directory_times);
  for (std::size_t i = 0; i < all.size(); i += kDirectoriesPerBatch) {
    CO_TRYV(co_await write_times(
        core, std::span(all).subspan(i, std::min(kDirectoriesPerBatch, all.size() - i))));
  }
  co_return ok();
}

}  // namespace

Task<OpenHoldPtr> hold_inode(Core& core, FileId file) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto hold, co_await try_hold(core, file));
    if (hold) {
      co_return *std::move(hold);
    }
  }
  co_return outrun();
}

Task<> reap_orphans(Core& core) {
  const std::string all = meta::table_key(meta::Table::orphan);
  meta::ScanRequest request{.lower = all, .upper = meta::prefix_end(all)};
  request.keys_only = true;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await core.meta.scan(request));
    for (const auto& entry : page.entries) {
      if (entry.key.size() != all.size() + sizeof(InodeId)) {
        co_return fail(Errc::corrupt, "orphan key malformed");
      }
      CO_TRYV(
          co_await erase_orphan(core, get_be64(std::string_view(entry.key).substr(all.size()))));
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return ok();
}

Task<> flush_idle(Core& core, std::int64_t older_than_ns) {
  core.recent.expire(core.clock.steady_ns());
  core.holds->expire_sessions(core.clock.steady_ns());
  // One part that fails keeps none of the others from its work.
  auto flushed = co_await flush_dirty(core, older_than_ns);
  // Not when everything is to be stored: the store is about to close.
  auto packed = older_than_ns == INT64_MAX ? ok() : co_await defragment(core);
  auto erased = co_await erase_ended_orphans(core);
  auto written = co_await write_directory_times(core);
  auto forgotten = co_await expire_left_names(core);
  auto extended = co_await core.changes.extend();
  // A store that takes no writes loses nothing that was promised but the data of `flushed`.
  for (Result<void>* result : {&flushed, &packed, &erased, &written, &forgotten, &extended}) {
    if (!*result && (result == &flushed || !is_write_refusal(*result))) {
      co_return std::move(*result);
    }
  }
  co_return ok();
}

}  // namespace outcrop::ns
