#include "storage/ns/fs_data.h"
#include "storage/ns/fs_inode.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/links.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
Task<FileAttributes> bucket_root(Core&, std::string_view) { co_return fail(Errc::not_implemented); }
Task<FileAttributes> resolve_path(Core&, std::string_view, std::string_view) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> get_file_attributes(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<FileAttributes> set_file_attributes(Core& core,
                                         FileId id,
                                         SetAttributes set,
                                         std::optional<std::int64_t>) {
  LockPlan plan;
  plan.add(inode_lock(id.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(plan)));
  CO_TRY(const ObjectPtr before, co_await load_inode(core, id));
  Object object = *before;
  Transaction tx(core);
  mark_changed(core, object.record, core.clock.wall_ns());
  CO_TRYV(co_await resize_locked(core, *before, object, tx, *set.size));
  tx.rewrite_object(*before, object);
  CO_TRYV(co_await put_summaries(core, tx, object));
  CO_TRYV(co_await tx.commit());
  co_return attributes_of(core, object);
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
