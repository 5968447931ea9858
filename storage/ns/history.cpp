#include "storage/ns/history.h"

#include <algorithm>

#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"

namespace outcrop::ns {
namespace {

// Of a file with very many names, the first ones keep a version of a change in place.
constexpr std::uint32_t kMostCopies = 256;
constexpr std::size_t kMostCopiedPieces = 20'000;

VersionStamp next_stamp(Core& core, Versioning versioning) {
  return versioning == Versioning::off
             ? VersionStamp{}
             : VersionStamp{core.changes.next(), versioning == Versioning::suspended};
}

// A batch names a key once, and one transaction may take the null version of a key away and put
// another in its place.
void set_null_version(Transaction& tx,
                      InodeId directory,
                      std::string_view name,
                      std::optional<std::string> value) {
  std::string key = null_version_key(directory, name);
  const auto it = std::ranges::find(tx.batch.mutations, key, &meta::Mutation::key);
  if (it != tx.batch.mutations.end()) {
    it->value = std::move(value);
  } else {
    tx.batch.mutations.push_back({std::move(key), std::move(value)});
  }
}

void put_version(Transaction& tx,
                 InodeId directory,
                 std::string_view name,
                 InodeId ino,
                 const InodeRecord& record,
                 std::int64_t now_ns) {
  const VersionRecord version{record.version, false, dirent_of(ino, record), now_ns};
  tx.batch.put(version_key(directory, name, record.version.number), encode(version));
  if (record.version.null) {
    set_null_version(tx, directory, name, encode_number(record.version.number));
  }
}

// By reference to the same extents. Extended attributes stay with the file.
void copy_version(Transaction& tx,
                  const KeyHistory& key,
                  const InodeRecord& from,
                  InodeId ino,
                  std::int64_t now_ns) {
  InodeRecord copy = from;
  copy.history = true;
  copy.change = kFirstChange;
  copy.parent = key.directory;
  copy.name = key.name;
  copy.moves = 0;
  copy.tails = 0;
  copy.attributes.lock.writing = false;
  if (copy.posix) {
    copy.posix->links = 1;
    copy.posix->xattr_bytes = 0;
    copy.posix->verifier.reset();
  }
  tx.create_object(key.root, ino, copy);
  put_version(tx, key.directory, key.name, ino, copy, now_ns);
}

void erase_replaced(Transaction& tx, const KeyHistory& key) {
  if (key.replaced) {
    erase_version(tx, key.directory, key.name, *key.replaced, key.replaced_object);
  }
}

}  // namespace

KeyHistory new_history(Core& core, InodeId root, Versioning versioning, std::string_view name) {
  return {.root = root, .name = std::string(name), .stamp = next_stamp(core, versioning)};
}

Task<KeyHistory> plan_history(Core& core,
                              LockTable::Held& held,
                              InodeId root,
                              Versioning versioning,
                              InodeId directory,
                              std::string_view name,
                              const ObjectPtr& there,
                              InodeId& busy) {
  KeyHistory out = new_history(core, root, versioning, name);
  out.directory = directory;
  const bool object = there && there->record.type == InodeType::file;
  const bool replaces_null = versioning == Versioning::suspended;
  out.keep =
      object && versioning != Versioning::off && !(replaces_null && there->record.version.null);
  // What is there being the null version, there is no other.
  if (!replaces_null || (object && there->record.version.null)) {
    co_return out;
  }
  CO_TRY(out.replaced, co_await find_version(core, directory, name, VersionId{}));
  if (!out.replaced || out.replaced->marker) {
    co_return out;
  }
  const InodeId ino = out.replaced->summary.ino;
  if (!core.locks.try_extend(held, inode_lock(ino), LockMode::exclusive)) {
    busy = ino;
    co_return out;
  }
  CO_TRY(ObjectPtr null, co_await load_object(core, ino, root));
  if (!null) {
    co_return fail(Errc::corrupt, "version without inode");
  }
  CO_TRY(out.replaced_object, co_await plan_leaving(core, std::move(null), directory, name));
  co_return out;
}

Task<> limit_to_keys(Core& core, KeyHistory& history) {
  CO_TRY(const std::string path, co_await path_of(core, FileId{history.root, history.directory}));
  if (path.size() + history.name.size() > kMaxKeyBytes) {
    history.keep = false;
    CO_TRY(const auto newest, co_await newest_version(core, history.directory, history.name));
    history.marks = newest.has_value();
  }
  co_return ok();
}

void supersede(
    Core& core, Transaction& tx, const KeyHistory& history, const Leaving& there, InodeId spare) {
  erase_replaced(tx, history);
  if (!history.keep) {
    return tx.unlink(there);
  }
  const std::int64_t now = core.clock.wall_ns();
  // Who has the file open, or another name of it, goes on to change it.
  if (there.object->record.links() > 1 || core.holds->held(there.object->ino)) {
    copy_version(tx, history, there.object->record, spare, now);
    return tx.unlink(there, true);
  }
  tx.leave(there.parent, there.cookie, there.name);
  Object version = *there.object;
  version.record.history = true;
  // Should it be current again, its bytes stay what they are.
  version.record.attributes.lock.writing = false;
  core.holds->end_session(version.ino);
  tx.put_history(version);
  put_version(tx, history.directory, history.name, version.ino, version.record, now);
}

void put_marker(Transaction& tx,
                const KeyHistory& history,
                InodeId directory,
                std::int64_t now_ns) {
  if (!history.marks) {
    return;
  }
  VersionRecord marker{.stamp = history.stamp, .marker = true};
  marker.summary.mtime_ns = now_ns;
  tx.batch.put(version_key(directory, history.name, history.stamp.number), encode(marker));
  if (history.stamp.null) {
    set_null_version(tx, directory, history.name, encode_number(history.stamp.number));
  }
}

void erase_version(Transaction& tx,
                   InodeId directory,
                   std::string_view name,
                   const VersionRecord& record,
                   const Leaving& object) {
  tx.batch.erase(version_key(directory, name, record.stamp.number));
  if (record.stamp.null) {
    set_null_version(tx, directory, name, std::nullopt);
  }
  if (object.object) {
    tx.erase_inode(*object.object, object.xattrs);
  }
}

std::uint32_t renewal_inodes(const Object& file) {
  return std::clamp(file.record.links(), 1U, kMostCopies);
}

Task<Renewal> plan_renewal(Core& core,
                           LockTable::Held& held,
                           Versioning versioning,
                           const Object& file,
                           InodeId& busy,
                           NamePlace first) {
  Renewal out{.stamp = next_stamp(core, versioning)};
  CO_TRY(auto names, co_await names_of(core, file));
  std::ranges::partition(names, [first](const LinkName& name) {
    return name.parent == first.directory && name.name == first.name;
  });
  const auto there = std::make_shared<Object>(file);
  // One transaction holds all copies.
  const std::size_t pieces = std::max<std::size_t>(file.record.lists.pieces.size(), 1);
  std::size_t copies = std::clamp<std::size_t>(kMostCopiedPieces / pieces, 1, kMostCopies);
  for (const LinkName& name : names) {
    CO_TRY(KeyHistory key, co_await plan_history(core, held, file.root, versioning, name.parent,
                                                 name.name, there, busy));
    key.keep = key.keep && copies > 0;
    if (key.keep) {
      CO_TRYV(co_await limit_to_keys(core, key));
    }
    if (!key.keep && !file.record.attributes.lock.empty() &&
        is_locked(file.record.attributes.lock, lock_time(core.clock))) {
      co_return fail(Errc::object_locked, "what is at this name cannot be kept as a version");
    }
    copies -= key.keep ? 1 : 0;
    key.stamp = out.stamp;
    out.names.push_back(std::move(key));
  }
  if (std::ranges::any_of(out.names, &KeyHistory::keep)) {
    CO_TRYV(core.check_room());
  }
  co_return out;
}

void apply_renewal(Core& core,
                   Transaction& tx,
                   const Renewal& renewal,
                   const Object& before,
                   Object& after,
                   InodeId spare) {
  const std::int64_t now = core.clock.wall_ns();
  for (const KeyHistory& key : renewal.names) {
    erase_replaced(tx, key);
    if (key.keep) {
      copy_version(tx, key, before.record, spare++, now);
    }
  }
  after.record.version = renewal.stamp;
  after.record.attributes.lock = file_lock(core.versioned.lock_of(after.root), now);
}

void hide_directory(Transaction& tx, const Object& directory) {
  const InodeRecord& record = directory.record;
  tx.leave(record.parent, cookie_of(directory.ino, record.moves), record.name);
  tx.batch.put(history_directory_key(record.parent, record.name), encode_number(directory.ino));
  Object hidden = directory;
  hidden.record.history = true;
  hidden.record.posix.reset();
  tx.put_main(hidden);
}

void revive_directory(Transaction& tx, Object& directory) {
  tx.batch.erase(history_directory_key(directory.record.parent, directory.record.name));
  directory.record.history = false;
  tx.put_main(directory);
}

}  // namespace outcrop::ns
