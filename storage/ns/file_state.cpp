#include "storage/ns/file_state.h"

#include <algorithm>

#include "storage/ns/fs_data.h"

namespace outcrop::ns {
namespace {

// The record is read after the dirty bytes: what a flush moves meanwhile is in both. Whatever else
// moved shows in the epoch.
Task<FileState> look(Core& core, FileId id, std::uint64_t from, std::uint64_t to) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    FileState state;
    state.file = core.dirty->find(id.ino);
    if (state.file) {
      state.dirty = state.file->view(from, to);
      if (state.dirty.gated) {
        CO_TRYV(co_await pass_gate(*state.file));
        continue;
      }
    }
    CO_TRY(state.inode, co_await find_inode(core, id));
    if (!state.file || state.file->epoch() == state.dirty.epoch) {
      co_return state;
    }
  }
  co_return fail(Errc::overloaded, "a file changes faster than it can be looked at");
}

}  // namespace

Task<FileState> look_at_file(Core& core, FileId id, std::uint64_t from, std::uint64_t to) {
  CO_TRY(FileState state, co_await look(core, id, from, to));
  if (state.record().type == InodeType::file) {
    co_return state;
  }
  if (state.record().type == InodeType::directory) {
    co_return fail(Errc::is_directory);
  }
  co_return fail(Errc::invalid_argument, "not a regular file");
}

bool is_fixed(const Core& core, const Object& object) {
  return object.record.type == InodeType::file &&
         (object.record.sealed() || core.sealing.has(object.root));
}

std::unexpected<Error> fail_fixed() {
  return fail(Errc::access_denied, "file clients do not change encrypted files");
}

Result<void> check_changeable(const Core& core, const Object& object) {
  return is_fixed(core, object) ? fail_fixed() : ok();
}

Task<FileAttributes> current_attributes(Core& core, FileId id) {
  CO_TRY(const FileState state, co_await look(core, id, 0, 0));
  FileAttributes out = stored_attributes(core, *state.inode.object);
  overlay_attributes(state.dirty, out);
  co_return out;
}

void overlay_attributes(const DirtyView& dirty, FileAttributes& attributes) {
  if (!dirty.dirty) {
    return;
  }
  attributes.used += dirty.end > attributes.size ? dirty.end - attributes.size : 0;
  attributes.size = std::max(attributes.size, dirty.end);
  attributes.change = std::max(attributes.change, dirty.change);
  attributes.mtime_ns = dirty.mtime_ns;
  attributes.ctime_ns = std::max(attributes.ctime_ns, dirty.ctime_ns);
}

bool overlay_attributes(Core& core, InodeId ino, FileAttributes& attributes) {
  const DirtyView dirty = core.dirty->view(ino);
  overlay_attributes(dirty, attributes);
  return dirty.dirty;
}

void drop_dirty(Core& core, InodeId ino) { core.dirty->drop(ino); }

std::shared_ptr<DirtyTable> make_dirty_table(Core& core) {
  return std::make_shared<DirtyTable>(core.config.write_buffer_bytes, core.changes);
}

}  // namespace outcrop::ns
