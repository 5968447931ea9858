// Writing: into memory, and from there to the drives when somebody asks for it or there is too
// much.
#include "storage/ns/file_io.h"
#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/piece_map.h"

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

/// Positions of a range, ascending and apart.
using Ranges = std::vector<ByteRange>;

// Where the record has no data in [from, to).
Ranges holes_in(const InodeRecord& record, std::uint64_t from, std::uint64_t to) {
  Ranges out;
  std::uint64_t at = from;
  if (record.lists.pieces.empty()) {
    at = std::clamp<std::uint64_t>(record.inline_data.size(), from, to);
  }
  for (const Piece& piece : slice_pieces(record.lists.pieces, {from, to - from})) {
    if (piece.hole()) {
      out.push_back({at, piece.length});
    }
    at += piece.length;
  }
  if (at < to) {
    out.push_back({at, to - at});
  }
  return out;
}

// How much larger the bucket gets, at most, when [from, to) is written and flushed: by what neither
// the record has nor what is dirty already. In a record that holds its payload itself holes are
// bytes.
std::uint64_t growth_of(const FileState& state, std::uint64_t from, std::uint64_t to) {
  std::uint64_t out = 0;
  auto dirty = state.dirty.bytes.begin();
  for (const ByteRange& hole : holes_in(state.record(), from, to)) {
    const std::uint64_t end = hole.offset + hole.length;
    out += hole.length;
    while (dirty != state.dirty.bytes.end() && dirty->end() <= hole.offset) {
      ++dirty;
    }
    for (auto over = dirty; over != state.dirty.bytes.end() && over->offset < end; ++over) {
      out -= std::min(over->end(), end) - std::max(over->offset, hole.offset);
    }
  }
  if (const std::uint64_t size = std::max(state.size(), to); size <= kInlineMax) {
    out = std::max(out, size - static_cast<std::uint64_t>(usage_of(state.record()).bytes));
  }
  return out;
}

// Of a bucket with a limit. What was written before may need less than was reserved for it: it is
// stored before anything is refused.
Task<> reserve(Core& core, const TallyPtr& tally, FileId id, DirtyFile::Write& write) {
  std::uint64_t to = write.offset;
  for (const Buffer& data : write.data) {
    to += data.size();
  }
  for (bool last = false;; last = true) {
    CO_TRY(const FileState state, co_await look_at_file(core, id, write.offset, to));
    auto reserved = tally->reserve(growth_of(state, write.offset, to));
    if (reserved) {
      write.epoch = state.file ? state.dirty.epoch : 0;
      write.reservation = *std::move(reserved);
      co_return ok();
    }
    if (last || reserved.error().code() != Errc::quota_exceeded) {
      co_return fail(reserved.error());
    }
    CO_TRYV(co_await flush_file(core, id.ino));
  }
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
    DirtyFile::Write write{.offset = offset,
                           .data = data,
                           .wall_ns = core.clock.wall_ns(),
                           .steady_ns = core.clock.steady_ns(),
                           .seals = seals};
    if (const TallyPtr tally = core.tallies.find(id.root); tally && tally->limits_bytes()) {
      CO_TRYV(co_await reserve(core, tally, id, write));
    }
    const auto written = file->write(write);
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
