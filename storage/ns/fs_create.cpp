// The file view: files, directories, symlinks and special nodes that come to be, and further names
// of files.
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/history.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

constexpr std::uint32_t kModeMask = 07777;
// The summaries of all names of a file are written in one transaction: beyond so many names their
// bytes are counted, and must leave room in it.
constexpr std::uint32_t kUncountedLinks = 8000;
constexpr std::size_t kMaxNamesBytes = 3 << 20;
constexpr std::size_t kSummaryBytes = 64;

struct NewInode {
  FileId directory;
  std::string_view name;
  InodeRecord record;  ///< without its place and times
  CreateMode how = CreateMode::guarded;
  SetAttributes attributes;
  InodeId ino = 0;
  InodeId busy = 0;
};

InodeRecord finished(Core& core, const NewInode& op, const Slot& slot) {
  InodeRecord out = op.record;
  const std::int64_t now = core.clock.wall_ns();
  const bool directory = out.type == InodeType::directory;
  out.parent = op.directory.ino;
  out.name = directory ? slot.directory_name() : slot.file_name();
  out.mtime_ns = op.attributes.mtime_ns.value_or(now);
  PosixAttributes& posix = ensure_posix(out);
  posix.mode = op.attributes.mode.value_or(posix.mode) & kModeMask;
  posix.uid = op.attributes.uid.value_or(kNoOwner);
  posix.gid = op.attributes.gid.value_or(kNoOwner);
  posix.atime_ns = op.attributes.atime_ns.value_or(now);
  posix.ctime_ns = now;
  posix.btime_ns = now;
  if (out.type == InodeType::file) {
    out.size = op.attributes.size.value_or(0);
    out.etag = file_etag(op.ino, out.change);
    if (out.size > 0) {
      out.lists.pieces.push_back({.extent = {}, .skip = 0, .length = out.size});
    }
  }
  return out;
}

// What is there already: success only where the mode says so.
Task<Created> keep_existing(Core& core, const NewInode& op, const Entry& entry) {
  CO_TRY(const FoundInode found, co_await find_inode(core, entry.dirent.ino));
  CO_TRY(const ObjectPtr directory, co_await find_directory(core, op.directory));
  const std::uint64_t change = attributes_of(core, *directory).change;
  if (entry.dirent.type == InodeType::directory && op.how == CreateMode::unchecked) {
    co_return fail(Errc::is_directory);
  }
  if (!found.object || entry.dirent.type != InodeType::file || op.how == CreateMode::guarded) {
    co_return fail(Errc::already_exists);
  }
  const InodeRecord& record = found.object->record;
  if (op.how == CreateMode::exclusive &&
      !(record.posix && record.posix->verifier == op.record.posix->verifier)) {
    co_return fail(Errc::already_exists);
  }
  co_return Created{attributes_of(core, *found.object), {change, change}, false};
}

// What a new inode finds at its name, in a bucket with versions.
struct Found {
  KeyHistory history{};  ///< of a file
  ObjectPtr hidden{};    ///< of a directory: the one that was there, with the versions below it
};

// Empty: another inode must be locked first.
Task<std::optional<Found>> find_history(Core& core,
                                        LockTable::Held& held,
                                        NewInode& op,
                                        const Slot& slot) {
  Found out;
  const InodeId root = op.directory.root;
  const Versioning versioning = core.versioned.of(root);
  if (op.record.type == InodeType::file) {
    InodeId busy = 0;
    CO_TRY(out.history, co_await plan_history(core, held, root, versioning, op.directory.ino,
                                              slot.file_name(), nullptr, busy));
    op.busy = busy != 0 ? busy : op.busy;
    co_return busy == 0 ? std::optional(std::move(out)) : std::nullopt;
  }
  if (op.record.type == InodeType::directory) {
    CO_TRY(const auto ino,
           co_await find_history_directory(core, op.directory.ino, slot.directory_name()));
    if (ino && !core.locks.try_extend(held, inode_lock(*ino), LockMode::exclusive)) {
      op.busy = *ino;
      co_return std::nullopt;
    }
    if (ino) {
      CO_TRY(out.hidden, co_await load_object(core, *ino, root));
      if (!out.hidden) {
        co_return fail(Errc::corrupt, "history directory without inode");
      }
    }
  }
  co_return out;
}

void install(Core& core, Transaction& tx, const Found& found, Object& object) {
  if (found.hidden) {
    object.ino = found.hidden->ino;
    object.record.moves = found.hidden->record.moves;
    revive_directory(tx, object);
  } else {
    object.record.version = found.history.stamp;
    if (object.record.type == InodeType::file) {
      object.record.attributes.lock =
          file_lock(core.versioned.lock_of(object.root), core.clock.wall_ns());
    }
    supersede(core, tx, found.history, {}, 0);
    tx.create_object(object.root, object.ino, object.record);
  }
  tx.batch.put(dirent_key(object.record.parent, object.record.name),
               encode(dirent_of(object.ino, object.record)));
}

