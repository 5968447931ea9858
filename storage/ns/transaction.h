// One atomic change of the tree while it is put together: the batch, and the cache entries that
// are blocked from before the commit until after it. Declare it after the locks that cover it.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "storage/ns/core.h"

namespace outcrop::ns {

class Transaction {
 public:
  explicit Transaction(Core& core) : x_core(core) {}
  Transaction(const Transaction&) = delete;

  meta::Batch batch;

  void block_object(InodeId root, std::string_view key) {
    x_objects.emplace_back(x_core.objects, path_key(root, key));
  }
  void block_directory(InodeId root, std::string_view path) {
    x_dirs.emplace_back(x_core.dirs, path_key(root, path));
  }
  void block_bucket(std::string_view name) { x_buckets.emplace_back(x_core.buckets, name); }
  void block_generation(InodeId root) { x_window.emplace(x_core.generations, root); }

  /// The inode with its continuation records, and its references to extents.
  void put_object(InodeId ino, InodeRecord record);
  /// The main record of an inode whose lists stay as they are.
  void put_main(const Object& object);
  /// Everything that put_object wrote.
  void erase_object(const Object& object);
  void put_refs(InodeId owner, const std::vector<Piece>& pieces);
  void erase_refs(InodeId owner, const std::vector<Piece>& pieces);
  void put_directory(
      InodeId ino, InodeId parent, std::string_view name, bool implicit, std::int64_t now_ns);
  void erase_directory(InodeId ino, InodeId parent, std::string_view name);

  Task<> commit() { co_return co_await x_core.meta.commit(std::move(batch)); }

 private:
  Core& x_core;
  std::vector<GuardedCache<ObjectPtr>::Block> x_objects;
  std::vector<GuardedCache<DirEntry>::Block> x_dirs;
  std::vector<GuardedCache<BucketRecord>::Block> x_buckets;
  std::optional<Generations::Window> x_window;
};

/// The extents of the pieces, each once: an owner refers to an extent or it does not.
std::vector<Extent> distinct_extents(const std::vector<Piece>& pieces);

}  // namespace outcrop::ns
