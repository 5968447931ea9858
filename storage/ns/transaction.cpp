#include "storage/ns/transaction.h"

#include <algorithm>

#include "storage/meta/extent_ref.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/keys.h"
#include "storage/ns/left_names.h"
#include "storage/ns/tally_record.h"

namespace outcrop::ns {
namespace {

constexpr std::uint32_t kFileMode = 0644;
constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kSymlinkMode = 0777;

std::uint32_t default_mode(InodeType type) {
  if (type == InodeType::directory) {
    return kDirectoryMode;
  }
  return type == InodeType::symlink ? kSymlinkMode : kFileMode;
}

// What S3 may set: no set-id bits, no sticky bit.
constexpr std::uint32_t kPermissionBits = 0777;

std::pair<SegmentId, std::uint64_t> place_of(const ExtentUse& use) {
  return {use.extent.segment, use.extent.offset};
}

}  // namespace

std::vector<ExtentUse> extent_uses(const std::vector<Piece>& pieces) {
  std::vector<ExtentUse> out;
  out.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    if (!piece.hole()) {
      out.push_back({piece.extent, piece.length});
    }
  }
  std::ranges::sort(out, {}, place_of);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (kept > 0 && place_of(out[kept - 1]) == place_of(out[i])) {
      out[kept - 1].used += out[i].used;
    } else {
      out[kept++] = out[i];
    }
  }
  out.resize(kept);
  for (ExtentUse& use : out) {
    use.used = std::min(use.used, use.extent.length);
  }
  return out;
}

std::vector<Extent> distinct_extents(const std::vector<Piece>& pieces) {
  std::vector<Extent> out;
  for (const ExtentUse& use : extent_uses(pieces)) {
    out.push_back(use.extent);
  }
  return out;
}

PosixAttributes& ensure_posix(InodeRecord& record) {
  if (!record.posix) {
    record.posix = {.mode = default_mode(record.type),
                    .ctime_ns = record.mtime_ns,
                    .atime_ns = record.mtime_ns,
                    .btime_ns = record.mtime_ns};
  }
  return *record.posix;
}

void set_file_fields(InodeRecord& record, const FileFields& fields) {
  if (fields.empty()) {
    return;
  }
  PosixAttributes& posix = ensure_posix(record);
  if (fields.mode) {
    posix.mode = *fields.mode & kPermissionBits;
  }
  posix.uid = fields.uid.value_or(posix.uid);
  posix.gid = fields.gid.value_or(posix.gid);
  posix.mtime_ns = fields.mtime_ns;
}

std::optional<FileFields> file_fields(const InodeRecord& record) {
  if (!record.posix) {
    return std::nullopt;
  }
  const auto owner = [](std::uint32_t id) {
    return id == kNoOwner ? std::nullopt : std::optional(id);
  };
  return FileFields{.mode = record.posix->mode,
                    .uid = owner(record.posix->uid),
                    .gid = owner(record.posix->gid),
                    .mtime_ns = record.file_mtime_ns()};
}

void mark_changed(Core& core, InodeRecord& record, std::int64_t now_ns) {
  record.change = core.changes.next();
  if (record.posix) {
    record.posix->ctime_ns = std::max(now_ns, record.posix->ctime_ns + 1);
  }
}

void Transaction::put_ref(InodeId owner, const ExtentUse& use) {
  batch.put(meta::extent_ref_key(use.extent, owner),
            meta::encode(meta::ExtentRef{use.extent.length, use.used}));
}

void Transaction::put_refs(InodeId owner, const std::vector<Piece>& pieces) {
  for (const ExtentUse& use : extent_uses(pieces)) {
    put_ref(owner, use);
  }
}

void Transaction::erase_refs(InodeId owner, const std::vector<Piece>& pieces) {
  for (const Extent& extent : distinct_extents(pieces)) {
    batch.erase(meta::extent_ref_key(extent, owner));
  }
}