// Empty: the plan was outrun.
Task<std::optional<Created>> try_create(Core& core, NewInode& op) {
  CO_TRY(Slot slot, co_await plan_slot(core, op.directory, op.name, false));
  LockPlan locks;
  lock_slot(locks, slot);
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_slot(core, slot));
  if (!confirmed) {
    co_return std::nullopt;
  }
  // Not an empty one either: what `cp` could not fill would stay behind.
  if (op.record.type == InodeType::file && core.sealing.has(op.directory.root) && !slot.entry) {
    co_return fail(Errc::access_denied, "the bucket holds nothing in the clear");
  }
  if (slot.entry) {
    CO_TRY(Created created, co_await keep_existing(core, op, *slot.entry));
    co_return created;
  }
  CO_TRYV(check_new_name(op.name));
  std::optional<Found> found{std::in_place};
  if (core.versioned.of(op.directory.root) != Versioning::off) {
    CO_TRY(found, co_await find_history(core, held, op, slot));
  }
  if (!found) {
    co_return std::nullopt;
  }
  Object object{op.ino, op.directory.root, finished(core, op, slot)};
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, op.directory.root, slot.implicit));
  install(core, tx, *found, object);
  tx.touch(op.directory.root, op.directory.ino);
  CO_TRYV(co_await tx.commit());
  if (found->hidden) {  // memory may know the times from before
    core.times.set(object.root, object.ino, object.record.mtime_ns, object.record.posix->ctime_ns);
  }
  if (found->history.stamp.number != 0) {
    core.holds->begin_session(object.ino, core.clock.steady_ns());
  }
  co_return Created{attributes_of(core, object), tx.change_of(op.directory.ino), true};
}

Task<Created> create(Core& core, NewInode op) {
  if (op.attributes.size.value_or(0) > kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  CO_TRYV(check_name(op.name));
  CO_TRYV(core.check_room());
  CO_TRY(op.ino, co_await core.inodes.allocate());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    auto created = co_await try_create(core, op);
    if (!created && created.error().code() == Errc::not_found && is_alias(op.name)) {
      co_return fail(Errc::invalid_argument, "an alias cannot be created");
    }
    CO_TRY(auto done, std::move(created));
    if (done) {
      co_return *std::move(done);
    }
  }
  co_return outrun();
}

// A file with very many names may have only so many that their summaries fit a transaction.
Task<bool> has_room(Core& core, const Object& object) {
  if (object.record.links() < kUncountedLinks) {
    co_return true;
  }
  CO_TRY(const auto names, co_await names_of(core, object));
  std::size_t bytes = 0;
  for (const LinkName& link : names) {
    bytes += link.name.size() + kSummaryBytes;
  }
  co_return bytes <= kMaxNamesBytes;
}

struct LinkOp {
  FileId file, directory;
  std::string_view name;
  std::uint64_t cookie = 0;
  InodeId busy = 0;
  InodeId spare = 0;
  std::uint32_t spares = 0, spares_needed = 0;
};

/// A name that had versions gets one more: then the file does, under all its names.
struct LinkHistory {
  Renewal renewal{};
  KeyHistory name{};
};

// Empty: another inode must be locked first, or there are too few numbers.
Task<std::optional<LinkHistory>> plan_link(
    Core& core, LockTable::Held& held, LinkOp& op, const Object& file, const Slot& slot) {
  LinkHistory out;
  const Versioning versioning = core.versioned.of(op.file.root);
  if (versioning == Versioning::off || file.record.type != InodeType::file) {
    co_return out;
  }
  CO_TRY(const auto newest, co_await newest_version(core, op.directory.ino, slot.file_name()));
  if (!newest) {
    co_return out;
  }
  InodeId busy = 0;
  CO_TRY(out.renewal, co_await plan_renewal(core, held, versioning, file, busy));
  CO_TRY(out.name, co_await plan_history(core, held, op.file.root, versioning, op.directory.ino,
                                         slot.file_name(), nullptr, busy));
  op.spares_needed = renewal_inodes(file);
  op.busy = busy != 0 ? busy : op.busy;
  co_return busy == 0 && op.spares_needed <= op.spares ? std::optional(std::move(out))
                                                       : std::nullopt;
}

