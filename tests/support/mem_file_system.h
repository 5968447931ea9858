// ns::FileSystem on std::map: simple and obviously right. The double behind the tests of NFS and
// the model that the real one is compared with. Every call runs to its end without a suspension,
// unless a hook suspends it. One thread at a time; nothing survives it but crash() survivors.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/ns/file_system.h"
#include "tests/support/sparse_content.h"

namespace outcrop::test {

class MemFileSystem final : public ns::FileSystem {
 public:
  /// `clock` is borrowed.
  explicit MemFileSystem(const Clock& clock) : x_clock(clock) {}

  // What tests do beside the interface.
  InodeId add_bucket(std::string_view name);
  /// Every inode below it is gone: handles are stale.
  void drop_bucket(std::string_view name);
  /// The power fails and the server starts again: what write() did not say was stable and nobody
  /// committed is lost, holds end, the boot id is another.
  void crash();
  /// The next call fails with `code`, before it does anything.
  void fail_next(Errc code) { x_fail_any = code; }
  /// The same for the next call of one kind, by its name in the interface: "read_directory".
  void fail_next(std::string_view call, Errc code) {
    x_fail.insert_or_assign(std::string(call), code);
  }
  /// Runs before every call, with its name; may suspend it or fail it. Empty: none.
  using Hook = std::function<Task<>(std::string_view call)>;
  void set_hook(Hook hook) { x_hook = std::move(hook); }
  /// Inodes that are there, orphans included.
  std::size_t inodes() const { return x_nodes.size(); }
  /// Entries that read_directory() gave out in all.
  std::size_t entries_read() const { return x_entries_read; }
  /// Bytes written to the file and not durable yet?
  bool dirty(InodeId ino) const { return x_nodes.at(ino).durable.has_value(); }

  Task<ns::FileAttributes> bucket_root(std::string_view bucket) override;
  Task<ns::FileAttributes> resolve(std::string_view bucket, std::string_view path) override;
  Task<ns::FileAttributes> get_attributes(ns::FileId file) override;
  Task<ns::FileAttributes> set_attributes(ns::FileId file,
                                          ns::SetAttributes set,
                                          std::optional<std::int64_t> guard_ctime_ns = {}) override;
  Task<ns::FileAttributes> lookup(ns::FileId directory, std::string_view name) override;
  Task<ns::FileAttributes> parent(ns::FileId directory) override;
  Task<std::string> path(ns::FileId file) override;
  Task<ns::DirectoryPage> read_directory(ns::FileId directory,
                                         std::uint64_t cookie,
                                         std::size_t max_entries,
                                         std::size_t max_bytes,
                                         std::size_t entry_bytes = ns::kUsualEntryBytes) override;
  Task<ns::Created> create(ns::FileId directory,
                           std::string_view name,
                           ns::CreateRequest request) override;
  Task<ns::Created> make_directory(ns::FileId directory,
                                   std::string_view name,
                                   ns::SetAttributes attributes) override;
  Task<ns::Created> make_symlink(ns::FileId directory,
                                 std::string_view name,
                                 std::string_view target,
                                 ns::SetAttributes attributes) override;
  Task<ns::Created> make_node(ns::FileId directory,
                              std::string_view name,
                              ns::FileType type,
                              ns::DeviceNumber device,
                              ns::SetAttributes attributes) override;
  Task<std::string> read_symlink(ns::FileId file) override;
  Task<ns::Created> link(ns::FileId file, ns::FileId directory, std::string_view name) override;
  Task<ns::Removed> remove(ns::FileId directory,
                           std::string_view name,
                           ns::RemoveKind kind) override;
  Task<ns::Renamed> rename(ns::FileId from_directory,
                           std::string_view from_name,
                           ns::FileId to_directory,
                           std::string_view to_name) override;
  Task<ns::ReadResult> read(ns::FileId file, std::uint64_t offset, std::uint64_t length) override;
  Task<ns::WriteResult> write(ns::FileId file,
                              std::uint64_t offset,
                              std::vector<Buffer> data,
                              bool stable) override;
  Task<ns::FileAttributes> commit(ns::FileId file) override;
  Task<ns::FileAttributes> allocate(ns::FileId file,
                                    std::uint64_t offset,
                                    std::uint64_t length) override;
  Task<ns::FileAttributes> deallocate(ns::FileId file,
                                      std::uint64_t offset,
                                      std::uint64_t length) override;
  Task<ns::SeekResult> seek(ns::FileId file, std::uint64_t offset, bool data) override;
  Task<std::uint64_t> clone(ns::FileId source,
                            std::uint64_t source_offset,
                            ns::FileId target,
                            std::uint64_t target_offset,
                            std::uint64_t length) override;
  Task<std::string> get_xattr(ns::FileId file, std::string_view name) override;
  Task<ns::FileAttributes> set_xattr(ns::FileId file,
                                     std::string_view name,
                                     std::string_view value,
                                     XattrMode mode) override;
  Task<ns::FileAttributes> remove_xattr(ns::FileId file, std::string_view name) override;
  Task<std::vector<std::string>> list_xattrs(ns::FileId file) override;
  Task<ns::FileSystemSpace> space(InodeId root) override;
  Task<ns::OpenHoldPtr> hold(ns::FileId file) override;
  Task<> reap_orphans() override;
  std::uint64_t boot_id() const override { return x_boot; }
  Task<> flush_idle(std::int64_t older_than_ns) override;

