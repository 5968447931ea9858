// The metadata half of the file view, one function per operation; TreeFileSystem hands its calls to
// them (and to fs_data.h). Contracts as in file_system.h.
#pragma once
#include "storage/ns/core.h"
#include "storage/ns/file_system.h"

namespace outcrop::ns {

Task<FileAttributes> bucket_root(Core& core, std::string_view bucket);
Task<FileAttributes> resolve_path(Core& core, std::string_view bucket, std::string_view path);
Task<FileAttributes> get_file_attributes(Core& core, FileId file);
Task<FileAttributes> set_file_attributes(Core& core,
                                         FileId file,
                                         SetAttributes set,
                                         std::optional<std::int64_t> guard_ctime_ns);
Task<FileAttributes> lookup_entry(Core& core, FileId directory, std::string_view name);
Task<FileAttributes> parent_directory(Core& core, FileId directory);
Task<std::string> path_of(Core& core, FileId file);
Task<DirectoryPage> read_directory(Core& core,
                                   FileId directory,
                                   std::uint64_t cookie,
                                   std::size_t max_entries,
                                   std::size_t max_bytes,
                                   std::size_t entry_bytes);

Task<Created> create_file(Core& core,
                          FileId directory,
                          std::string_view name,
                          CreateRequest request);
Task<Created> make_directory(Core& core,
                             FileId directory,
                             std::string_view name,
                             SetAttributes attributes);
Task<Created> make_symlink(Core& core,
                           FileId directory,
                           std::string_view name,
                           std::string_view target,
                           SetAttributes attributes);
Task<Created> make_node(Core& core,
                        FileId directory,
                        std::string_view name,
                        FileType type,
                        DeviceNumber device,
                        SetAttributes attributes);
Task<std::string> read_symlink(Core& core, FileId file);
Task<Created> link_file(Core& core, FileId file, FileId directory, std::string_view name);
Task<Removed> remove_entry(Core& core, FileId directory, std::string_view name, RemoveKind kind);
Task<Renamed> rename_entry(Core& core,
                           FileId from_directory,
                           std::string_view from_name,
                           FileId to_directory,
                           std::string_view to_name);

Task<std::string> get_xattr(Core& core, FileId file, std::string_view name);
Task<FileAttributes> set_xattr(Core& core,
                               FileId file,
                               std::string_view name,
                               std::string_view value,
                               FileSystem::XattrMode mode);
Task<FileAttributes> remove_xattr(Core& core, FileId file, std::string_view name);
Task<std::vector<std::string>> list_xattrs(Core& core, FileId file);

Task<OpenHoldPtr> hold_inode(Core& core, FileId file);
Task<> reap_orphans(Core& core);
Task<> flush_idle(Core& core, std::int64_t older_than_ns);

}  // namespace outcrop::ns