// Nobody can have looked for a number that was not given out yet: no cache entry to block.
void Transaction::create_object(InodeId root, InodeId ino, const InodeRecord& record) {
  count(root, usage_of(record));
  put_refs(ino, record.lists.pieces);
  EncodedRecord encoded = encode(record);
  batch.put(inode_key(ino), std::move(encoded.main));
  for (std::uint32_t i = 0; i < encoded.tails.size(); ++i) {
    batch.put(inode_tail_key(ino, i), std::move(encoded.tails[i]));
  }
}

void Transaction::rewrite_refs(InodeId owner,
                               const std::vector<Piece>& before,
                               const std::vector<Piece>& after) {
  const auto old_uses = extent_uses(before);
  const auto new_uses = extent_uses(after);
  for (const ExtentUse& use : old_uses) {
    if (!std::ranges::binary_search(new_uses, place_of(use), {}, place_of)) {
      batch.erase(meta::extent_ref_key(use.extent, owner));
    }
  }
  for (const ExtentUse& use : new_uses) {
    const auto old = std::ranges::lower_bound(old_uses, place_of(use), {}, place_of);
    if (old == old_uses.end() || *old != use) {
      put_ref(owner, use);
    }
  }
}

void Transaction::rewrite_object(const Object& before, const Object& after) {
  rewrite_refs(before.ino, before.record.lists.pieces, after.record.lists.pieces);
  count(before.root, usage_of(after.record) - usage_of(before.record));
  block_inode(before.ino);
  EncodedRecord encoded = encode(after.record);
  batch.put(inode_key(before.ino), std::move(encoded.main));
  // Continuation records are filled from the front: those before the change stay as they are, and
  // a file that grows does not write its whole list again each time.
  std::vector<std::string> stored;
  if (before.record.tails > 0 && !encoded.tails.empty()) {
    stored = encode_tails(before.record.lists);
  }
  const bool same_layout = stored.size() == before.record.tails;
  for (std::uint32_t i = 0; i < encoded.tails.size(); ++i) {
    if (!same_layout || i >= stored.size() || stored[i] != encoded.tails[i]) {
      batch.put(inode_tail_key(before.ino, i), std::move(encoded.tails[i]));
    }
  }
  for (auto i = static_cast<std::uint32_t>(encoded.tails.size()); i < before.record.tails; ++i) {
    batch.erase(inode_tail_key(before.ino, i));
  }
}

void Transaction::put_main(const Object& object) {
  block_inode(object.ino);
  if (object.record.tails == 0) {
    // Attributes may have grown: the lists move to continuation records if they must.
    EncodedRecord encoded = encode(object.record);
    batch.put(inode_key(object.ino), std::move(encoded.main));
    for (std::uint32_t i = 0; i < encoded.tails.size(); ++i) {
      batch.put(inode_tail_key(object.ino, i), std::move(encoded.tails[i]));
    }
    return;
  }
  InodeRecord main = object.record;
  main.lists = {};
  batch.put(inode_key(object.ino), encode_main(main));
}

void Transaction::erase_names(const Object& object, const std::vector<LinkName>& names) {
  for (const LinkName& link : names) {
    batch.erase(dirent_key(link.parent, link.name));
    if (object.record.links() > 1) {
      erase_link(object.ino, link.parent, link.name, link.cookie);
    }
  }
}

void Transaction::erase_xattrs(const Object& object, const std::vector<std::string>& xattrs) {
  for (const std::string& name : xattrs) {
    batch.erase(xattr_key(object.ino, name));
  }
}

void Transaction::check_lock(const Object& object) {
  const ObjectLock& lock = object.record.attributes.lock;
  x_locked = x_locked || (!lock.empty() && !is_removable(lock, lock_time(x_core.clock), x_bypass));
}

void Transaction::erase_inode(const Object& object, const std::vector<std::string>& xattrs) {
  check_lock(object);
  count(object.root, Usage{} - usage_of(object.record));
  block_inode(object.ino);
  erase_refs(object.ino, object.record.lists.pieces);
  batch.erase(inode_key(object.ino));
  for (std::uint32_t i = 0; i < object.record.tails; ++i) {
    batch.erase(inode_tail_key(object.ino, i));
  }
  erase_xattrs(object, xattrs);
  if (object.record.type == InodeType::file) {
    x_erased.push_back(object.ino);
  }
}

