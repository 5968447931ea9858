#include "storage/ns/payload_mover.h"

#include <algorithm>

#include "storage/base/log.h"

namespace outcrop::ns {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;

}  // namespace

Task<> PayloadMover::open(std::uint64_t bytes) {
  CO_TRY(x_writer, co_await x_core.blobs.open_writer(bytes, x_purpose));
  co_return ok();
}

Task<bool> PayloadMover::copy(Extent extent, ByteRange range) {
  const std::uint64_t start = x_position;
  for (std::uint64_t done = 0; done < range.length;) {
    const std::uint64_t n = std::min(kReadBytes, range.length - done);
    const auto slices = co_await x_core.blobs.read(extent, range.offset + done, n, x_purpose);
    if (!slices) {
      log::warn("payload cannot be moved out of its segment",
                {{"segment", x_segment},
                 {"offset", extent.offset},
                 {"error", slices.error().describe()}});
      co_return false;
    }
    for (const Buffer& slice : *slices) {
      CO_TRYV(co_await write(slice.view()));
      x_position += slice.size();
    }
    done += n;
  }
  x_moved.emplace(std::pair(extent.offset, range.offset), Moved{range.length, start});
  co_return true;
}

Task<> PayloadMover::write(ConstBytes bytes) {
  while (!bytes.empty()) {
    CO_TRY(const MutBytes room, co_await x_writer->buffer());
    const std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    CO_TRYV(co_await x_writer->advance(n));
    bytes = bytes.subspan(n);
  }
  co_return ok();
}

Task<> PayloadMover::finish() {
  CO_TRY(const std::vector<Extent> extents, co_await x_writer->finish());
  std::uint64_t at = 0;
  for (const Extent& extent : extents) {
    x_extents.emplace(at, extent);
    at += extent.length;
  }
  co_return ok();
}

Pieces PayloadMover::moved(const Pieces& pieces) const {
  Pieces out;
  for (const Piece& piece : pieces) {
    if (piece.extent.segment == x_segment) {
      append(out, piece);
    } else {
      append_piece(out, piece);
    }
  }
  return out;
}

void PayloadMover::append(Pieces& out, const Piece& piece) const {
  auto at = x_moved.upper_bound({piece.extent.offset, piece.skip});
  if (at == x_moved.begin()) {
    return append_piece(out, piece);
  }
  --at;
  const auto& [from, moved] = *at;
  if (from.first != piece.extent.offset || piece.skip + piece.length > from.second + moved.length) {
    return append_piece(out, piece);
  }
  std::uint64_t position = moved.to + (piece.skip - from.second);
  for (std::uint64_t left = piece.length; left > 0;) {
    const auto& [start, extent] = *std::prev(x_extents.upper_bound(position));
    const std::uint64_t skip = position - start;
    const std::uint64_t n = std::min(left, extent.length - skip);
    append_piece(out, {extent, skip, n});
    position += n;
    left -= n;
  }
}

}  // namespace outcrop::ns
