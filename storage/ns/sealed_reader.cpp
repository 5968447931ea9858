#include "storage/ns/sealed_reader.h"

#include <algorithm>

#include "storage/ns/piece_map.h"

namespace outcrop::ns {
namespace {

constexpr std::uint64_t kUnitsPerRead = 16;

}  // namespace

Task<Buffer> SealedReader::read(ByteRange range, ReadAhead ahead) {
  const auto units = find_units(x_record.size, x_record.lists.parts, range, kUnitsPerRead);
  if (!units) {
    co_return fail(Errc::corrupt, "object shorter than its size");
  }
  std::vector<Buffer> held;
  std::vector<ConstBytes> stored;
  if (x_record.lists.pieces.empty()) {
    const ConstBytes data = as_bytes(x_record.inline_data);
    stored.push_back(data.subspan(std::min<std::size_t>(units->stored.offset, data.size())));
  }
  for (const Piece& piece : slice_pieces(x_record.lists.pieces, units->stored)) {
    if (piece.hole()) {
      co_return fail(Errc::corrupt, "a hole in a sealed payload");
    }
    CO_TRY(auto slices, co_await x_extents.read(piece.extent, piece.skip, piece.length, ahead));
    for (Buffer& slice : slices) {
      stored.push_back(slice.view());
      held.push_back(std::move(slice));
    }
  }
  CO_TRY(const Buffer plain, open_units(x_cipher, *units, stored));
  const std::uint64_t skip = range.offset - units->plain.offset;
  co_return plain.slice(skip, std::min(range.length, plain.size() - skip));
}

std::optional<ByteRange> stored_range(const InodeRecord& record, ByteRange range) {
  const auto unit = [&record](std::uint64_t offset) {
    return find_units(record.size, record.lists.parts, {offset, 1}, 1);
  };
  const auto first = unit(range.offset), last = unit(range.offset + range.length - 1);
  if (!first || !last) {
    return std::nullopt;
  }
  const std::uint64_t end = last->stored.offset + last->stored.length;
  return ByteRange{first->stored.offset, end - first->stored.offset};
}

std::optional<std::uint64_t> stored_size(const InodeRecord& record) {
  return record.sealed() ? sealed_size(record.size, record.lists.parts) : record.size;
}

}  // namespace outcrop::ns