void Transaction::put_link(InodeId ino,
                           InodeId parent,
                           std::string_view name,
                           std::uint64_t cookie) {
  batch.put(link_key(ino, parent, name), encode_number(cookie));
  if (inode_of_cookie(cookie) != ino) {
    batch.put(cookie_key(cookie), encode(CookieRecord{ino, parent, std::string(name)}));
  }
}

void Transaction::erase_link(InodeId ino,
                             InodeId parent,
                             std::string_view name,
                             std::uint64_t cookie) {
  batch.erase(link_key(ino, parent, name));
  if (inode_of_cookie(cookie) != ino) {
    batch.erase(cookie_key(cookie));
  }
}

void Transaction::unlink(const Leaving& leaving, bool copied) {
  if (!leaving.object) {
    return;
  }
  if (!copied) {
    check_lock(*leaving.object);
  }
  const InodeId ino = leaving.object->ino;
  leave(leaving.parent, leaving.cookie, leaving.name);
  const std::uint32_t links = leaving.object->record.links();
  const bool open = x_core.holds->held(ino);
  if (links == 1 && !open && leaving.object->record.attributes.lock.empty()) {
    return erase_inode(*leaving.object, leaving.xattrs);
  }
  Object rest = *leaving.object;
  if (links == 1) {
    rest.record.attributes.lock = {};  // of a version, which this is no more
    if (!open) {
      return erase_inode(rest, leaving.xattrs);
    }
  }
  ensure_posix(rest.record).links = links - 1;
  mark_changed(x_core, rest.record, x_core.clock.wall_ns());
  if (links == 1) {
    batch.put(orphan_key(ino), encode_number(rest.root));
    x_orphaned.push_back(ino);
  } else {
    erase_link(ino, leaving.parent, leaving.name, leaving.cookie);
    if (rest.record.parent == leaving.parent && rest.record.name == leaving.name) {
      rest.record.parent = leaving.other->parent;
      rest.record.name = leaving.other->name;
    }
    if (links == 2) {
      // The one that stays needs no link record any more, and gets a position without.
      erase_link(ino, leaving.other->parent, leaving.other->name, leaving.other->cookie);
      leave(leaving.other->parent, leaving.other->cookie, leaving.other->name);
      ++rest.record.moves;
    }
  }
  put_main(rest);
}

void Transaction::move_name(const Leaving& from,
                            Object& moved,
                            InodeId parent,
                            std::string_view name) {
  leave(from.parent, from.cookie, from.name);
  ++moved.record.moves;
  if (moved.record.links() > 1) {
    erase_link(moved.ino, from.parent, from.name, from.cookie);
    put_link(moved.ino, parent, name, cookie_of(moved.ino, moved.record.moves));
  }
  if (moved.record.parent == from.parent && moved.record.name == from.name) {
    moved.record.parent = parent;
    moved.record.name = name;
  }
}

void Transaction::add_name(Object& object,
                           InodeId parent,
                           std::string_view name,
                           std::uint64_t cookie) {
  PosixAttributes& posix = ensure_posix(object.record);
  if (posix.links == 1) {
    put_link(object.ino, object.record.parent, object.record.name,
             cookie_of(object.ino, object.record.moves));
  }
  put_link(object.ino, parent, name, cookie);
  ++posix.links;
}

void Transaction::put_directory(
    InodeId ino, InodeId parent, std::string_view name, bool implicit, std::int64_t now_ns) {
  InodeRecord record{.type = InodeType::directory,
                     .parent = parent,
                     .name = std::string(name),
                     .mtime_ns = now_ns};
  batch.put(inode_key(ino), encode_main(record));
  batch.put(dirent_key(parent, name),
            encode(DirentRecord{.ino = ino, .type = InodeType::directory, .implicit = implicit}));
}

void Transaction::put_history_directory(InodeId ino,
                                        InodeId parent,
                                        std::string_view name,
                                        std::int64_t now_ns) {
  const InodeRecord record{.type = InodeType::directory,
                           .parent = parent,
                           .name = std::string(name),
                           .mtime_ns = now_ns,
                           .history = true};
  batch.put(inode_key(ino), encode_main(record));
  batch.put(history_directory_key(parent, name), encode_number(ino));
}

