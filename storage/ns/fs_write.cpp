// Writing: into memory, and from there to the drives when somebody asks for it or there is too
// much.
#include "storage/ns/file_io.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"

namespace outcrop::ns {
namespace {

Result<std::uint64_t> check_write(std::uint64_t offset, const std::vector<Buffer>& data) {
  std::uint64_t length = 0;
  for (const Buffer& buffer : data) {
    length += buffer.size();
  }
  if (length > kMaxWriteBytes) {
    return fail(Errc::invalid_argument, "write too large");
  }
  if (offset > kMaxObjectBytes || length > kMaxObjectBytes - offset) {
    return fail(Errc::entity_too_large);
  }
  return length;
}

// A version that is sealed while its writer is on the way here takes nothing more: it is looked at
// again whether it has to be a new one.
Task<DirtyFilePtr> take(Core& core, FileId id, std::uint64_t offset, std::vector<Buffer> data) {
  for (;;) {
    DirtyFilePtr file = core.dirty->open(id.ino);
    const std::uint64_t seals = file->seals();
    if (needs_version(core, id)) {
      CO_TRYV(co_await begin_version(core, id));
    }
    const auto written = file->write({.offset = offset,
                                      .data = data,
                                      .wall_ns = core.clock.wall_ns(),
                                      .steady_ns = core.clock.steady_ns(),
                                      .seals = seals});
    if (written == DirtyFile::Written::done) {
      co_return file;
    }
    if (written == DirtyFile::Written::gated) {
      CO_TRYV(co_await pass_gate(*file));
    }
  }
}

}  // namespace

Task<WriteResult> write_file(
    Core& core, FileId file, std::uint64_t offset, std::vector<Buffer> data, bool stable) {
  CO_TRY(const std::uint64_t length, check_write(offset, data));
  CO_TRY(const FileState state, co_await look_at_file(core, file));
  CO_TRYV(check_changeable(core, *state.inode.object));
  if (length > 0) {
    CO_TRYV(co_await relieve_memory(core, file.ino));
    CO_TRY(DirtyFilePtr dirty, co_await take(core, file, offset, std::move(data)));
    if (!stable) {
      CO_TRYV(co_await relieve_file(core, std::move(dirty)));
    }
  }
  if (stable) {
    CO_TRYV(co_await flush_file(core, file.ino));
  }
  CO_TRY(FileAttributes attributes, co_await current_attributes(core, file));
  co_return WriteResult{.stable = stable, .attributes = attributes};
}

Task<FileAttributes> commit_file(Core& core, FileId file) {
  CO_TRYV(co_await look_at_file(core, file));
  CO_TRYV(co_await flush_file(core, file.ino));
  co_return co_await current_attributes(core, file);
}

}  // namespace outcrop::ns
