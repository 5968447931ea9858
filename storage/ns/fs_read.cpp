// Reading: what is dirty in memory, over the stored pieces, over zeros.
#include <algorithm>

#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/piece_map.h"
#include "storage/ns/sealed_reader.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kZeroBytes = 64 << 10;

void append_zeros(std::vector<Buffer>& out, std::uint64_t n) {
  static const Buffer zeros = Buffer::zeroed(kZeroBytes);
  for (; n > 0; n -= std::min<std::uint64_t>(n, kZeroBytes)) {
    out.push_back(zeros.slice(0, std::min<std::uint64_t>(n, kZeroBytes)));
  }
}

// Keeps the extents of the pieces from being recycled; false: the record may be outdated, look
// again.
Task<bool> pin_pieces(Core& core,
                      const FoundInode& inode,
                      const Pieces& pieces,
                      segment::PinPtr& pin) {
  std::vector<Extent> extents;
  for (const Piece& piece : pieces) {
    if (!piece.hole()) {
      extents.push_back(piece.extent);
    }
  }
  if (extents.empty()) {
    co_return true;
  }
  pin = core.blobs.pin(extents);
  if (core.objects.unchanged(object_cache_key(inode.object->ino), inode.token)) {
    co_return true;
  }
  co_return co_await still_current(core, *inode.object);
}

/// Reads from one record, front to back.
class StoredBytes {
 public:
  StoredBytes(Core& core, const FileState& state, ByteRange range, ReadAhead ahead)
      : x_core(core), x_record(state.record()), x_ahead(ahead), x_at(range.offset) {
    x_pieces = slice_pieces(x_record.lists.pieces, range);
  }

  /// Keeps the extents from being recycled; false: the record may be outdated, look again.
  Task<bool> pin(const FoundInode& inode) { return pin_pieces(x_core, inode, x_pieces, x_pin); }

  /// Passes over the bytes up to `to`, which lie below dirty ones.
  void skip(std::uint64_t to) {
    while (x_at < to) {
      x_at += take(to - x_at).length;
    }
  }
  /// Appends the bytes up to `to`: zeros where there is nothing.
  Task<> read(std::uint64_t to, std::vector<Buffer>& out) {
    if (!x_record.inline_data.empty()) {
      const std::uint64_t end = std::min<std::uint64_t>(to, x_record.inline_data.size());
      if (x_at < end) {
        out.push_back(Buffer::copy_of(as_bytes(x_record.inline_data).subspan(x_at, end - x_at)));
        x_at = end;
      }
    }
    while (x_at < to) {
      const Piece piece = take(to - x_at);
      x_at += piece.length;
      if (piece.hole()) {
        append_zeros(out, piece.length);
        continue;
      }
      CO_TRY(auto slices,
             co_await x_core.extents.read(piece.extent, piece.skip, piece.length, x_ahead));
      std::ranges::move(slices, std::back_inserter(out));
    }
    co_return ok();
  }

 private:
  Piece take(std::uint64_t n) {
    if (x_index == x_pieces.size()) {
      return make_hole(n);
    }
    const Piece& piece = x_pieces[x_index];
    const std::uint64_t part = std::min(n, piece.length - x_used);
    const Piece out =
        piece.hole() ? make_hole(part) : Piece{piece.extent, piece.skip + x_used, part};
    x_used += part;
    if (x_used == piece.length) {
      ++x_index;
      x_used = 0;
    }
    return out;
  }

  Core& x_core;
  const InodeRecord& x_record;
  const ReadAhead x_ahead;
  Pieces x_pieces;
  segment::PinPtr x_pin;
  std::uint64_t x_at;
  std::size_t x_index = 0;
  std::uint64_t x_used = 0;
};

Result<DataKey> open_envelope(const Core& core, const InodeRecord& record) {
  return core.config.keys != nullptr
             ? core.config.keys->open(record.attributes.envelope)
             : fail(Errc::access_denied, "there are no keys for encrypted files");
}