 private:
  class Hold;
  struct Entry {
    InodeId ino = 0;
    std::uint64_t cookie = 0;
  };
  /// By S3 order: a directory's name carries a '/' behind it.
  using Entries = std::map<std::string, Entry, std::less<>>;
  struct Node {
    ns::FileAttributes attributes;  ///< size and used: filled in by attributes_of()
    std::optional<std::uint64_t> verifier;
    std::map<std::string, std::string, std::less<>> xattrs;
    unsigned holds = 0;
    // Of a directory.
    InodeId parent = 0;
    Entries entries;
    // Of a symbolic link.
    std::string target;
    // Of a file.
    SparseContent content;
    std::optional<SparseContent> durable;  ///< what a crash leaves, if it is not `content`
  };

  static Result<void> check_name(std::string_view name);
  static Result<void> check_new_name(std::string_view name);
  Task<> enter(std::string_view call);
  Result<Node*> node(ns::FileId file);
  Result<Node*> directory(ns::FileId file);
  /// stale for one that was removed while it was held: nothing is made in it.
  Result<Node*> linked_directory(ns::FileId file);
  Result<Node*> regular(ns::FileId file);
  ns::FileAttributes attributes_of(const Node& node) const;
  Entries::iterator find(Node& directory, std::string_view name);
  Node& new_node(InodeId root, ns::FileType type, const ns::SetAttributes& set);
  Result<ns::Created> add(Node& directory, std::string_view name, Node& child, bool made);
  Result<ns::Created> existing(Node& directory, Node& child, const ns::CreateRequest& request);
  /// Data, attributes or entries changed: new change number and ctime; `data`: also mtime.
  void touch(Node& node, bool data);
  void apply(Node& node, const ns::SetAttributes& set);
  /// One name less; without names and holds the inode is gone.
  void unlink(Node& node);
  Result<void> may_replace(const Node& source, const Node& target) const;
  bool is_below(InodeId ino, InodeId ancestor) const;
  void end_hold(InodeId ino, std::uint64_t boot);

  const Clock& x_clock;
  std::map<InodeId, Node> x_nodes;
  std::map<std::string, InodeId, std::less<>> x_buckets;
  /// Where a cookie was when it was last given out, so that reading goes on from there whatever
  /// happened to the entry.
  std::map<std::pair<InodeId, std::uint64_t>, std::string> x_given_out;
  std::size_t x_entries_read = 0;
  InodeId x_next = 100;
  std::uint64_t x_boot = 1;
  std::uint64_t x_changes = 0;
  std::optional<Errc> x_fail_any;
  std::map<std::string, Errc, std::less<>> x_fail;
  Hook x_hook;
  /// Holds find out by it that the file system is gone.
  std::shared_ptr<MemFileSystem*> x_self = std::make_shared<MemFileSystem*>(this);
};

}  // namespace outcrop::test