void Transaction::erase_directory(InodeId ino,
                                  InodeId parent,
                                  std::string_view name,
                                  std::uint64_t cookie) {
  leave(parent, cookie, name);
  block_inode(ino);
  batch.erase(dirent_key(parent, name));
  batch.erase(inode_key(ino));
}

void Transaction::leave(InodeId directory, std::uint64_t cookie, std::string_view name) {
  if (x_core.recent.left(directory, cookie, name)) {
    put_left_name(x_core, batch, directory, cookie, name);
  } else {
    x_left.push_back({directory, std::string(name), cookie});
  }
}

/// Who started to read a directory while the commit was under way may have seen what left.
Task<> Transaction::leave_late() {
  meta::Batch late;
  for (const LinkName& gone : x_left) {
    if (x_core.recent.left(gone.parent, gone.cookie, gone.name)) {
      put_left_name(x_core, late, gone.parent, gone.cookie, gone.name);
    }
  }
  if (!late.mutations.empty()) {
    CO_TRYV(co_await x_core.meta.commit(std::move(late)));
  }
  co_return ok();
}

void Transaction::touch(InodeId root, InodeId directory) {
  if (std::ranges::find(x_touched, directory, &Touched::directory) == x_touched.end()) {
    x_touched.push_back({root, directory});
  }
}

void Transaction::count(InodeId root, const Usage& delta) {
  const auto it = std::ranges::find(x_counted, root, &Counted::root);
  if (it != x_counted.end()) {
    it->delta = it->delta + delta;
  } else {
    x_counted.push_back({.root = root, .delta = delta});
  }
}

// The bucket of an orphan may be gone: nobody counts it any more.
Result<void> Transaction::take_cells() {
  for (Counted& counted : x_counted) {
    const TallyPtr tally = counted.delta == Usage{} ? nullptr : x_core.tallies.find(counted.root);
    if (!tally) {
      continue;
    }
    TRY(auto change, tally->take(counted.delta, x_growth, x_reserved.bytes()));
    if (change) {
      batch.put(cell_key(counted.root, change->cell()), encode_cell(change->value()));
      counted.change.emplace(*std::move(change));
    }
  }
  return ok();
}

void Transaction::settle_cells() {
  for (Counted& counted : x_counted) {
    if (counted.change) {
      counted.change->settle(std::move(x_reserved));
    }
  }
  x_reserved.release();
}

Task<> Transaction::commit() {
  if (x_locked) {
    co_return fail(Errc::object_locked);
  }
  if (const auto taken = take_cells(); !taken) {
    // Small payload that was placed rides with this worker's next commit, which is this one: with
    // nothing in it but that, so that nobody refers to it.
    if (!batch.fresh.empty()) {
      batch.mutations.clear();
      CO_TRYV(co_await x_core.meta.commit(std::move(batch)));
    }
    co_return fail(taken.error());
  }
  CO_TRYV(co_await x_core.meta.commit(std::move(batch)));
  settle_cells();
  for (auto& [gate, size] : x_truncations) {
    gate.file().truncate(size);
  }
  const std::int64_t now = x_touched.empty() ? 0 : x_core.clock.wall_ns();
  for (Touched& t : x_touched) {
    t.change = x_core.times.touch(t.root, t.directory, now);
  }
  for (const InodeId ino : x_erased) {
    drop_dirty(x_core, ino);
  }
  for (const InodeId ino : x_orphaned) {
    x_core.holds->orphaned(ino);
  }
  if (!x_left.empty() && x_core.recent.active()) {
    // The change itself is done and memory knows: what cannot be stored any more fails nothing.
    [[maybe_unused]] const Result<void> stored = co_await leave_late();
  }
  co_return ok();
}

DirectoryChange Transaction::change_of(InodeId directory) const {
  const auto it = std::ranges::find(x_touched, directory, &Touched::directory);
  OUTCROP_ASSERT(it != x_touched.end());
  return it->change;
}

}  // namespace outcrop::ns
