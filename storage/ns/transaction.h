// One atomic change of the tree while it is put together: the batch, the cache entries that are
// blocked from before the commit until after it, and the directories whose entries change. Declare
// it after the locks that cover it.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "storage/ns/core.h"
#include "storage/ns/dirty_file.h"
#include "storage/ns/links.h"

namespace outcrop::ns {

struct ExtentUse {
  Extent extent;
  std::uint64_t used = 0;
  bool operator==(const ExtentUse&) const = default;
};

class Transaction {
 public:
  explicit Transaction(Core& core) : x_core(core) {}
  Transaction(const Transaction&) = delete;

  meta::Batch batch;
  /// Versions in governance mode may go.
  void bypass_governance(bool bypass) { x_bypass = bypass; }

  void block_name(InodeId root, std::string_view key) {
    x_names.emplace_back(x_core.names, path_key(root, key));
  }
  void block_directory(InodeId root, std::string_view path) {
    x_dirs.emplace_back(x_core.dirs, path_key(root, path));
  }
  void block_bucket(std::string_view name) { x_buckets.emplace_back(x_core.buckets, name); }
  void block_generation(InodeId root) { x_window.emplace(x_core.generations, root); }

  /// Of what must always work, or whose bytes are reserved: no limit of the bucket counts.
  void allow_growth() { x_growth = Growth::allowed; }
  /// The commit uses what was reserved for it. If it fails, it is here again.
  void spend(Reservation reservation) {
    allow_growth();
    x_reserved = std::move(reservation);
  }
  Reservation unspent() { return std::move(x_reserved); }
  /// What the bucket holds changes by so much. Done by all that is below that makes, rewrites or
  /// erases an inode; for parts of uploads.
  void count(InodeId root, const Usage& delta);

  /// A new inode with its continuation records, and its references to extents.
  void create_object(InodeId root, InodeId ino, const InodeRecord& record);
  /// An inode whose lists may have changed: its records, continuation records and references.
  void rewrite_object(const Object& before, const Object& after);
  /// The main record of an inode whose lists stay as they are.
  void put_main(const Object& object);
  /// The main record of a file that becomes a version: what is dirty of it goes with the commit.
  void put_history(const Object& version) {
    put_main(version);
    x_erased.push_back(version.ino);
  }
  /// All names of an inode that goes: dirents and link records.
  void erase_names(const Object& object, const std::vector<LinkName>& names);
  /// Of a directory that stays for the sake of its history.
  void erase_xattrs(const Object& object, const std::vector<std::string>& xattrs);
  /// Everything of an inode but its names. What Object Lock keeps does not go: commit() says
  /// object_locked then, and nothing happens.
  void erase_inode(const Object& object, const std::vector<std::string>& xattrs);
  /// The inode loses a name: it goes with its last one, unless somebody has it open. The dirent is
  /// the caller's. The inode's lock is held exclusively. As erase_inode for what is locked, unless
  /// a copy by reference is kept, with its lock.
  void unlink(const Leaving& leaving, bool copied = false);
  /// The inode gets a name, and a position, in the place of another; `moved` is its new record but
  /// for that.
  void move_name(const Leaving& from, Object& moved, InodeId parent, std::string_view name);
  /// A further name, with a cookie that no name ever had.
  void add_name(Object& object, InodeId parent, std::string_view name, std::uint64_t cookie);
  void put_refs(InodeId owner, const std::vector<Piece>& pieces);
  void erase_refs(InodeId owner, const std::vector<Piece>& pieces);
  void rewrite_refs(InodeId owner,
                    const std::vector<Piece>& before,
                    const std::vector<Piece>& after);
  void put_directory(
      InodeId ino, InodeId parent, std::string_view name, bool implicit, std::int64_t now_ns);
  /// A directory for history alone: history.h.
  void put_history_directory(InodeId ino,
                             InodeId parent,
                             std::string_view name,
                             std::int64_t now_ns);
  void erase_directory(InodeId ino, InodeId parent, std::string_view name, std::uint64_t cookie);

  /// An entry goes from its position in the directory: see RecentNames. Done by all that is above;
  /// for a directory's dirent that the caller erases itself.
  void leave(InodeId directory, std::uint64_t cookie, std::string_view name);
  /// The transaction changes entries of this directory, which was there before.
  void touch(InodeId root, InodeId directory);

  /// With the commit, what is dirty behind `size` goes too; then the gate opens.
  void truncate(GateHold gate, std::uint64_t size) {
    x_truncations.emplace_back(std::move(gate), size);
  }
  /// Lives as long as the transaction: what pins extents until they are referenced.
  void keep(std::shared_ptr<const void> what) { x_kept.push_back(std::move(what)); }

  /// quota_exceeded if a limit of a bucket would be: nothing has happened then.
  Task<> commit();
  /// After commit: how a directory that was touched moved.
  DirectoryChange change_of(InodeId directory) const;

 private:
  struct Touched {
    InodeId root, directory;
    DirectoryChange change{};
  };
  struct Counted {
    InodeId root;
    Usage delta;
    std::optional<TallyChange> change{};
  };
  Result<void> take_cells();
  void settle_cells();
  void block_inode(InodeId ino) { x_objects.emplace_back(x_core.objects, object_cache_key(ino)); }
  void check_lock(const Object& object);
  void put_ref(InodeId owner, const ExtentUse& use);
  void put_link(InodeId ino, InodeId parent, std::string_view name, std::uint64_t cookie);
  void erase_link(InodeId ino, InodeId parent, std::string_view name, std::uint64_t cookie);
  Task<> leave_late();

  Core& x_core;
  std::vector<GuardedCache<NameHint>::Block> x_names;
  std::vector<GuardedCache<ObjectPtr>::Block> x_objects;
  std::vector<GuardedCache<DirEntry>::Block> x_dirs;
  std::vector<GuardedCache<BucketRecord>::Block> x_buckets;
  std::optional<Generations::Window> x_window;
  std::vector<Touched> x_touched;
  std::vector<LinkName> x_left;  ///< entries that go from directories nobody read so far
  std::vector<InodeId> x_erased, x_orphaned;  ///< files
  std::vector<std::pair<GateHold, std::uint64_t>> x_truncations;
  std::vector<std::shared_ptr<const void>> x_kept;
  std::vector<Counted> x_counted;
  Growth x_growth = Growth::limited;
  Reservation x_reserved;
  bool x_bypass = false, x_locked = false;
};

/// Each extent of the pieces once, without holes, by place, and how much of it they name (at most
/// all of it): what the owner's reference records say.
std::vector<ExtentUse> extent_uses(const std::vector<Piece>& pieces);
std::vector<Extent> distinct_extents(const std::vector<Piece>& pieces);

/// The record gets POSIX attributes if it has none, with the defaults of what S3 made.
PosixAttributes& ensure_posix(InodeRecord& record);
/// Of a new or rewritten file; nothing happens to a record without them if there are none.
void set_file_fields(InodeRecord& record, const FileFields& fields);
std::optional<FileFields> file_fields(const InodeRecord& record);
/// The change attribute and the ctime move on; every change of a file or symlink goes through here.
void mark_changed(Core& core, InodeRecord& record, std::int64_t now_ns);

}  // namespace outcrop::ns