// Empty: the plan was outrun.
Task<std::optional<Created>> try_link(Core& core, LinkOp& op) {
  CO_TRY(Slot slot, co_await plan_slot(core, op.directory, op.name, false));
  LockPlan locks;
  lock_slot(locks, slot);
  locks.add(inode_lock(op.file.ino), LockMode::exclusive);
  if (op.busy != 0) {
    locks.add(inode_lock(op.busy), LockMode::exclusive);
  }
  CO_TRY(LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_slot(core, slot));
  if (!confirmed) {
    co_return std::nullopt;
  }
  CO_TRY(const ObjectPtr before, co_await load_inode(core, op.file));
  const std::uint32_t links = before->record.links();
  if (before->record.type == InodeType::directory) {
    co_return fail(Errc::is_directory);
  }
  if (links == 0) {
    co_return fail(Errc::stale);
  }
  if (slot.entry) {
    co_return fail(Errc::already_exists);
  }
  CO_TRY(const bool room, co_await has_room(core, *before));
  if (links >= kMaxLinks || !room) {
    co_return fail(Errc::too_many_links);
  }
  CO_TRY(const auto history, co_await plan_link(core, held, op, *before, slot));
  if (!history) {
    co_return std::nullopt;
  }
  Object object = *before;
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, op.directory.root, slot.implicit));
  if (!history->renewal.names.empty()) {
    apply_renewal(core, tx, history->renewal, *before, object, op.spare);
    CO_TRYV(co_await put_summaries(core, tx, object));
    supersede(core, tx, history->name, {}, 0);
  }
  tx.add_name(object, op.directory.ino, slot.file_name(), op.cookie);
  mark_changed(core, object.record, core.clock.wall_ns());
  tx.put_main(object);
  tx.batch.put(dirent_key(op.directory.ino, slot.file_name()),
               encode(dirent_of(object.ino, object.record)));
  tx.touch(op.directory.root, op.directory.ino);
  CO_TRYV(co_await tx.commit());
  co_return Created{attributes_of(core, object), tx.change_of(op.directory.ino), true};
}

std::optional<InodeType> node_type(FileType type) {
  switch (type) {
    case FileType::fifo:
      return InodeType::fifo;
    case FileType::socket:
      return InodeType::socket;
    case FileType::block_device:
      return InodeType::block_device;
    case FileType::character_device:
      return InodeType::character_device;
    case FileType::regular:
    case FileType::directory:
    case FileType::symlink:
      break;
  }
  return std::nullopt;
}

}  // namespace

Task<Created> create_file(Core& core,
                          FileId directory,
                          std::string_view name,
                          CreateRequest request) {
  NewInode op{.directory = directory,
              .name = name,
              .record = {.type = InodeType::file},
              .how = request.how,
              .attributes = request.attributes};
  if (request.how == CreateMode::exclusive) {
    ensure_posix(op.record).verifier = request.verifier;
  }
  CO_TRY(Created created, co_await create(core, std::move(op)));
  SetAttributes size_only;
  size_only.size = request.attributes.size;
  if (!created.made && request.how == CreateMode::unchecked && request.attributes.size) {
    CO_TRY(created.attributes,
           co_await set_file_attributes(core, created.attributes.id, size_only, std::nullopt));
  }
  co_return created;
}

Task<Created> make_directory(Core& core,
                             FileId directory,
                             std::string_view name,
                             SetAttributes attributes) {
  attributes.size.reset();
  co_return co_await create(core, {.directory = directory,
                                   .name = name,
                                   .record = {.type = InodeType::directory},
                                   .attributes = attributes});
}

Task<Created> make_symlink(Core& core,
                           FileId directory,
                           std::string_view name,
                           std::string_view target,
                           SetAttributes attributes) {
  if (target.size() > kMaxSymlinkBytes) {
    co_return fail(Errc::name_too_long);
  }
  if (target.empty() || target.find('\0') != target.npos) {
    co_return fail(Errc::invalid_argument, "symlink target");
  }
  attributes.size.reset();
  co_return co_await create(core,
                            {.directory = directory,
                             .name = name,
                             .record = {.type = InodeType::symlink, .target = std::string(target)},
                             .attributes = attributes});
}

Task<Created> make_node(Core& core,
                        FileId directory,
                        std::string_view name,
                        FileType type,
                        DeviceNumber device,
                        SetAttributes attributes) {
  const std::optional<InodeType> node = node_type(type);
  if (!node) {
    co_return fail(Errc::invalid_argument, "not a special node");
  }
  attributes.size.reset();
  InodeRecord record{.type = *node};
  if (is_device(type)) {
    record.device = device;
  }
  co_return co_await create(core, {.directory = directory,
                                   .name = name,
                                   .record = std::move(record),
                                   .attributes = attributes});
}

Task<Created> link_file(Core& core, FileId file, FileId directory, std::string_view name) {
  if (file.root != directory.root) {
    co_return fail(Errc::cross_bucket);
  }
  CO_TRYV(check_new_name(name));
  LinkOp op{.file = file, .directory = directory, .name = name};
  CO_TRYV(core.check_room());
  CO_TRY(op.cookie, co_await core.inodes.allocate());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (op.spares_needed > op.spares) {
      CO_TRY(op.spare, co_await core.inodes.allocate(op.spares_needed));
      op.spares = op.spares_needed;
    }
    CO_TRY(auto created, co_await try_link(core, op));
    if (created) {
      co_return *std::move(created);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
