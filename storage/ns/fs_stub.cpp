#include "storage/ns/fs_data.h"
#include "storage/ns/fs_operations.h"

namespace outcrop::ns {
Task<FileAttributes> bucket_root(Core&, std::string_view) { co_return fail(Errc::not_implemented); }
Task<FileAttributes> resolve_path(Core&, std::string_view, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> get_file_attributes(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<FileAttributes> set_file_attributes(Core&,
                                         FileId,
                                         SetAttributes,
                                         std::optional<std::int64_t>) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> lookup_entry(Core&, FileId, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> parent_directory(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<DirectoryPage> read_directory(Core&, FileId, std::uint64_t, std::size_t, std::size_t) {
  co_return fail(Errc::not_implemented);
}
Task<Created> create_file(Core&, FileId, std::string_view, CreateRequest) {
  co_return fail(Errc::not_implemented);
}
Task<Created> make_directory(Core&, FileId, std::string_view, SetAttributes) {
  co_return fail(Errc::not_implemented);
}
Task<Created> make_symlink(Core&, FileId, std::string_view, std::string_view, SetAttributes) {
  co_return fail(Errc::not_implemented);
}
Task<std::string> read_symlink(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<Created> link_file(Core&, FileId, FileId, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<Removed> remove_entry(Core&, FileId, std::string_view, RemoveKind) {
  co_return fail(Errc::not_implemented);
}
Task<Renamed> rename_entry(Core&, FileId, std::string_view, FileId, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<std::string> get_xattr(Core&, FileId, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> set_xattr(
    Core&, FileId, std::string_view, std::string_view, FileSystem::XattrMode) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> remove_xattr(Core&, FileId, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<std::vector<std::string>> list_xattrs(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<OpenHoldPtr> hold_inode(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<> reap_orphans(Core&) { co_return fail(Errc::not_implemented); }
Task<> flush_idle(Core& core, std::int64_t older_than_ns) {
  return flush_dirty(core, older_than_ns);
}
}  // namespace outcrop::ns
