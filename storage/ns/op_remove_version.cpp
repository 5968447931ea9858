#include "storage/ns/op_remove_version.h"

#include "storage/ns/conditions.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

struct VersionOp {
  std::string_view bucket, key;
  VersionId id;
  const Conditions& conditions;
  InodeId first = 0;
  // What the last attempt found that the next one must lock.
  std::size_t exclusive = 0;
  InodeId busy = 0;
};

/// A version that is not current, with its inode locked.
struct LockedVersion {
  VersionRecord record;
  Leaving object{};  ///< null object: a marker
};

Deletion removed(const VersionStamp& stamp, bool marker) {
  return {.found = true, .marker = marker, .version_id = version_text(stamp)};
}

// Empty: its inode is locked by others.
Task<std::optional<LockedVersion>> lock_version(Core& core,
                                                LockTable::Held& held,
                                                InodeId root,
                                                InodeId directory,
                                                std::string_view name,
                                                VersionRecord record,
                                                InodeId& busy) {
  LockedVersion out{.record = std::move(record)};
  if (out.record.marker) {
    co_return out;
  }
  const InodeId ino = out.record.summary.ino;
  if (!core.locks.try_extend(held, inode_lock(ino), LockMode::exclusive)) {
    busy = ino;
    co_return std::nullopt;
  }
  CO_TRY(ObjectPtr object, co_await load_object(core, ino, root));
  if (!object) {
    co_return fail(Errc::corrupt, "version without inode");
  }
  CO_TRY(out.object, co_await plan_leaving(core, std::move(object), directory, name));
  co_return out;
}

// The newest of those that are not current and are not the one that goes.
Task<std::optional<VersionRecord>> newest_but(Core& core,
                                              InodeId directory,
                                              std::string_view name,
                                              std::uint64_t number) {
  const std::string prefix = version_prefix(directory, name);
  CO_TRY(const meta::ScanPage page,
         co_await core.meta.scan({.lower = prefix, .upper = meta::prefix_end(prefix), .limit = 2}));
  for (const auto& [raw, value] : page.entries) {
    const auto key = parse_version_key(raw);
    if (!key) {
      co_return fail(Errc::corrupt, "version key malformed");
    }
    if (key->number != number) {
      CO_TRY(VersionRecord record, decode_version(value, key->number));
      co_return record;
    }
  }
  co_return std::nullopt;
}

// The version is current again: in the place of what else is there.
void promote(Core& core,
             Transaction& tx,
             const Target& target,
             const LockedVersion& version,
             InodeId first) {
  const std::int64_t now_ns = core.clock.wall_ns();
  Object object = *version.object.object;
  const InodeId directory = install_directories(tx, target, first, true, now_ns);
  const std::string_view name = target.path.name;
  tx.block_name(target.bucket.root, target.key);
  tx.batch.erase(version_key(directory, name, object.record.version.number));
  if (object.record.version.null) {
    tx.batch.erase(null_version_key(directory, name));
  }
  object.record.history = false;
  // It was nowhere: it gets a position in its directory that nothing had.
  ++object.record.moves;
  mark_changed(core, object.record, now_ns);
  tx.put_main(object);
  tx.batch.put(dirent_key(directory, name), encode(dirent_of(object.ino, object.record)));
}

// History directories that the last of their records leaves, the innermost first.
Task<> erase_hidden(Core& core, Transaction& tx, const Target& target, std::size_t records) {
  for (std::size_t n = target.hidden.size(); n > 0; --n) {
    const Object& directory = *target.hidden[n - 1];
    CO_TRY(const bool more, co_await has_history(core, directory.ino, records));
    if (more) {
      break;
    }
    tx.batch.erase(history_directory_key(directory.record.parent, directory.record.name));
    tx.erase_inode(directory, {});
    records = 1;  // of its parent: itself
  }
  co_return ok();
}

enum class Step : std::uint8_t { done, retry, prune };

// The current version goes, and another takes its place.
Task<Step> replace_current(Core& core, VersionOp& op, Target& target, LockTable::Held& held) {
  const InodeId directory = target.parent.dir.ino;
  CO_TRY(auto next, co_await newest_version(core, directory, target.path.name));
  if (!next || next->marker) {
    co_return Step::prune;
  }
  CO_TRY(const auto locked, co_await lock_version(core, held, target.bucket.root, directory,
                                                  target.path.name, *std::move(next), op.busy));
  if (!locked) {
    co_return Step::retry;
  }
  Transaction tx(core);
  tx.bypass_governance(op.conditions.bypass_governance);
  tx.unlink(target.existing);
  promote(core, tx, target, *locked, op.first);
  CO_TRYV(co_await tx.commit());
  co_return Step::done;
}

