// The file view: files, directories, symlinks and special nodes that come to be, and further names
// of files.
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
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

// Empty: the plan was outrun.
Task<std::optional<Created>> try_create(Core& core, const NewInode& op) {
  CO_TRY(Slot slot, co_await plan_slot(core, op.directory, op.name, false));
  LockPlan locks;
  lock_slot(locks, slot);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_slot(core, slot));
  if (!confirmed) {
    co_return std::nullopt;
  }
  if (slot.entry) {
    CO_TRY(Created created, co_await keep_existing(core, op, *slot.entry));
    co_return created;
  }
  CO_TRYV(check_new_name(op.name));
  const Object object{op.ino, op.directory.root, finished(core, op, slot)};
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, op.directory.root, slot.implicit));
  tx.batch.put(dirent_key(op.directory.ino, object.record.name),
               encode(dirent_of(object.ino, object.record)));
  tx.create_object(object.ino, object.record);
  tx.touch(op.directory.root, op.directory.ino);
  CO_TRYV(co_await tx.commit());
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
};

// Empty: the plan was outrun.
Task<std::optional<Created>> try_link(Core& core, const LinkOp& op) {
  CO_TRY(Slot slot, co_await plan_slot(core, op.directory, op.name, false));
  LockPlan locks;
  lock_slot(locks, slot);
  locks.add(inode_lock(op.file.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
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
  Object object = *before;
  Transaction tx(core);
  CO_TRYV(co_await make_explicit(core, tx, op.directory.root, slot.implicit));
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
    CO_TRY(auto created, co_await try_link(core, op));
    if (created) {
      co_return *std::move(created);
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