// Nothing is ever dirty of a sealed file: is_fixed(). Empty: the record was outrun.
Task<std::optional<ReadResult>> try_read_sealed(Core& core,
                                                const FileState& state,
                                                ByteRange range,
                                                ReadAhead ahead) {
  const InodeRecord& record = state.record();
  CO_TRY(const DataKey key, open_envelope(core, record));
  const std::uint64_t end =
      std::min(range.offset + range.length, std::max(record.size, range.offset));
  ReadResult out{.data = {}, .bytes = end - range.offset, .eof = end >= record.size};
  if (out.bytes == 0) {
    co_return out;
  }
  const auto stored = stored_range(record, {range.offset, out.bytes});
  if (!stored) {
    co_return fail(Errc::corrupt, "file shorter than its size");
  }
  segment::PinPtr pin;
  CO_TRY(const bool pinned,
         co_await pin_pieces(core, state.inode, slice_pieces(record.lists.pieces, *stored), pin));
  if (!pinned) {
    co_return std::nullopt;
  }
  SealedReader reader(core.extents, record, key);
  for (std::uint64_t at = range.offset; at < end;) {
    CO_TRY(Buffer bytes, co_await reader.read({at, end - at}, ahead));
    at += bytes.size();
    out.data.push_back(std::move(bytes));
  }
  co_return out;
}

// Empty: the record was outrun.
Task<std::optional<ReadResult>> try_read(Core& core,
                                         FileId file,
                                         ByteRange range,
                                         ReadAhead ahead) {
  CO_TRY(const FileState state,
         co_await look_at_file(core, file, range.offset, range.offset + range.length));
  if (state.record().sealed()) {
    co_return co_await try_read_sealed(core, state, range, ahead);
  }
  const std::uint64_t size = state.size();
  const std::uint64_t end = std::min(range.offset + range.length, std::max(size, range.offset));
  ReadResult out{.data = {}, .bytes = end - range.offset, .eof = end >= size};
  StoredBytes stored(core, state, {range.offset, end - range.offset}, ahead);
  CO_TRY(const bool pinned, co_await stored.pin(state.inode));
  if (!pinned) {
    co_return std::nullopt;
  }
  for (const PlacedBytes& dirty : state.dirty.bytes) {
    CO_TRYV(co_await stored.read(dirty.offset, out.data));
    stored.skip(dirty.end());
    out.data.push_back(dirty.data);
  }
  CO_TRYV(co_await stored.read(end, out.data));
  co_return out;
}

// The next position at or behind `at` that is a hole in both worlds, or data in one of them.
std::uint64_t next_of(const FileState& state, std::uint64_t at, bool data) {
  const InodeRecord& record = state.record();
  if (record.sealed()) {
    return data ? at : record.size;  // it has no holes
  }
  const auto stored = [&](std::uint64_t from, bool what) -> std::uint64_t {
    if (!record.inline_data.empty()) {
      const bool inside = from < record.inline_data.size();
      return what ? (inside ? from : UINT64_MAX) : std::max(from, record.size);
    }
    const auto found = find_data(record.lists.pieces, from, what);
    return found ? *found : (what ? UINT64_MAX : std::max(from, record.size));
  };
  if (!state.file) {
    return stored(at, data);
  }
  if (data) {
    return std::min(stored(at, true), state.file->next(at, true));
  }
  for (;;) {
    const std::uint64_t hole = stored(at, false);
    const std::uint64_t free = state.file->next(hole, false);
    if (free == hole) {
      return hole;
    }
    at = free;
  }
}

}  // namespace

Task<ReadResult> read_file(Core& core, FileId file, std::uint64_t offset, std::uint64_t length) {
  length = std::min(length, kMaxWriteBytes);
  if (offset > kMaxObjectBytes) {
    CO_TRYV(co_await look_at_file(core, file));
    co_return ReadResult{.data = {}, .bytes = 0, .eof = true};
  }
  const bool sequential = core.sequences.sequential(file.ino, offset, length);
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto result, co_await try_read(core, file, {offset, length},
                                          sequential ? ReadAhead::stripe : ReadAhead::none));
    if (result) {
      co_return *std::move(result);
    }
  }
  co_return fail(Errc::overloaded, "a file changes faster than it can be read");
}

Task<SeekResult> seek_file(Core& core, FileId file, std::uint64_t offset, bool data) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const FileState state, co_await look_at_file(core, file));
    const std::uint64_t size = state.size();
    if (offset >= size) {
      co_return fail(Errc::not_found, "seek behind the end");
    }
    const std::uint64_t found = std::min(next_of(state, offset, data), size);
    if (!state.file || state.file->epoch() == state.dirty.epoch) {
      co_return SeekResult{.offset = found, .eof = found == size};
    }
  }
  co_return fail(Errc::overloaded, "a file changes faster than it can be searched");
}

}  // namespace outcrop::ns
