#include "storage/ns/fs_data.h"

namespace outcrop::ns {

class DirtyTable {};

Task<ReadResult> read_file(Core&, FileId, std::uint64_t, std::uint64_t) {
  co_return fail(Errc::not_implemented);
}
Task<WriteResult> write_file(Core&, FileId, std::uint64_t, std::vector<Buffer>, bool) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> commit_file(Core&, FileId) { co_return fail(Errc::not_implemented); }
Task<FileAttributes> allocate_file(Core&, FileId, std::uint64_t, std::uint64_t) {
  co_return fail(Errc::not_implemented);
}
Task<FileAttributes> deallocate_file(Core&, FileId, std::uint64_t, std::uint64_t) {
  co_return fail(Errc::not_implemented);
}
Task<SeekResult> seek_file(Core&, FileId, std::uint64_t, bool) {
  co_return fail(Errc::not_implemented);
}
Task<std::uint64_t> clone_file(Core&, FileId, std::uint64_t, FileId, std::uint64_t, std::uint64_t) {
  co_return fail(Errc::not_implemented);
}
Task<> flush_file(Core&, InodeId) { co_return ok(); }
Task<> flush_dirty(Core&, std::int64_t) { co_return ok(); }
Task<> resize_locked(Core&, const Object&, Object&, Transaction&, std::uint64_t) {
  co_return fail(Errc::not_implemented);
}
bool overlay_attributes(Core&, InodeId, FileAttributes&) { return false; }
void drop_dirty(Core&, InodeId) {}
std::shared_ptr<DirtyTable> make_dirty_table(Core&) { return std::make_shared<DirtyTable>(); }

}  // namespace outcrop::ns
