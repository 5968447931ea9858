// The file view over the operations of this folder, one call each.
#pragma once
#include "storage/ns/fs_data.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/quota.h"

namespace outcrop::ns {

class TreeFileSystem final : public FileSystem {
 public:
  explicit TreeFileSystem(Core& core) : x_core(core) {}

  Task<FileAttributes> bucket_root(std::string_view bucket) override {
    return ns::bucket_root(x_core, bucket);
  }
  Task<FileAttributes> resolve(std::string_view bucket, std::string_view path) override {
    return resolve_path(x_core, bucket, path);
  }
  Task<FileAttributes> get_attributes(FileId file) override {
    return get_file_attributes(x_core, file);
  }
  Task<FileAttributes> set_attributes(FileId file,
                                      SetAttributes set,
                                      std::optional<std::int64_t> guard_ctime_ns) override {
    return set_file_attributes(x_core, file, set, guard_ctime_ns);
  }
  Task<FileAttributes> lookup(FileId directory, std::string_view name) override {
    return lookup_entry(x_core, directory, name);
  }
  Task<FileAttributes> parent(FileId directory) override {
    return parent_directory(x_core, directory);
  }
  Task<std::string> path(FileId file) override { return path_of(x_core, file); }
  Task<DirectoryPage> read_directory(FileId directory,
                                     std::uint64_t cookie,
                                     std::size_t max_entries,
                                     std::size_t max_bytes,
                                     std::size_t entry_bytes) override {
    return ns::read_directory(x_core, directory, cookie, max_entries, max_bytes, entry_bytes);
  }

  Task<Created> create(FileId directory, std::string_view name, CreateRequest request) override {
    return create_file(x_core, directory, name, request);
  }
  Task<Created> make_directory(FileId directory,
                               std::string_view name,
                               SetAttributes attributes) override {
    return ns::make_directory(x_core, directory, name, attributes);
  }
  Task<Created> make_symlink(FileId directory,
                             std::string_view name,
                             std::string_view target,
                             SetAttributes attributes) override {
    return ns::make_symlink(x_core, directory, name, target, attributes);
  }
  Task<Created> make_node(FileId directory,
                          std::string_view name,
                          FileType type,
                          DeviceNumber device,
                          SetAttributes attributes) override {
    return ns::make_node(x_core, directory, name, type, device, attributes);
  }
  Task<std::string> read_symlink(FileId file) override { return ns::read_symlink(x_core, file); }
  Task<Created> link(FileId file, FileId directory, std::string_view name) override {
    return link_file(x_core, file, directory, name);
  }
  Task<Removed> remove(FileId directory, std::string_view name, RemoveKind kind) override {
    return remove_entry(x_core, directory, name, kind);
  }
  Task<Renamed> rename(FileId from_directory,
                       std::string_view from_name,
                       FileId to_directory,
                       std::string_view to_name) override {
    return rename_entry(x_core, from_directory, from_name, to_directory, to_name);
  }

  Task<ReadResult> read(FileId file, std::uint64_t offset, std::uint64_t length) override {
    return read_file(x_core, file, offset, length);
  }
  Task<WriteResult> write(FileId file,
                          std::uint64_t offset,
                          std::vector<Buffer> data,
                          bool stable) override {
    return write_file(x_core, file, offset, std::move(data), stable);
  }
  Task<FileAttributes> commit(FileId file) override { return commit_file(x_core, file); }
  Task<FileAttributes> allocate(FileId file, std::uint64_t offset, std::uint64_t length) override {
    return allocate_file(x_core, file, offset, length);
  }
  Task<FileAttributes> deallocate(FileId file,
                                  std::uint64_t offset,
                                  std::uint64_t length) override {
    return deallocate_file(x_core, file, offset, length);
  }
  Task<SeekResult> seek(FileId file, std::uint64_t offset, bool data) override {
    return seek_file(x_core, file, offset, data);
  }
  Task<std::uint64_t> clone(FileId source,
                            std::uint64_t source_offset,
                            FileId target,
                            std::uint64_t target_offset,
                            std::uint64_t length) override {
    return clone_file(x_core, source, source_offset, target, target_offset, length);
  }

  Task<std::string> get_xattr(FileId file, std::string_view name) override {
    return ns::get_xattr(x_core, file, name);
  }
  Task<FileAttributes> set_xattr(FileId file,
                                 std::string_view name,
                                 std::string_view value,
                                 XattrMode mode) override {
    return ns::set_xattr(x_core, file, name, value, mode);
  }
  Task<FileAttributes> remove_xattr(FileId file, std::string_view name) override {
    return ns::remove_xattr(x_core, file, name);
  }
  Task<std::vector<std::string>> list_xattrs(FileId file) override {
    return ns::list_xattrs(x_core, file);
  }

  Task<FileSystemSpace> space(InodeId root) override { co_return space_of(x_core, root); }

  Task<OpenHoldPtr> hold(FileId file) override { return hold_inode(x_core, file); }
  Task<> reap_orphans() override { return ns::reap_orphans(x_core); }
  std::uint64_t boot_id() const override { return x_core.changes.boot_id(); }
  Task<> flush_idle(std::int64_t older_than_ns) override {
    return ns::flush_idle(x_core, older_than_ns);
  }

 private:
  Core& x_core;
};

}  // namespace outcrop::ns