// `current`: it is the newest at its key; `alone`: and there is no other.
Result<void> check_version(const VersionOp& op,
                           const LockedVersion& version,
                           bool current,
                           bool alone) {
  if (const auto& seen = op.conditions.seen) {
    const VersionRecord& record = version.record;
    const bool placed = seen->alone ? record.marker && current && alone : !current;
    if (!placed || record.stamp.number != seen->number || record.since_ns != seen->since_ns) {
      return fail(Errc::precondition_failed);
    }
  }
  return check_object(op.conditions, version.object.object, Access::write);
}

// Of a version that is not current.
Task<std::optional<Deletion>> remove_record(Core& core,
                                            VersionOp& op,
                                            Target& target,
                                            LockTable::Held& held) {
  const InodeId root = target.bucket.root;
  const InodeId directory = target.history_directory();
  const std::string_view name = target.path.name;
  std::optional<VersionRecord> record;
  if (directory != 0) {
    CO_TRY(record, co_await find_version(core, directory, name, op.id));
  }
  if (!record) {
    co_return Deletion{};
  }
  CO_TRY(const auto version,
         co_await lock_version(core, held, root, directory, name, *std::move(record), op.busy));
  if (!version) {
    co_return std::nullopt;
  }
  const VersionStamp stamp = version->record.stamp;
  CO_TRY(auto newest, co_await newest_but(core, directory, name, stamp.number));
  const bool current = !target.object() && (!newest || newest->stamp.number < stamp.number);
  CO_TRYV(check_version(op, *version, current, !newest));
  std::optional<LockedVersion> next;
  if (current && newest && !newest->marker) {
    CO_TRY(next,
           co_await lock_version(core, held, root, directory, name, *std::move(newest), op.busy));
    if (!next) {
      co_return std::nullopt;
    }
  }
  Transaction tx(core);
  tx.bypass_governance(op.conditions.bypass_governance);
  if (next) {
    tx.unlink(target.existing);
    promote(core, tx, target, *next, op.first);
  } else {
    CO_TRYV(co_await erase_hidden(core, tx, target, stamp.null ? 2 : 1));
  }
  erase_version(tx, directory, name, version->record, version->object);
  CO_TRYV(co_await tx.commit());
  co_return removed(stamp, version->record.marker);
}

// The current version goes, and nothing that S3 shows is left of the key.
Task<std::optional<Deletion>> remove_last(Core& core, VersionOp& op) {
  CO_TRY(Source source, co_await plan_source(core, op.bucket, op.key));
  source.exclusive = op.exclusive;
  source.busy = op.busy;
  if (!source.reachable) {
    co_return std::nullopt;
  }
  LockPlan locks;
  lock_source(locks, source);
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_source(core, source, held, LockMode::exclusive));
  op.busy = source.busy;
  op.exclusive = 0;
  if (!confirmed || !source.object || !op.id.names(source.object->record.version)) {
    co_return std::nullopt;
  }
  CO_TRY(const auto next, co_await newest_version(core, source.parent(), source.path.name));
  if (next && !next->marker) {
    co_return std::nullopt;
  }
  CO_TRYV(check_object(op.conditions, source.object, Access::write));
  CO_TRY(const auto pruned, co_await plan_prune(core, source, {}, next.has_value()));
  if (!pruned) {
    op.exclusive = source.exclusive;
    co_return std::nullopt;
  }
  Transaction tx(core);
  tx.bypass_governance(op.conditions.bypass_governance);
  detach(tx, source, *pruned);
  tx.unlink(source.leaving);
  CO_TRYV(co_await tx.commit());
  co_return removed(source.object->record.version, false);
}

// Empty: the plan was outrun.
Task<std::optional<Deletion>> try_remove(Core& core, VersionOp& op, bool& last) {
  CO_TRY(auto place, co_await hold_target(core, op.bucket, op.key, op.busy));
  if (!place) {
    co_return std::nullopt;
  }
  Target& target = place->target;
  const ObjectPtr current = target.object();
  if (!current || !op.id.names(current->record.version)) {
    co_return co_await remove_record(core, op, target, place->held);
  }
  if (op.conditions.seen) {
    co_return fail(Errc::precondition_failed);
  }
  CO_TRYV(check_object(op.conditions, current, Access::write));
  CO_TRY(const Step step, co_await replace_current(core, op, target, place->held));
  last = step == Step::prune;
  co_return step == Step::done ? std::optional(removed(current->record.version, false))
                               : std::nullopt;
}

}  // namespace

Task<Deletion> remove_one_version(Core& core,
                                  std::string_view bucket,
                                  std::string_view key,
                                  VersionId id,
                                  const Conditions& conditions) {
  VersionOp op{.bucket = bucket, .key = key, .id = id, .conditions = conditions};
  CO_TRY(op.first, co_await core.inodes.allocate(inodes_needed(key)));
  bool last = false;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::optional<Deletion> done;
    if (std::exchange(last, false)) {
      CO_TRY(done, co_await remove_last(core, op));
      last = !done && op.exclusive > 0;
    } else {
      CO_TRY(done, co_await try_remove(core, op, last));
    }
    if (done) {
      co_return *std::move(done);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
